// Any bytes as a picture file: they decode, or are refused with an error.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/error.h"
#include "picture/picture.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    (void)disco::read_picture_text(bytes, "fuzz");
  } catch (const disco::Error&) {
  }
  try {
    (void)disco::decode_picture(bytes, "fuzz");
  } catch (const disco::Error&) {
  }
  return 0;
}
