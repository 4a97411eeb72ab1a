// Byte-pair encoding (Sennrich 2016) over CLIP's vocabulary.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace disco {

/// The 49,408 tokens: 256 bytes, the same at the end of a word, 48,894 merges of two earlier ones, start and end of
/// text.
class BytePairs {
 public:
  /// Reads bpe_simple_vocab_16e6.txt, packed with gzip or not. Throws Error or FormatError.
  explicit BytePairs(const std::filesystem::path& vocabulary);

  /// Ids of the tokens of a word (its bytes; the last one ends the word): again and again the pair that comes first in
  /// the vocabulary is merged, everywhere in the word.
  std::vector<std::int64_t> encode(std::string_view word) const;

  /// A token's bytes, followed by a space at the end of a word; empty for ids that are none.
  std::string text(std::int64_t id) const;
  std::int64_t start() const { return static_cast<std::int64_t>(symbols_.size()) - 2; }
  std::int64_t end() const { return static_cast<std::int64_t>(symbols_.size()) - 1; }

 private:
  struct Merge {
    std::int32_t rank, result;
  };
  const Merge* find(std::int32_t first, std::int32_t second) const;

  std::vector<std::string> symbols_;    ///< As the vocabulary writes them.
  std::vector<std::int32_t> byte_ids_;  ///< By byte; 256 further on at the end of a word.
  std::unordered_map<std::uint64_t, Merge> merges_;
};

}  // namespace disco
