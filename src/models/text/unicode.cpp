#include "models/text/unicode.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <unordered_map>

#include "core/text.h"

namespace disco {
namespace {

struct Range {
  char32_t first, last;
};
/// Every `stride`-th character from first to last has its small letter `delta` further on.
struct LowerRun {
  char32_t first, last, stride;
  std::int32_t delta;
};
/// `second` is 0 for a single character; `composes`: whether NFC puts the pair together again.
struct Decomposition {
  char32_t code, first, second;
  bool composes;
};
struct CombiningRun {
  char32_t first, last;
  std::uint8_t number;
};
/// Up to three characters, the rest 0.
struct Replacement {
  char32_t code, first, second, third;
};

#include "models/text/unicode_tables.inc"

/// The entry that holds `c`, or null, in a table sorted by [first, last].
template <class Entry, std::size_t n>
const Entry* find_run(const Entry (&table)[n], char32_t c) {
  const auto* found =
      std::upper_bound(std::begin(table), std::end(table), c, [](char32_t a, const Entry& b) { return a < b.first; });
  return found != std::begin(table) && c <= std::prev(found)->last ? std::prev(found) : nullptr;
}

template <class Entry, std::size_t n>
const Entry* find_code(const Entry (&table)[n], char32_t c) {
  const auto* found =
      std::lower_bound(std::begin(table), std::end(table), c, [](const Entry& a, char32_t b) { return a.code < b; });
  return found != std::end(table) && found->code == c ? found : nullptr;
}

std::u32string text_of(const Replacement& replacement) {
  std::u32string text = {replacement.first};
  if (replacement.second != 0) text += replacement.second;
  if (replacement.third != 0) text += replacement.third;
  return text;
}

char32_t small_letter(char32_t c) {
  const LowerRun* run = find_run(lower_runs, c);
  if (run == nullptr || (c - run->first) % run->stride != 0) return c;
  return static_cast<char32_t>(static_cast<std::int32_t>(c) + run->delta);
}

/// A sigma ends a word when the nearest character before it that is not passed over has case, and none after it has.
bool is_final_sigma(std::u32string_view text, std::size_t position) {
  const auto passed_over = [&](std::size_t i) { return find_run(case_ignorable, text[i]) != nullptr; };
  std::size_t before = position, after = position + 1;
  while (before > 0 && passed_over(before - 1)) --before;
  while (after < text.size() && passed_over(after)) ++after;
  return before > 0 && find_run(cased, text[before - 1]) != nullptr &&
         (after == text.size() || find_run(cased, text[after]) == nullptr);
}

// Hangul syllables are put together by arithmetic (Unicode 3.12).
constexpr char32_t hangul = 0xAC00, leading = 0x1100, vowel = 0x1161, trailing = 0x11A7;
constexpr char32_t vowels = 21, trailings = 28, syllables = 11172;

void decompose(char32_t c, std::u32string& out) {
  if (c - hangul < syllables) {
    const char32_t index = c - hangul;
    out += static_cast<char32_t>(leading + index / (vowels * trailings));
    out += static_cast<char32_t>(vowel + index % (vowels * trailings) / trailings);
    if (index % trailings != 0) out += trailing + index % trailings;
  } else if (const Decomposition* parts = find_code(decompositions, c)) {
    decompose(parts->first, out);
    if (parts->second != 0) decompose(parts->second, out);
  } else {
    out += c;
  }
}

int combining_class(char32_t c) {
  const CombiningRun* run = find_run(combining_runs, c);
  return run == nullptr ? 0 : run->number;
}

/// The character that a pair composes to, or 0.
char32_t composition(char32_t first, char32_t second) {
  static const std::unordered_map<std::uint64_t, char32_t> pairs = [] {
    std::unordered_map<std::uint64_t, char32_t> map;
    for (const Decomposition& d : decompositions) {
      if (d.composes && d.second != 0) map.emplace(std::uint64_t{d.first} << 32 | d.second, d.code);
    }
    return map;
  }();
  if (first - leading < 19 && second - vowel < vowels) {
    return hangul + ((first - leading) * vowels + (second - vowel)) * trailings;
  }
  if (first - hangul < syllables && (first - hangul) % trailings == 0 && second - trailing - 1 < trailings - 1) {
    return first + (second - trailing);
  }
  const auto found = pairs.find(std::uint64_t{first} << 32 | second);
  return found == pairs.end() ? 0 : found->second;
}

}  // namespace

std::u32string code_points(std::string_view utf8) {
  std::u32string text;
  for (std::size_t position = 0; position < utf8.size();) text += next_code_point(utf8, position);
  return text;
}

std::string to_utf8(std::u32string_view text) {
  std::string utf8;
  for (const char32_t c : text) append_utf8(utf8, c);
  return utf8;
}

bool is_letter(char32_t c) { return find_run(letters, c) != nullptr; }

bool is_number(char32_t c) { return find_run(numbers, c) != nullptr; }

bool is_space(char32_t c) {
  return (c >= 0x9 && c <= 0xD) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

std::u32string lower_case(std::u32string_view text) {
  std::u32string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == U'\u0130') {
      result += U"i\u0307";
    } else if (text[i] == U'\u03A3') {
      result += is_final_sigma(text, i) ? U'\u03C2' : U'\u03C3';
    } else {
      result += small_letter(text[i]);
    }
  }
  return result;
}

std::u32string compose(std::u32string_view text) {
  if (std::ranges::all_of(text, [](char32_t c) { return c < 0x300; })) return std::u32string(text);
  std::u32string parts;
  for (const char32_t c : text) decompose(c, parts);

  // Marks behind a starter are put in the order of their classes, then each is tried with the starter unless a mark of
  // its own class, or a starter, lies between.
  for (std::size_t i = 0; i < parts.size();) {
    if (combining_class(parts[i]) == 0) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < parts.size() && combining_class(parts[end]) != 0) ++end;
    std::stable_sort(parts.begin() + static_cast<std::ptrdiff_t>(i), parts.begin() + static_cast<std::ptrdiff_t>(end),
                     [](char32_t a, char32_t b) { return combining_class(a) < combining_class(b); });
    i = end;
  }
  std::u32string result;
  std::size_t starter = std::u32string::npos;
  int last = -1;  // The class of the last mark kept behind the starter; -1 when there is none.
  for (const char32_t c : parts) {
    const int number = combining_class(c);
    if (starter != std::u32string::npos && last < number) {
      if (const char32_t whole = composition(result[starter], c); whole != 0) {
        result[starter] = whole;
        continue;
      }
    }
    if (number == 0) {
      starter = result.size();
      last = -1;
    } else {
      last = number;
    }
    result += c;
  }
  return result;
}

std::u32string standard_width(std::u32string_view text) {
  std::u32string result;
  for (const char32_t c : text) {
    if (const Replacement* plain = c < 0x3000 ? nullptr : find_code(widths, c)) {
      result += text_of(*plain);
    } else {
      result += c;
    }
  }
  return result;
}

std::u32string entity_capital(char32_t c) {
  const Replacement* capital = find_code(entity_capitals, c);
  return capital == nullptr ? std::u32string(1, c) : text_of(*capital);
}

char32_t windows_1252(unsigned char byte) {
  return byte >= 0x80 && byte <= 0x9F ? windows_1252_upper[byte - 0x80] : byte;
}

}  // namespace disco
