#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "core/hash.h"
#include "core/text.h"
#include "picture/codec.h"

namespace disco::codec {
namespace {

constexpr std::size_t most_inflated = std::size_t{16} << 20;

std::uint32_t number(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char c : bytes.substr(0, 4)) value = (value << 8) | static_cast<unsigned char>(c);
  return value;
}

/// Takes the bytes up to a NUL off the front; nothing when there is no NUL.
std::optional<std::string_view> take_string(std::string_view& data) {
  const std::size_t end = data.find('\0');
  if (end == std::string_view::npos) return {};
  const std::string_view taken = data.substr(0, end);
  data.remove_prefix(end + 1);
  return taken;
}

/// The zlib stream inflated; nothing when it is broken, cut short, or larger than what is left of `budget`.
std::optional<std::string> inflated(std::string_view data, std::size_t& budget) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return {};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  std::string text;
  std::array<char, 16384> buffer{};
  int status = Z_OK;
  while (status == Z_OK && text.size() <= budget) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    status = inflate(&stream, Z_NO_FLUSH);
    text.append(buffer.data(), buffer.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  const bool whole = status == Z_STREAM_END && text.size() <= budget;
  budget -= std::min(budget, text.size());
  return whole ? std::optional(std::move(text)) : std::nullopt;
}

std::string repaired(std::string_view text) {
  std::string utf8;
  for (std::size_t position = 0; position < text.size();) append_utf8(utf8, next_code_point(text, position));
  return utf8;
}

/// The text after the keyword of a tEXt, zTXt or iTXt chunk, as UTF-8.
std::optional<std::string> text_of(std::string_view type, std::string_view data, std::size_t& budget) {
  if (type == "tEXt") return utf8_from_latin_1(data);
  if (type == "zTXt") {
    if (data.empty() || data[0] != 0) return {};
    const auto bytes = inflated(data.substr(1), budget);
    return bytes ? std::optional(utf8_from_latin_1(*bytes)) : std::nullopt;
  }
  if (data.size() < 2) return {};
  const char compressed = data[0], method = data[1];
  data.remove_prefix(2);
  if (!take_string(data) || !take_string(data)) return {};  // The language and the translated keyword.
  if (compressed == 0) return repaired(data);
  if (compressed != 1 || method != 0) return {};
  const auto bytes = inflated(data, budget);
  return bytes ? std::optional(repaired(*bytes)) : std::nullopt;
}

}  // namespace

PictureText read_png_text(std::string_view bytes) {
  PictureText texts;
  std::size_t budget = most_inflated;
  bytes.remove_prefix(8);
  while (bytes.size() >= 12) {
    const std::size_t length = number(bytes);
    if (length > bytes.size() - 12) break;
    const std::string_view type = bytes.substr(4, 4);
    const std::string_view checked = bytes.substr(4, 4 + length), checksum = bytes.substr(8 + length, 4);
    std::string_view data = bytes.substr(8, length);
    bytes.remove_prefix(12 + length);
    if (type == "IEND") break;
    if ((type != "tEXt" && type != "zTXt" && type != "iTXt") || crc32(checked) != number(checksum)) continue;
    const auto keyword = take_string(data);
    if (!keyword || keyword->empty() || keyword->size() > 79) continue;
    const std::string key = utf8_from_latin_1(*keyword);
    if (texts.contains(key)) continue;
    if (auto text = text_of(type, data, budget)) texts.emplace(key, std::move(*text));
  }
  return texts;
}

}  // namespace disco::codec
