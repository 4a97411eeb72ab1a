#include "models/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_map>

#include "core/error.h"
#include "core/file.h"
#include "models/text/byte_pairs.h"
#include "models/text/repair.h"
#include "models/text/unicode.h"
#include "models/text/words.h"

namespace disco {
namespace {

constexpr const char* vocabulary_name = "bpe_simple_vocab_16e6.txt";
/// The cache of words is emptied at this size.
constexpr std::size_t most_words = 1 << 16;

bool is_vocabulary(const fs::path& path) {
  const std::string name = path.filename().string();
  return name == vocabulary_name || name == std::string(vocabulary_name) + ".gz";
}

/// The file that a store entry of role tokenizer names.
std::optional<fs::path> described_vocabulary(const fs::path& path) {
  if (!path.filename().string().ends_with(".model.json")) return {};
  const nlohmann::json entry = nlohmann::json::parse(read_file(path), nullptr, false);
  if (!entry.is_object() || entry.value("role", nlohmann::json()) != "tokenizer") return {};
  const nlohmann::json file = entry.value("file", nlohmann::json());
  if (!file.is_string()) return {};
  const fs::path found = path.parent_path() / file.get<std::string>();
  return fs::is_regular_file(found) ? std::optional(found) : std::nullopt;
}

std::optional<fs::path> vocabulary_below(const fs::path& folder) {
  std::error_code error;
  fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, error);
  std::vector<fs::path> found;
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    std::error_code ignored;
    if (!it->is_regular_file(ignored)) continue;
    if (is_vocabulary(it->path())) found.push_back(it->path());
    if (const auto described = described_vocabulary(it->path())) found.push_back(*described);
  }
  if (found.empty()) return {};
  return std::ranges::min(found);
}

}  // namespace

struct Tokenizer::Tables {
  explicit Tables(const fs::path& vocabulary) : pairs(vocabulary) {}

  std::vector<std::int64_t> encode(const std::string& word) {
    if (word == "<|startoftext|>") return {pairs.start()};
    if (word == "<|endoftext|>") return {pairs.end()};
    {
      const std::lock_guard lock(mutex);
      if (const auto found = words.find(word); found != words.end()) return found->second;
    }
    std::vector<std::int64_t> ids = pairs.encode(word);
    const std::lock_guard lock(mutex);
    if (words.size() >= most_words) words.clear();
    words.emplace(word, ids);
    return ids;
  }

  BytePairs pairs;
  std::mutex mutex;
  std::unordered_map<std::string, std::vector<std::int64_t>> words;
};

Tokenizer::Tokenizer(const std::filesystem::path& vocabulary) : tables_(std::make_unique<Tables>(vocabulary)) {}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

std::filesystem::path Tokenizer::find_vocabulary(const std::vector<std::filesystem::path>& model_folders) {
  std::vector<fs::path> folders = model_folders;
  folders.push_back(program_root() / "models");
  folders.push_back(program_root() / ".deps" / "vocabulary");
  for (const fs::path& folder : folders) {
    if (const auto found = vocabulary_below(folder)) return *found;
  }
  throw RequestError(fmt::format("CLIP's vocabulary {}.gz is in none of the model folders", vocabulary_name),
                     "tokenizer", "get it with: disco models pull bpe_simple_vocab_16e6");
}

std::vector<std::int64_t> Tokenizer::encode(std::string_view text) const {
  const std::u32string cleaned = clean_prompt(text);
  std::vector<std::int64_t> ids;
  for (const Span& word : find_words(cleaned)) {
    const auto part = tables_->encode(to_utf8(std::u32string_view(cleaned).substr(word.start, word.length)));
    ids.insert(ids.end(), part.begin(), part.end());
  }
  return ids;
}

Tokenizer::Context Tokenizer::context(std::string_view text, std::size_t length) const {
  const std::u32string cleaned = clean_prompt(text);
  const std::size_t room = length < 2 ? 0 : length - 2;
  Context context;
  context.ids.push_back(start_token());
  for (const Span& word : find_words(cleaned)) {
    const auto part = tables_->encode(to_utf8(std::u32string_view(cleaned).substr(word.start, word.length)));
    const std::size_t used = context.ids.size() - 1;
    context.ids.insert(context.ids.end(), part.begin(),
                       part.begin() + static_cast<std::ptrdiff_t>(std::min(part.size(), room - used)));
    if (part.size() > room - used) {
      context.lost = to_utf8(std::u32string_view(cleaned).substr(word.start));
      break;
    }
  }
  context.ids.push_back(end_token());
  context.ids.resize(length, 0);
  return context;
}

std::vector<std::string> Tokenizer::words(std::string_view text,
                                          const std::function<bool(std::int64_t)>& chosen) const {
  const std::u32string cleaned = clean_prompt(text);
  std::vector<std::string> found;
  for (const Span& span : find_words(cleaned)) {
    std::string word = to_utf8(std::u32string_view(cleaned).substr(span.start, span.length));
    const std::vector<std::int64_t> ids = tables_->encode(word);
    const bool listed = std::find(found.begin(), found.end(), word) != found.end();
    if (!listed && std::any_of(ids.begin(), ids.end(), chosen)) found.push_back(std::move(word));
  }
  return found;
}

std::string Tokenizer::word(std::int64_t id) const { return tables_->pairs.text(id); }
std::int64_t Tokenizer::start_token() const { return tables_->pairs.start(); }
std::int64_t Tokenizer::end_token() const { return tables_->pairs.end(); }

}  // namespace disco
