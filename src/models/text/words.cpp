#include "models/text/words.h"

#include "models/text/unicode.h"

namespace disco {
namespace {

/// Whether `literal`, in small letters, stands at `i`, whatever the case. The long s is the one small letter that
/// ignoring case makes equal to another in these words.
bool stands_at(std::u32string_view text, std::size_t i, std::u32string_view literal) {
  if (text.size() - i < literal.size()) return false;
  for (std::size_t k = 0; k < literal.size(); ++k) {
    char32_t c = text[i + k];
    if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
    if (c == U'\u017F') c = 's';
    if (c != literal[k]) return false;
  }
  return true;
}

/// The iota below (U+0345) belongs to no word: with case ignored it is neither a letter nor something else.
bool is_other(char32_t c) { return c != 0x345 && !is_space(c) && !is_letter(c) && !is_number(c); }

template <class Test>
std::size_t run_length(std::u32string_view text, std::size_t i, const Test& test) {
  std::size_t end = i;
  while (end < text.size() && test(text[end])) ++end;
  return end - i;
}

/// The length of the word at `i`; 0 at white space.
std::size_t word_length(std::u32string_view text, std::size_t i) {
  if (text[i] == '<' || text[i] == '\'') {
    for (const std::u32string_view literal :
         {U"<|startoftext|>", U"<|endoftext|>", U"'s", U"'t", U"'re", U"'ve", U"'m", U"'ll", U"'d"}) {
      if (stands_at(text, i, literal)) return literal.size();
    }
  }
  if (is_letter(text[i])) return run_length(text, i, is_letter);
  if (is_number(text[i])) return 1;
  return run_length(text, i, is_other);
}

}  // namespace

std::vector<Span> find_words(std::u32string_view text) {
  std::vector<Span> words;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = word_length(text, i);
    if (length > 0) words.push_back({i, length});
    i += length > 0 ? length : 1;
  }
  return words;
}

}  // namespace disco
