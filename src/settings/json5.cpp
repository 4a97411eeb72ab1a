#include "settings/json5.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

#include "core/error.h"
#include "core/text.h"

namespace disco {
namespace {

using Json = nlohmann::ordered_json;

constexpr int depth_limit = 64;
constexpr std::size_t key_limit = 10'000;  // An ordered object looks its keys up one by one.

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || (c & 0x80);
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

class Json5Reader {
 public:
  Json5Reader(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  DataDocument document() {
    if (text_.starts_with("\xEF\xBB\xBF")) position_ = line_start_ = 3;
    check_utf8();
    skip_space();
    if (at_end()) fail("the file is empty");
    document_.value = value(0);
    skip_space();
    if (!at_end()) fail(fmt::format("expected the end, found {}", found()));
    return std::move(document_);
  }

 private:
  bool at_end() const { return position_ >= text_.size(); }
  char here() const { return at_end() ? '\0' : text_[position_]; }
  bool follows(std::string_view token) const { return text_.substr(position_).starts_with(token); }

  /// Moves past one byte.
  void advance() {
    if (text_[position_++] == '\n') {
      ++line_;
      line_start_ = position_;
    }
  }

  struct Place {
    std::size_t position, line_start;
    int line;
  };
  Place place() const { return {position_, line_start_, line_}; }

  [[noreturn]] void fail(const std::string& problem, const std::string& fix = {}) const {
    fail_at(place(), problem, fix);
  }

  [[noreturn]] void fail_at(const Place& place, const std::string& problem, const std::string& fix = {}) const {
    std::size_t column = 1;
    for (std::size_t i = place.line_start; i < place.position && i < text_.size(); ++column) next_code_point(text_, i);
    throw RequestError(problem, fmt::format("{}: line {}, column {}", name_, place.line, column), fix);
  }

  std::string found() const {
    if (at_end()) return "the end of the file";
    std::size_t next = position_;
    const char32_t point = next_code_point(text_, next);
    if (point == '\n' || point == '\r') return "the end of the line";
    if (point < 0x20 || point == 0x7F) return "a control character";
    return fmt::format("'{}'", text_.substr(position_, next - position_));
  }

  void check_utf8() {
    if (is_utf8(text_)) return;
    while (!at_end()) {
      std::size_t next = position_;
      if (next_code_point(text_, next) == U'\uFFFD' && next == position_ + 1)
        fail("this is not UTF-8 text", "save the file as UTF-8");
      while (position_ < next) advance();
    }
  }

  void skip_space() {
    while (!at_end()) {
      if (follows("//")) {
        while (!at_end() && here() != '\n') ++position_;
      } else if (follows("/*")) {
        skip_block_comment();
      } else if (const std::size_t length = space_length(); length > 0) {
        for (std::size_t i = 0; i < length; ++i) advance();
      } else {
        return;
      }
    }
  }

  /// Bytes of the white space that comes next, as JSON5 counts it.
  std::size_t space_length() const {
    const char c = here();
    if (c == ' ' || (c >= '\t' && c <= '\r')) return 1;
    for (const std::string_view space : {"\u00A0", "\u2028", "\u2029", "\uFEFF", "\u3000", "\u202F"}) {
      if (follows(space)) return space.size();
    }
    return 0;
  }

  void skip_block_comment() {
    const Place start = place();
    position_ += 2;
    while (!at_end() && !follows("*/")) advance();
    if (at_end()) fail_at(start, "this comment is never closed", "close it with */");
    position_ += 2;
  }

  Json value(int depth) {
    if (depth > depth_limit) fail(fmt::format("nested more than {} deep", depth_limit));
    const char c = here();
    if (c == '{') return object(depth);
    if (c == '[') return array(depth);
    if (c == '"' || c == '\'') return string();
    if (is_digit(c) || c == '-' || c == '+' || c == '.') return number();
    if (accept_word("true")) return true;
    if (accept_word("false")) return false;
    if (accept_word("null")) return nullptr;
    if (follows("Infinity") || follows("NaN")) return number();
    if (is_name_start(c)) fail(fmt::format("expected a value, found {}", found()), "put text in quotes");
    fail(fmt::format("expected a value, found {}", found()));
  }

  bool accept_word(std::string_view word) {
    if (!follows(word)) return false;
    const std::size_t end = position_ + word.size();
    if (end < text_.size() && (is_name_start(text_[end]) || is_digit(text_[end]))) return false;
    position_ = end;
    return true;
  }

  Json object(int depth) {
    const Place start = place();
    Json result = Json::object();
    advance();
    for (;;) {
      skip_space();
      if (at_end()) fail_at(start, "this '{' is never closed", "close it with '}'");
      if (here() == '}') break;
      const int line = line_;
      const std::string key = here() == '"' || here() == '\'' ? string() : name();
      skip_space();
      if (here() != ':') fail(fmt::format("expected ':' after the key '{}', found {}", key, found()));
      advance();
      skip_space();
      Json item = value(depth + 1);
      if (result.size() >= key_limit) fail(fmt::format("more than {} keys in one object", key_limit));
      if (result.contains(key)) {
        document_.warnings.push_back(
            fmt::format("{}: line {}: '{}' is given twice; this one counts", name_, line, key));
      }
      result[key] = std::move(item);
      if (depth == 0) document_.lines[key] = line;
      skip_space();
      if (here() == ',') {
        advance();
      } else if (here() != '}') {
        if (at_end()) fail_at(start, "this '{' is never closed", "close it with '}'");
        fail(fmt::format("expected ',' or '}}' after the value of '{}', found {}", key, found()));
      }
    }
    advance();
    return result;
  }

  Json array(int depth) {
    const Place start = place();
    Json result = Json::array();
    advance();
    for (;;) {
      skip_space();
      if (at_end()) fail_at(start, "this '[' is never closed", "close it with ']'");
      if (here() == ']') break;
      result.push_back(value(depth + 1));
      skip_space();
      if (here() == ',') {
        advance();
      } else if (here() != ']') {
        if (at_end()) fail_at(start, "this '[' is never closed", "close it with ']'");
        fail(fmt::format("expected ',' or ']' in the list, found {}", found()));
      }
    }
    advance();
    return result;
  }

  std::string name() {
    if (!is_name_start(here())) fail(fmt::format("expected a key, found {}", found()));
    const std::size_t start = position_;
    while (!at_end() && (is_name_start(here()) || is_digit(here()))) ++position_;
    return std::string(text_.substr(start, position_ - start));
  }

  std::string string() {
    const Place start = place();
    const char quote = here();
    std::string result;
    advance();
    while (!at_end() && here() != quote) {
      if (here() == '\n' || here() == '\r')
        fail_at(start, "this text is not closed on its line", fmt::format("close it with {}", quote));
      if (here() == '\\') {
        escape(result);
      } else {
        result += here();
        ++position_;
      }
    }
    if (at_end()) fail_at(start, "this text is never closed", fmt::format("close it with {}", quote));
    advance();
    return result;
  }

  void escape(std::string& result) {
    ++position_;
    if (at_end()) fail("the file ends within an escape");
    const char c = here();
    constexpr std::string_view plain = "bfnrtv";
    constexpr std::string_view meaning = "\b\f\n\r\t\v";
    if (const std::size_t i = plain.find(c); i != std::string_view::npos) {
      result += meaning[i];
      ++position_;
    } else if (c == 'x') {
      ++position_;
      append_utf8(result, hex(2));
    } else if (c == 'u') {
      ++position_;
      append_utf8(result, utf16());
    } else if (c == '\r' || c == '\n') {
      // An escaped end of line is no part of the text.
      if (follows("\r\n")) advance();
      advance();
    } else if (c == '0') {
      ++position_;
      result += '\0';
    } else {
      result += c;
      ++position_;
    }
  }

  char32_t hex(int digits) {
    char32_t point = 0;
    for (int i = 0; i < digits; ++i) {
      const int digit = hex_digit(here());
      if (digit < 0) fail(fmt::format("expected a hexadecimal digit, found {}", found()));
      point = point * 16 + static_cast<char32_t>(digit);
      ++position_;
    }
    return point;
  }

  /// The four digits after \u, with a second \u when they are half of a surrogate pair; a lone half becomes U+FFFD.
  char32_t utf16() {
    const char32_t first = hex(4);
    if (first < 0xD800 || first > 0xDFFF) return first;
    if (first <= 0xDBFF && follows("\\u")) {
      const std::size_t before = position_;
      position_ += 2;
      const char32_t second = hex(4);
      if (second >= 0xDC00 && second <= 0xDFFF) return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
      position_ = before;
    }
    return U'\uFFFD';
  }

  Json number() {
    const Place start = place();
    const bool negative = here() == '-';
    if (negative || here() == '+') advance();
    if (accept_word("Infinity"))
      return negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    if (accept_word("NaN")) return std::numeric_limits<double>::quiet_NaN();
    Json result = follows("0x") || follows("0X") ? hexadecimal(negative) : decimal(start, negative);
    if (!at_end() && (is_name_start(here()) || is_digit(here())))
      fail_at(start, "this is not a number", "put text in quotes");
    return result;
  }

  Json hexadecimal(bool negative) {
    position_ += 2;
    std::uint64_t magnitude = 0;
    const char* const end = text_.data() + text_.size();
    const auto [stop, error] = std::from_chars(text_.data() + position_, end, magnitude, 16);
    if (error != std::errc{})
      fail(error == std::errc::result_out_of_range ? "this number is too large"
                                                   : "expected hexadecimal digits after 0x");
    position_ = static_cast<std::size_t>(stop - text_.data());
    return integer(magnitude, negative);
  }

  static Json integer(std::uint64_t magnitude, bool negative) {
    constexpr auto limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (!negative) return magnitude <= limit ? Json(static_cast<std::int64_t>(magnitude)) : Json(magnitude);
    return magnitude <= limit ? Json(-static_cast<std::int64_t>(magnitude)) : Json(-static_cast<double>(magnitude));
  }

  Json decimal(const Place& start, bool negative) {
    const char* const first = text_.data() + position_;
    const char* const end = text_.data() + text_.size();
    const bool leading =
        is_digit(here()) || (here() == '.' && position_ + 1 < text_.size() && is_digit(text_[position_ + 1]));
    if (!leading) fail(fmt::format("expected a number, found {}", found()));
    double real = 0;
    const auto [stop, error] = std::from_chars(first, end, real);
    position_ = static_cast<std::size_t>(stop - text_.data());
    const std::string_view written(first, static_cast<std::size_t>(stop - first));
    if (written.find_first_of(".eE") == std::string_view::npos) {
      std::uint64_t magnitude = 0;
      if (std::from_chars(first, stop, magnitude).ec == std::errc{}) return integer(magnitude, negative);
    }
    if (error != std::errc{}) fail_at(start, "this number is too large or too small");
    return negative ? -real : real;
  }

  std::string_view text_;
  std::string name_;
  std::size_t position_ = 0, line_start_ = 0;
  int line_ = 1;
  DataDocument document_;
};

}  // namespace

DataDocument parse_json5(std::string_view text, const std::string& name) { return Json5Reader(text, name).document(); }

}  // namespace disco
