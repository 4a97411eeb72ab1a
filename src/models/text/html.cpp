#include "models/text/html.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>

#include "core/text.h"
#include "models/text/unicode.h"

namespace disco {
namespace {

/// `second` is 0 for most.
struct Entity {
  std::string_view name;
  char32_t first, second;
};

#include "models/text/html_entities.inc"

constexpr std::size_t longest_name = 32;

std::optional<std::u32string> entity(std::string_view name) {
  const auto* found = std::ranges::lower_bound(entities, name, {}, &Entity::name);
  if (found == std::end(entities) || found->name != name) return {};
  std::u32string text(1, found->first);
  if (found->second != 0) text += found->second;
  return text;
}

bool is_digit(char32_t c) { return c >= '0' && c <= '9'; }

bool is_hex(char32_t c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool is_letter_or_digit(char32_t c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// What a number stands for: nothing for characters that HTML does not allow.
std::u32string numbered(std::uint32_t code) {
  if (code == 0 || (code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF) return U"\uFFFD";
  if (code >= 0x80 && code <= 0x9F) return std::u32string(1, windows_1252(static_cast<unsigned char>(code)));
  const bool disallowed = (code < 0x20 && code != '\t' && code != '\n' && code != '\f' && code != '\r') ||
                          code == 0x7F || (code >= 0xFDD0 && code <= 0xFDEF) || (code & 0xFFFE) == 0xFFFE;
  return disallowed ? std::u32string() : std::u32string(1, code);
}

struct Reference {
  std::size_t length;  ///< Of the text that it replaces, from the ampersand on.
  std::u32string text;
};

/// "&#123;" or "&#x7B;", the semicolon being optional.
std::optional<Reference> number_at(std::u32string_view text, std::size_t position) {
  std::size_t i = position + 2;
  const bool hex = i < text.size() && (text[i] == 'x' || text[i] == 'X');
  if (hex) ++i;
  const std::size_t start = i;
  std::uint32_t code = 0;
  for (; i < text.size() && (hex ? is_hex(text[i]) : is_digit(text[i])); ++i) {
    const char32_t digit = is_digit(text[i]) ? text[i] - '0' : (text[i] | 0x20) - 'a' + 10;
    // Larger numbers are all alike: no character.
    code = std::min<std::uint32_t>(code * (hex ? 16 : 10) + digit, 0x110000);
  }
  if (i == start) return {};
  if (i < text.size() && text[i] == ';') ++i;
  return Reference{i - position, numbered(code)};
}

/// "&name;", or the longest beginning of the characters after the ampersand that is a name.
std::optional<Reference> name_at(std::u32string_view text, std::size_t position) {
  std::string name;
  std::size_t i = position + 1;
  for (; i < text.size() && name.size() < longest_name; ++i) {
    const char32_t c = text[i];
    if (!is_letter_or_digit(c)) break;
    name += static_cast<char>(c);
  }
  if (i < text.size() && text[i] == ';') name += ';';
  for (; name.size() > 1; name.pop_back()) {
    if (auto found = entity(name)) return Reference{name.size() + 1, *std::move(found)};
  }
  return {};
}

std::optional<Reference> closed_name_at(std::u32string_view text, std::size_t position) {
  std::string name;
  std::size_t i = position + 1;
  while (i < text.size() && name.size() <= 24 && is_letter_or_digit(text[i])) name += static_cast<char>(text[i++]);
  if (name.empty() || name.size() > 24 || i == text.size() || text[i] != ';') return {};
  name += ';';
  const std::size_t length = name.size() + 1;
  if (auto found = entity(name)) return Reference{length, *std::move(found)};
  // In capitals it is read as the capitals of the name in small letters, unless a beginning of it is a name itself.
  const std::string small = lower_case(std::string_view(name));
  const auto found = entity(small);
  if (!found || std::ranges::any_of(name, [](char c) { return c >= 'a' && c <= 'z'; }) || name_at(text, position)) {
    return {};
  }
  std::u32string capitals;
  for (const char32_t c : *found) capitals += entity_capital(c);
  return Reference{length, capitals};
}

template <class Read>
std::u32string replace_references(std::u32string_view text, const Read& read) {
  std::u32string result;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '&') {
      if (const auto reference = read(i)) {
        result += reference->text;
        i += reference->length;
        continue;
      }
    }
    result += text[i++];
  }
  return result;
}

bool is_numeric(std::u32string_view text, std::size_t position) {
  return position + 1 < text.size() && text[position + 1] == '#';
}

}  // namespace

std::u32string unescape_html(std::u32string_view text) {
  return replace_references(text,
                            [&](std::size_t i) { return is_numeric(text, i) ? number_at(text, i) : name_at(text, i); });
}

std::u32string unescape_closed_html(std::u32string_view text) {
  return replace_references(text, [&](std::size_t i) -> std::optional<Reference> {
    if (!is_numeric(text, i)) return closed_name_at(text, i);
    auto reference = number_at(text, i);
    // A number that makes a semicolon is left alone, as is one of more than 24 digits.
    if (!reference || reference->length > 2 + 24 + 1 || text[i + reference->length - 1] != ';' ||
        reference->text == U";") {
      return {};
    }
    return reference;
  });
}

}  // namespace disco
