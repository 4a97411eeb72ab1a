// How CLIP's tokenizer cuts cleaned text into words.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace disco {

struct Span {
  std::size_t start, length;
};

/// The words of `text` as CLIP's pattern finds them, in order: <|startoftext|>, <|endoftext|>, the endings 's 't 're
/// 've 'm 'll 'd, runs of letters, single numbers, and runs of anything else but white space; case is ignored.
std::vector<Span> find_words(std::u32string_view text);

}  // namespace disco
