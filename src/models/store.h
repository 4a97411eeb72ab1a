// Which models there are, where they lie, and how to get the others. No torch in this header.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
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

/// Read once. Throws Error when the program's data/catalog.json is missing, FormatError when it is damaged.
const std::vector<CatalogEntry>& catalog();
/// By name, by disco_key ("ViTB32"), by file name, or by the name as files spell it ("ViT-B-32"); null when unknown.
const CatalogEntry* find_in_catalog(const std::string& name);
std::vector<CatalogEntry> read_catalog(const std::filesystem::path& file);

/// A model's name as file names spell it: every run of characters other than letters, digits, '_', '.' and '-' becomes
/// one
/// '-' ("ViT-L/14@336px" → "ViT-L-14-336px", "ViT-B-32::laion2b_e16" → "ViT-B-32-laion2b_e16").
std::string file_spelling(std::string_view name);
/// The file that a catalogued model comes as: the last part of its first URL.
std::string file_name(const CatalogEntry& entry);
/// What the file's SHA-256 begins with: all 64 digits, or the 8 that the file's name ends in, or nothing.
std::string expected_hash(const CatalogEntry& entry);

class RecognitionCache;

/// The models of some folders. A model is described by its NAME.model.json; a weights file without one is recognised by
/// its file name (the catalog's) or by its tensors' names. Names are compared as given, then as find_in_catalog() and
/// file_spelling() understand them.
class ModelStore {
 public:
  /// Folders are searched in order, with the folders below them; the first is where `add` and `pull` write. Hugging
  /// Face cache folders (models--ORG--NAME/snapshots/…) are read in place.
  explicit ModelStore(std::vector<std::filesystem::path> folders);
  /// `--models` or DISCO_MODELS when given, else the user's data folder; then the program's own models/.
  static std::vector<std::filesystem::path> default_folders(const std::string& chosen = {});

  /// Every usable model, the first of each name and role.
  std::vector<ModelEntry> list() const;
  /// An empty name finds the first model of the role, an empty role any role.
  std::optional<ModelEntry> find(const std::string& name, const std::string& role) const;
  /// Like find(), but throws a RequestError that names the exact command that gets the model, or the nearest names.
  ModelEntry require(const std::string& name, const std::string& role) const;

  /// Puts a weights file under the store's folder (recognised by its hash, its file name or its tensors), as a hard
  /// link where the file system allows it. The two halves of LPIPS, once both are there, become the LPIPS model
  /// "vgg16", which is then what is returned. Throws RequestError for a file that is no model, or a name that is taken.
  ModelEntry add(const std::filesystem::path& file, const std::string& name = {});
  /// Writes an LPIPS model from torchvision's VGG-16 and the lpips package's linear heads.
  ModelEntry add_lpips(const std::filesystem::path& backbone, const std::filesystem::path& heads,
                       const std::string& name = "vgg16");
  /// Removes a model from the store's own folder, and its weights when no other model uses them. Throws RequestError
  /// for a model that is not there or lies in another folder.
  void remove(const std::string& name);

  struct Verdict {
    ModelEntry model;
    bool good;
    std::string message;
  };
  /// Compares every model's file with its checksum; models without one are read as far as their tensors' places. Broken
  /// NAME.model.json files are listed as bad.
  std::vector<Verdict> verify() const;

  struct PullOptions {
    bool offline = false;
    /// Hears bytes done and in all (0: unknown); returning false interrupts, keeping the partial file.
    std::function<bool(std::uint64_t, std::uint64_t)> progress;
  };
  /// Downloads a catalogued model: resumes a partial file (Range), tries each URL, checks SHA-256, and replaces an old
  /// file only by a verified new one. A verified file that is there already is kept without asking the network. Throws
  /// RequestError (unknown name, offline), Interrupted, or Error with what each URL answered.
  ModelEntry pull(const std::string& name, const PullOptions& options);
  ModelEntry pull(const CatalogEntry& known, const PullOptions& options);

 private:
  const std::filesystem::path& own_folder() const;
  /// What is wrong with each NAME.model.json that cannot be used, as the end of a sentence; empty when all can.
  std::string broken_descriptions() const;
  ModelEntry describe(const ModelEntry& model);

  std::vector<std::filesystem::path> folders_;
  std::shared_ptr<RecognitionCache> recognised_;
};

}  // namespace disco
