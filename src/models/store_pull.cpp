#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/text.h"
#include "models/download.h"
#include "models/recognise.h"
#include "models/store.h"

namespace disco {
namespace {

using Progress = std::function<bool(std::uint64_t, std::uint64_t)>;

constexpr int most_tries = 5;  // In a row that bring nothing.
constexpr std::chrono::milliseconds first_pause{200};

/// Nothing when the file is the catalogued one, else what is wrong. Without a known checksum it must be readable.
std::string mismatch(const CatalogEntry& entry, const fs::path& file, std::string* hash) {
  *hash = sha256_file(file);
  const std::string expected = expected_hash(entry);
  if (!expected.empty()) {
    return hash->starts_with(expected) ? std::string() : fmt::format("its SHA-256 is {}, not {}", *hash, expected);
  }
  if (entry.role == "tokenizer") return fs::file_size(file) > 0 ? "" : "it is empty";
  try {
    const auto mapped = MappedFile::open(file);
    weights::read_layout(mapped->bytes(), file.filename().string());
    return {};
  } catch (const Error& error) {
    return error.problem();
  }
}

/// One URL to the end: goes on after breaks, and once from the start when a continued file turns out wrong. Returns the
/// file's hash, or nothing with the reason.
std::optional<std::string> download(const CatalogEntry& entry, const std::string& url, PartialFile& part,
                                    const Progress& progress, std::string* reason) {
  bool started_over = false;
  auto pause = first_pause;
  int fruitless = 0;
  while (fruitless < most_tries) {
    const auto before = part.size();
    const bool continued = before > 0;
    const Fetched fetched = fetch(url, part, progress);
    *reason = fetched.reason;
    if (fetched.result == Fetched::Result::refused) return std::nullopt;
    if (fetched.result == Fetched::Result::broken_off) {
      const bool went_on = part.size() > before;
      fruitless = went_on ? 0 : fruitless + 1;
      if (went_on) pause = first_pause;
      std::this_thread::sleep_for(pause);
      pause *= 2;
      continue;
    }
    ++fruitless;
    std::string hash;
    const std::string wrong = mismatch(entry, part.path(), &hash);
    if (wrong.empty()) return hash;
    part.clear();
    *reason = "it brought a wrong file: " + wrong;
    if (!continued || started_over) return std::nullopt;
    started_over = true;
  }
  return std::nullopt;
}

}  // namespace

ModelEntry ModelStore::pull(const std::string& name, const PullOptions& options) {
  if (const CatalogEntry* known = find_in_catalog(name)) return pull(*known, options);
  std::vector<std::string> words;
  for (const CatalogEntry& entry : catalog()) {
    words.push_back(entry.name);
    if (!entry.disco_key.empty()) words.push_back(entry.disco_key);
  }
  const auto nearest = nearest_word(name, words);
  throw RequestError(fmt::format("the catalog knows no model \"{}\"", name), {},
                     nearest ? fmt::format("did you mean: disco models pull {}", *nearest)
                             : "weights of your own are added with: disco models add FILE");
}

ModelEntry ModelStore::pull(const CatalogEntry& known, const PullOptions& options) {
  ModelEntry model{known.name, known.role, own_folder() / file_name(known), {}, known.config};
  std::error_code ignored;
  const auto here = find(known.name, known.role);
  if (here && mismatch(known, here->weights, &model.sha256).empty()) {
    // Described already, or in a folder that is only read: left as it is.
    if (!here->sha256.empty() || here->weights != model.weights) return *here;
    return describe(model);
  }
  if (fs::is_regular_file(model.weights, ignored) && mismatch(known, model.weights, &model.sha256).empty())
    return describe(model);
  const std::string by_hand =
      fmt::format("download it elsewhere ({}) and add it with: disco models add {}",
                  known.urls.empty() ? "its address is not known" : known.urls.front(), file_name(known));
  if (options.offline) {
    throw RequestError(fmt::format("\"{}\" is not here, and nothing is downloaded offline", known.name),
                       own_folder().string(), by_hand);
  }

  PartialFile part(own_folder() / (file_name(known) + ".part"));
  std::string reasons;
  for (const std::string& url : known.urls) {
    std::string reason;
    if (const auto hash = download(known, url, part, options.progress, &reason)) {
      model.sha256 = *hash;
      part.finish(model.weights);
      return describe(model);
    }
    reasons += fmt::format("{}{}: {}", reasons.empty() ? "" : "; ", url, reason);
  }
  if (part.size() == 0) fs::remove(part.path(), ignored);
  throw Error(fmt::format("\"{}\" could not be downloaded: {}", known.name, reasons), {},
              (part.size() > 0 ? "the same command goes on where it stopped; or " : "try again later, or ") + by_hand);
}

}  // namespace disco
