// PyTorch's format before 1.6.
#include "weights_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return disco::fuzz::read(disco::weights::read_pytorch_legacy, data, size);
}
