// Schedules and key frames: any text is refused in words, or parses to what its own text parses to.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "settings/schedule.h"

namespace {

void check_schedule(std::string_view text) {
  using disco::Schedule;
  const Schedule schedule = Schedule::parse(text);
  if (!(Schedule::parse(schedule.text()) == schedule)) std::abort();
  std::vector<double> values;
  for (int entry = 0; entry < Schedule::entries; ++entry) values.push_back(schedule.at(entry));
  const Schedule listed = Schedule::from_values(values);
  if (!(listed == schedule) || !(Schedule::parse(listed.text()) == schedule)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    check_schedule(text);
  } catch (const disco::RequestError& error) {
    if (error.problem().empty()) std::abort();
  }
  try {
    if (disco::parse_key_frames(text, 12).size() != 12) std::abort();
  } catch (const disco::RequestError& error) {
    if (error.problem().empty()) std::abort();
  }
  return 0;
}
