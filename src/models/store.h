// Which models there are, where they lie, and how to get the others. No torch in this header.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace disco {

/// A model that a run can use: a weights file and the small JSON beside it, NAME.model.json.
struct ModelEntry {
  std::string name;
  std::string role;  ///< diffusion, secondary, clip, lpips, depth, flow, upscaler, tokenizer.
  std::filesystem::path weights;
  std::string sha256;  ///< May be empty.
  nlohmann::json config = nlohmann::json::object();
};

/// A model that the program knows of (data/catalog.json).
struct CatalogEntry {
  std::string name, role, sha256, activation, architecture, disco_key, note;
  std::vector<std::string> urls;
  nlohmann::json config;
};

const std::vector<CatalogEntry>& catalog();
/// By name, by disco_key ("ViTB32"), or by file name.
const CatalogEntry* find_in_catalog(const std::string& name);

class ModelStore {
 public:
  /// Folders are searched in order; the first is where `add` and `pull` write. Hugging Face cache folders are read in
  /// place.
  explicit ModelStore(std::vector<std::filesystem::path> folders);
  /// `--models` or DISCO_MODELS when given, else the user's data folder; then the program's own models/.
  static std::vector<std::filesystem::path> default_folders(const std::string& chosen = {});

  std::vector<ModelEntry> list() const;
  std::optional<ModelEntry> find(const std::string& name, const std::string& role) const;
  /// Like find(), but throws a RequestError that names the exact command that gets the model, or the nearest names.
  ModelEntry require(const std::string& name, const std::string& role) const;

  /// Puts a weights file under the store's folder (recognised by its tensors). Returns the entry written.
  ModelEntry add(const std::filesystem::path& file, const std::string& name = {});
  void remove(const std::string& name);

  struct Verdict {
    ModelEntry model;
    bool good;
    std::string message;
  };
  std::vector<Verdict> verify() const;

  struct PullOptions {
    bool offline = false;
    /// Hears bytes done and in all (0: unknown); returning false interrupts, keeping the partial file.
    std::function<bool(std::uint64_t, std::uint64_t)> progress;
  };
  /// Downloads a catalogued model: resumes a partial file (Range), tries each URL, checks SHA-256, and replaces an old
  /// file only by a verified new one.
  ModelEntry pull(const std::string& name, const PullOptions& options);

 private:
  std::vector<std::filesystem::path> folders_;
};

}  // namespace disco
