// CLIP's tokenizer: lower-cased byte-level BPE (GUIDED-STEP "Networks", Tokenizer). No torch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace disco {

class Tokenizer {
 public:
  /// Reads bpe_simple_vocab_16e6.txt.gz (or unpacked). Throws FormatError.
  explicit Tokenizer(const std::filesystem::path& vocabulary);
  /// The vocabulary beside the models (a store entry of role tokenizer, or a file of its name), else the set-up's copy.
  /// Throws RequestError saying how to get it.
  static std::filesystem::path find_vocabulary(const std::vector<std::filesystem::path>& model_folders);
  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  /// Token ids without start and end. The text is cleaned first as the original does (models/text/repair.h says what of
  /// it); invalid UTF-8 counts as U+FFFD. Safe to call from several threads.
  std::vector<std::int64_t> encode(std::string_view text) const;

  struct Context {
    std::vector<std::int64_t> ids;  ///< `length` ids: start, text, end, zeros.
    /// The words that did not fit, cleaned, from the first of which any token is missing; empty when all did.
    std::string lost;
  };
  /// Truncates when the text is longer than length − 2 tokens.
  Context context(std::string_view text, std::size_t length = 77) const;
  /// The words of a text, cleaned, of whose tokens `chosen` takes one: each once, in their order.
  std::vector<std::string> words(std::string_view text, const std::function<bool(std::int64_t)>& chosen) const;
  /// The text of a token, for messages.
  std::string word(std::int64_t id) const;
  std::int64_t start_token() const;
  std::int64_t end_token() const;

 private:
  struct Tables;
  std::unique_ptr<Tables> tables_;
};

}  // namespace disco
