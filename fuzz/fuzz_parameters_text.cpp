// Any bytes as a parameters text: they are read, and what was read can be written and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/error.h"
#include "picture/parameters_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const disco::Parameters read = disco::parse_parameters({reinterpret_cast<const char*>(data), size});
  try {
    const disco::Parameters again =
        disco::parse_parameters(disco::format_parameters(read.prompt, read.negative_prompt, read.pairs));
    if (again.pairs.size() != read.pairs.size()) std::abort();
  } catch (const disco::Error&) {
    // Too few pairs, or a key of letters beyond ASCII, which is read but not written.
  }
  return 0;
}
