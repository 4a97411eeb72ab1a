// Reading numbers and runs of bytes from a file in order, never past its end.
#pragma once

#include <bit>
#include <cstring>
#include <string>
#include <string_view>

#include "models/weights/layout.h"

namespace disco::weights {

static_assert(std::endian::native == std::endian::little, "the formats are little-endian and read as they lie");

class Cursor {
 public:
  /// `where` names the file, and the entry in it, in errors. Throws FormatError from every reading function when the
  /// bytes end too early.
  Cursor(Bytes bytes, std::string where, std::uint64_t position = 0)
      : bytes_(bytes), where_(std::move(where)), position_(position) {}

  std::uint64_t position() const { return position_; }
  std::uint64_t size() const { return bytes_.size(); }
  std::uint64_t left() const { return bytes_.size() - position_; }
  const std::string& where() const { return where_; }
  /// Past the end is refused.
  void seek(std::uint64_t position);

  /// A little-endian number.
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  /// The next `count` bytes, where they lie.
  Bytes take(std::uint64_t count);
  std::string_view text(std::uint64_t count);
  /// Up to the next line feed, which is skipped.
  std::string_view line();

  /// A FormatError at the current position, or at `at`.
  [[noreturn]] void fail(const std::string& problem) const { fail_at(position_, problem); }
  [[noreturn]] void fail_at(std::uint64_t at, const std::string& problem) const;

 private:
  Bytes bytes_;
  std::string where_;
  std::uint64_t position_;
};

}  // namespace disco::weights
