#include "models/text/byte_pairs.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace disco {
namespace {

constexpr std::size_t merge_count = 48894;
constexpr const char* end_mark = "</w>";

/// The lines of a text file, packed or not.
class Lines {
 public:
  explicit Lines(const std::filesystem::path& path)
      : path_(path.string()), file_(gzopen(path.c_str(), "rb"), gzclose), buffer_(longest_line + 2, '\0') {
    if (!file_) throw Error("the vocabulary cannot be read", path_);
  }

  /// The next line without its end.
  std::string_view next() {
    ++number_;
    if (gzgets(file_.get(), buffer_.data(), static_cast<int>(buffer_.size())) == nullptr) refuse("is missing");
    std::string_view line = buffer_.data();
    if (line.ends_with('\n')) {
      line.remove_suffix(1);
    } else if (line.size() > longest_line) {
      refuse("is too long");
    }
    return line;
  }

  [[noreturn]] void refuse(const char* problem) const {
    throw FormatError(fmt::format("line {} {}", number_, problem), path_, "get the vocabulary again");
  }

 private:
  static constexpr std::size_t longest_line = 1000;
  std::string path_;
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file_;
  std::string buffer_;
  std::size_t number_ = 0;
};

/// The bytes in the vocabulary's order, with the characters that they are written as: those that print in Latin-1 as
/// themselves, the others as the characters from U+0100 on, last.
std::vector<std::pair<unsigned char, char32_t>> make_alphabet() {
  const auto prints = [](unsigned b) { return (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xFF && b != 0xAD); };
  std::vector<std::pair<unsigned char, char32_t>> alphabet;
  for (unsigned b = 0; b < 256; ++b) {
    if (prints(b)) alphabet.emplace_back(static_cast<unsigned char>(b), b);
  }
  char32_t next = 0x100;
  for (unsigned b = 0; b < 256; ++b) {
    if (!prints(b)) alphabet.emplace_back(static_cast<unsigned char>(b), next++);
  }
  return alphabet;
}

std::uint64_t pair_key(std::int32_t first, std::int32_t second) {
  return static_cast<std::uint64_t>(first) << 32 | static_cast<std::uint32_t>(second);
}

}  // namespace

BytePairs::BytePairs(const std::filesystem::path& vocabulary) : byte_ids_(512) {
  std::unordered_map<std::string, std::int32_t> ids;
  ids.reserve(merge_count + byte_ids_.size());
  symbols_.reserve(merge_count + byte_ids_.size() + 2);
  merges_.reserve(merge_count);
  const auto add = [&](std::string symbol) {
    const auto id = static_cast<std::int32_t>(symbols_.size());
    ids.insert_or_assign(symbol, id);
    symbols_.push_back(std::move(symbol));
    return id;
  };
  for (const bool ends : {false, true}) {
    for (const auto& [byte, character] : make_alphabet()) {
      std::string symbol;
      append_utf8(symbol, character);
      byte_ids_[byte + (ends ? 256u : 0u)] = add(symbol + (ends ? end_mark : ""));
    }
  }
  Lines lines(vocabulary);
  lines.next();  // The version.
  for (std::size_t rank = 0; rank < merge_count; ++rank) {
    const std::string_view line = lines.next();
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) lines.refuse("is not a merge of two symbols");
    const std::string first(line.substr(0, space)), second(line.substr(space + 1));
    const auto a = ids.find(first), b = ids.find(second);
    if (a == ids.end() || b == ids.end()) lines.refuse("merges a symbol that is unknown so far");
    const std::uint64_t key = pair_key(a->second, b->second);
    merges_.insert_or_assign(key, Merge{static_cast<std::int32_t>(rank), add(first + second)});
  }
  symbols_.emplace_back("<|startoftext|>");
  symbols_.emplace_back("<|endoftext|>");
}

const BytePairs::Merge* BytePairs::find(std::int32_t first, std::int32_t second) const {
  const auto found = merges_.find(pair_key(first, second));
  return found == merges_.end() ? nullptr : &found->second;
}

std::vector<std::int64_t> BytePairs::encode(std::string_view word) const {
  std::vector<std::int32_t> symbols;
  for (std::size_t i = 0; i < word.size(); ++i) {
    symbols.push_back(byte_ids_[static_cast<unsigned char>(word[i]) + (i + 1 == word.size() ? 256u : 0u)]);
  }
  // The merge of each symbol with the next, looked up once for every neighbourhood.
  constexpr Merge none = {std::numeric_limits<std::int32_t>::max(), 0};
  const auto merge_at = [&](std::size_t i) {
    const Merge* merge = i + 1 < symbols.size() ? find(symbols[i], symbols[i + 1]) : nullptr;
    return merge == nullptr ? none : *merge;
  };
  std::vector<Merge> merges;
  for (std::size_t i = 0; i < symbols.size(); ++i) merges.push_back(merge_at(i));
  while (true) {
    Merge best = none;
    for (const Merge& merge : merges) {
      if (merge.rank < best.rank) best = merge;
    }
    if (best.rank == none.rank) break;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < symbols.size(); ++kept) {
      const bool merged = merges[i].rank == best.rank;
      symbols[kept] = merged ? best.result : symbols[i];
      merges[kept] = merged ? Merge{-1, 0} : merges[i];
      i += merged ? 2 : 1;
    }
    symbols.resize(kept);
    merges.resize(kept);
    for (std::size_t i = 0; i < kept; ++i) {
      const bool changed = merges[i].rank == -1 || (i + 1 < kept && merges[i + 1].rank == -1);
      // A neighbour to the right of a merged symbol is judged after it, so its mark is still there.
      if (changed) merges[i] = merge_at(i);
    }
  }
  return {symbols.begin(), symbols.end()};
}

std::string BytePairs::text(std::int64_t id) const {
  if (id < 0 || id > end()) return {};
  std::string_view symbol = symbols_[static_cast<std::size_t>(id)];
  if (id >= start()) return std::string(symbol);
  // A merge of the very characters of the mark is not one: the mark has something before it.
  const bool ends = symbol.size() > 4 && symbol.ends_with(end_mark);
  if (ends) symbol.remove_suffix(4);
  std::string bytes;
  for (std::size_t i = 0; i < symbol.size();) {
    const char32_t character = next_code_point(symbol, i);
    for (const auto& [byte, written] : make_alphabet()) {
      if (written == character) bytes += static_cast<char>(byte);
    }
  }
  return ends ? bytes + ' ' : bytes;
}

}  // namespace disco
