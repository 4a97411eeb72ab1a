#include "picture/exif.h"

#include <cstdint>

#include "core/text.h"

namespace disco {
namespace {

constexpr std::uint16_t tag_exif_folder = 0x8769, tag_user_comment = 0x9286;
constexpr std::uint16_t type_long = 4, type_undefined = 7;
constexpr std::size_t code_size = 8;
constexpr std::string_view unicode_code("UNICODE\0", code_size);

void put_16(std::string& out, std::uint32_t value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value);
}

void put_32(std::string& out, std::uint32_t value) {
  put_16(out, value >> 16);
  put_16(out, value & 0xFFFF);
}

/// A folder of one entry, without a following folder.
void put_folder(std::string& out, std::uint16_t tag, std::uint16_t type, std::uint32_t count, std::uint32_t value) {
  put_16(out, 1);
  put_16(out, tag);
  put_16(out, type);
  put_32(out, count);
  put_32(out, value);
  put_32(out, 0);
}

/// Numbers of a TIFF block in its byte order; nothing where they would lie outside.
class Tiff {
 public:
  explicit Tiff(std::string_view bytes) : bytes_(bytes), big_endian_(bytes.starts_with("MM")) {}

  std::optional<std::uint32_t> number(std::uint64_t offset, unsigned size) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset) return {};
    std::uint32_t value = 0;
    for (unsigned k = 0; k < size; ++k) {
      const unsigned from = big_endian_ ? k : size - 1 - k;
      value = (value << 8) | static_cast<unsigned char>(bytes_[static_cast<std::size_t>(offset) + from]);
    }
    return value;
  }

  /// Where the entry with this tag lies in the folder at `folder`.
  std::optional<std::uint64_t> entry(std::uint64_t folder, std::uint16_t tag) const {
    const std::uint32_t count = number(folder, 2).value_or(0);
    for (std::uint64_t k = 0; k < count; ++k) {
      const std::uint64_t offset = folder + 2 + 12 * k;
      const auto found = number(offset, 2);
      if (!found) return {};
      if (*found == tag) return offset;
    }
    return {};
  }

  bool big_endian() const { return big_endian_; }

  /// The bytes of an entry of type UNDEFINED.
  std::optional<std::string_view> undefined_bytes(std::uint64_t entry) const {
    const auto type = number(entry + 2, 2), count = number(entry + 4, 4);
    if (!type || !count || *type != type_undefined) return {};
    const std::uint64_t offset = *count <= 4 ? entry + 8 : number(entry + 8, 4).value_or(UINT32_MAX);
    if (offset > bytes_.size() || *count > bytes_.size() - offset) return {};
    return bytes_.substr(static_cast<std::size_t>(offset), *count);
  }

 private:
  std::string_view bytes_;
  bool big_endian_;
};

/// Text in ASCII letters has its zeros in the high bytes; so do the spaces and digits of any text.
bool looks_big_endian(std::string_view bytes) {
  std::size_t even = 0, odd = 0;
  for (std::size_t k = 0; k + 1 < bytes.size(); k += 2) {
    if (bytes[k] == 0) ++even;
    if (bytes[k + 1] == 0) ++odd;
  }
  return even >= odd;
}

}  // namespace

std::string exif_with_comment(std::string_view text) {
  std::string units;
  for (std::size_t position = 0; position < text.size();) {
    const char32_t point = next_code_point(text, position);
    if (point >= 0x10000) {
      put_16(units, 0xD800 + ((point - 0x10000) >> 10));
      put_16(units, 0xDC00 + ((point - 0x10000) & 0x3FF));
    } else {
      put_16(units, point);
    }
  }
  constexpr std::uint32_t first_folder = 8, folder_size = 18;
  constexpr std::uint32_t second_folder = first_folder + folder_size, data = second_folder + folder_size;
  std::string tiff = "MM";
  put_16(tiff, 42);
  put_32(tiff, first_folder);
  put_folder(tiff, tag_exif_folder, type_long, 1, second_folder);
  put_folder(tiff, tag_user_comment, type_undefined, static_cast<std::uint32_t>(code_size + units.size()), data);
  return tiff.append(unicode_code).append(units);
}

std::optional<std::string> exif_comment(std::string_view tiff) {
  if (!tiff.starts_with("MM") && !tiff.starts_with("II")) return {};
  const Tiff block(tiff);
  if (block.number(2, 2) != 42u) return {};
  const auto first_folder = block.number(4, 4);
  if (!first_folder) return {};
  const auto link = block.entry(*first_folder, tag_exif_folder);
  const auto folder = link ? block.number(*link + 8, 4) : std::nullopt;
  const auto entry = folder ? block.entry(*folder, tag_user_comment) : std::nullopt;
  const auto comment = entry ? block.undefined_bytes(*entry) : std::nullopt;
  if (!comment || comment->size() < code_size) return {};
  const std::string_view code = comment->substr(0, code_size);
  std::string_view text = comment->substr(code_size);
  if (code == unicode_code) return utf8_from_utf16(text, block.big_endian() || looks_big_endian(text));
  while (text.ends_with('\0')) text.remove_suffix(1);
  if (code == std::string_view("ASCII\0\0\0", code_size) || code == std::string(code_size, '\0')) {
    return is_utf8(text) ? std::string(text) : utf8_from_latin_1(text);
  }
  return {};
}

}  // namespace disco
