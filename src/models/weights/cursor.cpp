#include "models/weights/cursor.h"

#include <fmt/format.h>

#include "core/error.h"

namespace disco::weights {

void Cursor::seek(std::uint64_t position) {
  if (position > bytes_.size()) {
    fail(fmt::format("the file ends too early: byte {} is asked for, but there are only {}", position, bytes_.size()));
  }
  position_ = position;
}

Bytes Cursor::take(std::uint64_t count) {
  if (count > left()) {
    fail(fmt::format("the file ends too early: {} bytes are asked for, but only {} are left", count, left()));
  }
  const Bytes taken = bytes_.subspan(position_, count);
  position_ += count;
  return taken;
}

std::string_view Cursor::text(std::uint64_t count) {
  const Bytes taken = take(count);
  return {reinterpret_cast<const char*>(taken.data()), taken.size()};
}

std::string_view Cursor::line() {
  const std::string_view rest(reinterpret_cast<const char*>(bytes_.data()) + position_, left());
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) fail("the file ends in the middle of a line");
  position_ += end + 1;
  return rest.substr(0, end);
}

void Cursor::fail_at(std::uint64_t at, const std::string& problem) const {
  throw FormatError(problem, fmt::format("{}, byte {}", where_, at), "the file is damaged or not what it claims to be");
}

}  // namespace disco::weights
