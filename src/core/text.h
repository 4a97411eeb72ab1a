// Small helpers for text.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace disco {

/// The candidate nearest to `word` by edit distance (case ignored), when it is near enough to be a likely misspelling.
std::optional<std::string> nearest_word(std::string_view word, std::span<const std::string> candidates);

std::string_view trim(std::string_view text);
std::vector<std::string> split(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);
std::string lower_case(std::string_view text);  ///< ASCII letters only.

/// `word` as a POSIX shell reads it back: as it is where nothing in it is special, else in single quotes.
std::string shell_word(std::string_view word);

/// Whether the bytes are valid UTF-8 (no overlong forms, no surrogates).
bool is_utf8(std::string_view text);
/// One code point at `position`, which moves past it; U+FFFD and one byte on for invalid bytes.
char32_t next_code_point(std::string_view text, std::size_t& position);
void append_utf8(std::string& text, char32_t code_point);
std::string utf8_from_latin_1(std::string_view bytes);
/// A byte order mark at the start decides over `big_endian` and is dropped; lone surrogates become U+FFFD, half a unit
/// at the end is left out.
std::string utf8_from_utf16(std::string_view bytes, bool big_endian);
/// Nothing when a code point lies beyond Latin-1 (or the bytes are not UTF-8).
std::optional<std::string> latin_1_from_utf8(std::string_view text);

}  // namespace disco
