// Any weights file, recognised by its content.
#include "weights_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return disco::fuzz::read(disco::weights::read_layout, data, size);
}
