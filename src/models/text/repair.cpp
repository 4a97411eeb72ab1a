#include "models/text/repair.h"

#include <algorithm>
#include <cstddef>

#include "models/text/html.h"
#include "models/text/mojibake.h"
#include "models/text/unicode.h"

namespace disco {
namespace {

/// Typographical ligatures, and the digraphs that old encodings took from Serbian, Dutch and Afrikaans.
std::u32string_view ligature(char32_t c) {
  switch (c) {
    case U'\u0132':
      return U"IJ";
    case U'\u0133':
      return U"ij";
    case U'\u0149':
      return U"\u02BCn";
    case U'\u01F1':
      return U"DZ";
    case U'\u01F2':
      return U"Dz";
    case U'\u01F3':
      return U"dz";
    case U'\u01C4':
      return U"D\u017D";
    case U'\u01C5':
      return U"D\u017E";
    case U'\u01C6':
      return U"d\u017E";
    case U'\u01C7':
      return U"LJ";
    case U'\u01C8':
      return U"Lj";
    case U'\u01C9':
      return U"lj";
    case U'\u01CA':
      return U"NJ";
    case U'\u01CB':
      return U"Nj";
    case U'\u01CC':
      return U"nj";
    case U'\uFB00':
      return U"ff";
    case U'\uFB01':
      return U"fi";
    case U'\uFB02':
      return U"fl";
    case U'\uFB03':
      return U"ffi";
    case U'\uFB04':
      return U"ffl";
    case U'\uFB05':
      return U"\u017Ft";
    case U'\uFB06':
      return U"st";
    default:
      return {};
  }
}

std::u32string without_ligatures(std::u32string_view text) {
  std::u32string result;
  for (const char32_t c : text) {
    const std::u32string_view letters = ligature(c);
    if (letters.empty()) {
      result += c;
    } else {
      result += letters;
    }
  }
  return result;
}

char32_t straight_quote(char32_t c) {
  if (c == 0x2BC || (c >= 0x2018 && c <= 0x201B)) return '\'';
  return c >= 0x201C && c <= 0x201F ? U'"' : c;
}

/// One kind of line break: CR LF, CR, the line and paragraph separators and NEL become LF.
std::u32string plain_lines(std::u32string_view text) {
  std::u32string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    result += c == '\r' || c == 0x2028 || c == 0x2029 || c == 0x85 ? U'\n' : c;
  }
  return result;
}

/// How long the terminal escape at `i` is: ESC [ numbers letter; 0 for none.
std::size_t escape_length(std::u32string_view text, std::size_t i) {
  if (text[i] != 0x1B || i + 1 >= text.size() || text[i + 1] != '[') return 0;
  std::size_t end = i + 2;
  while (end < text.size() && ((text[end] >= '0' && text[end] <= '9') || text[end] == ';')) ++end;
  const bool letter = end < text.size() && (text[end] | 0x20) >= 'a' && (text[end] | 0x20) <= 'z';
  return letter ? end + 1 - i : 0;
}

bool is_unwanted(char32_t c) {
  return c <= 0x08 || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || (c >= 0x206A && c <= 0x206F) ||
         c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFC);
}

std::u32string without_controls(std::u32string_view text) {
  std::u32string result;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = escape_length(text, i);
    if (length == 0 && !is_unwanted(text[i])) result += text[i];
    i += length == 0 ? 1 : length;
  }
  return result;
}

std::u32string repair_line(std::u32string text, bool unescape) {
  while (true) {
    const std::u32string before = text;
    if (unescape) text = unescape_closed_html(text);
    text = standard_width(without_ligatures(repair_encoding(std::move(text))));
    for (char32_t& c : text) {
      c = straight_quote(c >= 0x80 && c <= 0x9F ? windows_1252(static_cast<unsigned char>(c)) : c);
    }
    text = compose(without_controls(plain_lines(text)));
    if (text == before) return text;
  }
}

/// What Python's str.strip takes away: white space and the four separators of ASCII.
bool is_stripped(char32_t c) { return is_space(c) || (c >= 0x1C && c <= 0x1F); }

}  // namespace

std::u32string repair_text(std::u32string_view text) {
  std::u32string result;
  bool unescape = true;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find(U'\n', start), text.size() - 1) + 1;
    const std::u32string_view line = text.substr(start, end - start);
    if (line.find(U'<') != std::u32string_view::npos) unescape = false;
    result += repair_line(std::u32string(line), unescape);
    start = end;
  }
  return result;
}

std::u32string clean_prompt(std::string_view utf8) {
  const std::u32string text = unescape_html(unescape_html(repair_text(code_points(utf8))));
  std::size_t first = 0, last = text.size();
  while (first < last && is_stripped(text[first])) ++first;
  while (last > first && is_stripped(text[last - 1])) --last;
  std::u32string folded;
  for (std::size_t i = first; i < last; ++i) {
    if (!is_space(text[i])) {
      folded += text[i];
    } else if (i == first || !is_space(text[i - 1])) {
      folded += U' ';
    }
  }
  // Separators of ASCII may surround a space that folding made.
  while (!folded.empty() && is_stripped(folded.front())) folded.erase(0, 1);
  while (!folded.empty() && is_stripped(folded.back())) folded.pop_back();
  return lower_case(folded);
}

}  // namespace disco
