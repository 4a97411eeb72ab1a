#include "models/text/mojibake.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/text.h"
#include "models/text/unicode.h"

namespace disco {
namespace {

/// What a character of Windows-1252's upper half is, as a set of bits.
enum Kind : std::uint32_t {
  plain = 0,
  common = 1 << 0,    ///< Stands next to anything: spaces, dashes, the apostrophe, the ellipsis.
  control = 1 << 1,   ///< C1.
  odd = 1 << 2,       ///< Hardly used on its own: ¦ ¤ ¨ ¬ ¯ ¶ § ¸ ƒ ˆ ˜ † ‡ ‰ ª º and U+FFFD.
  currency = 1 << 3,  ///< ¢ £ ¥ €
  opening = 1 << 4,   ///< Begins a word: ¡ « ¿ © ‘ ‚ “ „ • ‹
  closing = 1 << 5,   ///< Ends a word: ® » ” › ™
  numeric = 1 << 6,   ///< ² ³ ¹ ± ¼ ½ ¾ × µ ÷
  upper = 1 << 7,     ///< Capitals with accents, but for the O and U that faces are made of.
  lower = 1 << 8,     ///< Small letters likewise.
};

bool is_in(char32_t c, std::u32string_view set) { return set.find(c) != std::u32string_view::npos; }

bool is_between(char32_t c, char32_t first, char32_t last) { return c >= first && c <= last; }

std::uint32_t kind_of(char32_t c) {
  if (c < 0x80) return plain;
  if (c <= 0x9F) return control;
  if (is_in(c, U"\u00A0\u00AD\u00B7\u00B4\u2013\u2014\u2026\u2019")) return common;
  if (is_in(
          c,
          U"\u00A6\u00A4\u00A8\u00AC\u00AF\u00B6\u00A7\u00B8\u0192\u02C6\u02DC\u2020\u2021\u2030\u00AA\u00BA\uFFFD")) {
    return odd;
  }
  if (is_in(c, U"\u00A2\u00A3\u00A5\u20AC")) return currency;
  if (is_in(c, U"\u00A1\u00AB\u00BF\u00A9\u2018\u201A\u201C\u201E\u2022\u2039")) return opening;
  if (is_in(c, U"\u00AE\u00BB\u201D\u203A\u2122")) return closing;
  if (is_in(c, U"\u00B2\u00B3\u00B9\u00B1\u00BC\u00BD\u00BE\u00D7\u00B5\u00F7")) return numeric;
  if (is_between(c, 0xC0, 0xD1) || is_in(c, U"\u00D8\u00DC\u00DD\u0152\u0160\u0178\u017D")) return upper;
  if (is_between(c, 0xDF, 0xF1) || is_in(c, U"\u00FC\u0153\u0161\u017E")) return lower;
  return plain;
}

/// The byte of a character in Windows-1252 (`sloppy`: unassigned bytes and C1 included) or Latin-1; −1 for none.
int byte_of(char32_t c, bool latin_1) {
  if (c < 0x80 || is_between(c, 0xA0, 0xFF)) return static_cast<int>(c);
  for (int byte = 0x80; byte < 0xA0; ++byte) {
    if ((latin_1 ? static_cast<char32_t>(byte) : windows_1252(static_cast<unsigned char>(byte))) == c) return byte;
  }
  return -1;
}

bool is_ascii_letter(char32_t c) { return is_between(c | 0x20, 'a', 'z'); }

bool is_word(char32_t c) { return c == '_' || is_letter(c) || is_number(c); }

/// Whether the pair at `i` and what follows it are unlikely.
bool is_unlikely(std::u32string_view text, std::size_t i) {
  // Beyond the text lies U+0000, which no rule names.
  const auto at = [&](std::size_t place) { return place < text.size() ? text[place] : U'\0'; };
  const char32_t a = at(i), b = at(i + 1), c = at(i + 2);
  const std::uint32_t ka = kind_of(a), kb = kind_of(b), kc = kind_of(c);
  const auto pair = [&](std::uint32_t first, std::uint32_t second) { return (ka & first) != 0 && (kb & second) != 0; };
  const auto triple = [&](std::uint32_t first, std::uint32_t second, std::uint32_t third) {
    return pair(first, second) && (kc & third) != 0;
  };
  constexpr std::uint32_t letter = upper | lower, symbol = opening | closing | currency | numeric;

  if (ka & control) return true;
  if (pair(odd | letter | symbol, odd) || pair(odd, letter | symbol)) return true;
  if (pair(lower | closing | currency | numeric, upper) || pair(closing | currency | numeric, lower)) return true;
  if (pair(lower | closing, currency) || pair(upper, numeric) || pair(currency | numeric, opening)) return true;
  if (is_space(a) && (kb & upper) && (kc & currency)) return true;
  if (triple(letter | currency | closing, opening, numeric)) return true;
  if (triple(letter | currency | numeric, closing, opening)) return true;
  if (is_between(a, 'a', 'z') && (kb & upper) && (kc & (opening | currency))) return true;
  if (pair(letter, closing) && is_word(c)) return true;

  // Single letters of the encodings' first bytes, with what follows them in garbled text alone.
  if ((a == U'\u0152' || a == U'\u0153') && i + 1 < text.size() && !is_ascii_letter(b)) return true;
  if (is_in(a, U"\u00C2\u00C3\u00CE\u00D0") &&
      ((kb & (opening | closing)) ||
       is_in(b, U"\u20AC\u0160\u0161\u00A2\u00A3\u0178\u017E\u00A0\u00AD\u00B0\u00B7\u2013\u2014\u00B4"))) {
    return true;
  }
  if (a == U'\u00D7' && (b == U'\u00B2' || b == U'\u00B3')) return true;
  const auto is_arabic = [&](char32_t first, char32_t second) {
    return (first == U'\u00D8' || first == U'\u00D9') &&
           ((kind_of(second) & (common | currency | odd | numeric | opening)) ||
            is_in(second, U"\u0178\u0160\u00AE\u00B0\u00BB"));
  };
  if (is_arabic(a, b) && is_arabic(c, at(i + 3))) return true;
  if (a == U'\u00E0' && is_in(b, U"\u00B2\u00B5\u00B9\u00BC\u00BD\u00BE")) return true;

  // "Ã " and "Â " were a letter or a space before a no-break space became a plain one.
  const auto is_stray = [&](std::size_t place) {
    return (at(place) == U'\u00C3' || at(place) == U'\u00C2') && at(place + 1) == ' ';
  };
  if (i == 0 && is_stray(0)) return true;
  if (is_between(a, 'a', 'z') && (is_stray(i + 1) || (is_space(b) && is_stray(i + 2)))) return true;
  return b == U'\u00C2' && (is_between(a, 'a', 'z') || is_in(a, U".,?!") || (ka & closing)) &&
         (c == ' ' || (kc & (opening | closing)));
}

std::optional<std::string> encode(std::u32string_view text, bool latin_1) {
  std::string bytes;
  for (const char32_t c : text) {
    const int byte = byte_of(c, latin_1);
    if (byte < 0) return {};
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

std::uint8_t byte_at(std::string_view bytes, std::size_t i) {
  return i < bytes.size() ? static_cast<std::uint8_t>(bytes[i]) : 0;
}

/// Puts back the A0 of UTF-8 sequences in which it became a space: two-byte ones that are common letters, longer ones
/// whose other bytes are of such a sequence.
std::string restore_no_break_spaces(std::string bytes) {
  std::string spaced;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    spaced += bytes[i];
    if (byte_at(bytes, i) != 0xC3 || byte_at(bytes, i + 1) != ' ') continue;
    // "Ã " alone is the word "à", but for the Portuguese words that begin with it.
    const std::string_view rest = std::string_view(bytes).substr(i + 2);
    const bool joined = rest.starts_with(' ') || rest.starts_with("quele") || rest.starts_with("quela") ||
                        rest.starts_with("quilo") || rest.starts_with("s ");
    if (!joined) spaced += '\xA0';
  }
  const auto is_continuation = [](std::uint8_t b) { return b >= 0x80 && b <= 0xBF; };
  const auto is_narrow = [&](std::uint8_t b) { return is_continuation(b) && b != 0x85 && b != 0xA0; };
  for (std::size_t i = 0; i < spaced.size(); ++i) {
    const std::uint8_t a = byte_at(spaced, i), b = byte_at(spaced, i + 1), c = byte_at(spaced, i + 2),
                       d = byte_at(spaced, i + 3);
    std::size_t place = 0;
    if (is_in(a, U"\u00C2\u00C3\u00C5\u00CE\u00D0\u00D9") && b == ' ') place = i + 1;
    if ((a == 0xE2 || a == 0xE3) && b == ' ' && is_narrow(c)) place = i + 1;
    if (a >= 0xE0 && a <= 0xE3 && is_narrow(b) && c == ' ') place = i + 2;
    if (a == 0xF0 && b == ' ' && is_continuation(c) && is_continuation(d)) place = i + 1;
    if (a == 0xF0 && is_continuation(b) && c == ' ' && is_continuation(d)) place = i + 2;
    if (a == 0xF0 && is_continuation(b) && is_continuation(c) && d == ' ') place = i + 3;
    if (place != 0) spaced[place] = '\xA0';
  }
  return spaced;
}

std::optional<std::u32string> read_as_utf8(std::u32string_view text) {
  for (const bool latin_1 : {true, false}) {
    auto bytes = encode(text, latin_1);
    if (!bytes) continue;
    const std::string restored = restore_no_break_spaces(*std::move(bytes));
    if (is_utf8(restored)) return code_points(restored);
  }
  return {};
}

/// How many characters from `i` on are one UTF-8 sequence read as Windows-1252, a space standing for A0; 0 for none.
std::size_t sequence_length(std::u32string_view text, std::size_t i) {
  const int lead = text[i] < 0x80 ? 0 : byte_of(text[i], false);
  std::size_t length = 0;
  if (lead >= 0xC2 && lead <= 0xDF) length = 2;
  if (lead >= 0xE0 && lead <= 0xEF) length = 3;
  if (lead == 0xF0 || lead == 0xF3) length = 4;
  if (i + length > text.size()) return 0;
  for (std::size_t k = 1; k < length; ++k) {
    const char32_t c = text[i + k];
    const int byte = byte_of(c, false);
    if (c != ' ' && !(byte >= 0x80 && byte <= 0xBF) && !is_between(c, 0x80, 0xBF)) return 0;
  }
  return length;
}

/// A character that is a later byte of a sequence and nothing else: before a stretch it says that the start is lost.
bool is_stray_byte(char32_t c) {
  const int byte = byte_of(c, false);
  return (byte >= 0x80 && byte <= 0xBF && !is_in(c, U"\u2013\u2014\u2018\u2019\u201A\u201C\u201D\u201E\u2026")) ||
         is_between(c, 0x80, 0x9F);
}

std::u32string repair_stretches(std::u32string_view text) {
  std::u32string result;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    if (i == 0 || !is_stray_byte(text[i - 1])) {
      while (end < text.size()) {
        const std::size_t length = sequence_length(text, end);
        if (length == 0) break;
        end += length;
      }
    }
    if (end == i) {
      result += text[i++];
      continue;
    }
    std::u32string stretch(text.substr(i, end - i));
    const bool garbled = stretch.size() < text.size() && looks_garbled(stretch);
    result += garbled ? repair_encoding(std::move(stretch)) : stretch;
    i = end;
  }
  return result;
}

std::u32string without_controls(std::u32string text) {
  for (char32_t& c : text) {
    if (is_between(c, 0x80, 0x9F)) c = windows_1252(static_cast<unsigned char>(c));
  }
  return text;
}

std::u32string repair_once(const std::u32string& text) {
  if (!looks_garbled(text)) return text;
  if (auto whole = read_as_utf8(text)) return *std::move(whole);
  std::u32string parts = repair_stretches(text);
  return parts != text ? parts : without_controls(std::move(parts));
}

}  // namespace

bool looks_garbled(std::u32string_view text) {
  if (std::ranges::all_of(text, [](char32_t c) { return c < 0x80; })) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_unlikely(text, i)) return true;
  }
  return false;
}

std::u32string repair_encoding(std::u32string text) {
  while (true) {
    std::u32string repaired = repair_once(text);
    if (repaired == text) return repaired;
    text = std::move(repaired);
  }
}

}  // namespace disco
