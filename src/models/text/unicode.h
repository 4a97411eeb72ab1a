// What the tokenizer needs of Unicode: classes of characters, small letters, composition. Text is a string of code
// points.
#pragma once

#include <string>
#include <string_view>

namespace disco {

/// UTF-8 to code points and back; invalid bytes become U+FFFD.
std::u32string code_points(std::string_view utf8);
std::string to_utf8(std::u32string_view text);

/// General categories L and N.
bool is_letter(char32_t c);
bool is_number(char32_t c);
/// The property White_Space.
bool is_space(char32_t c);

/// Full small letters, the rule of the final sigma included (Unicode 3.13, Default Case Algorithms).
std::u32string lower_case(std::u32string_view text);
/// Normalisation form C (UAX 15).
std::u32string compose(std::u32string_view text);

/// Halfwidth and fullwidth forms, and the ideographic space, as their ordinary characters.
std::u32string standard_width(std::u32string_view text);
/// The capital of a character that an HTML entity in small letters can name; other characters are returned as they are.
std::u32string entity_capital(char32_t c);
/// The character of a byte of 80 to 9F in Windows-1252 (the unassigned bytes: the control character of their number).
char32_t windows_1252(unsigned char byte);

}  // namespace disco
