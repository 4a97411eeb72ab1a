#include "models/store_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"

namespace disco {
namespace {

constexpr std::string_view json_suffix = ".model.json", cache_prefix = "models--";
constexpr std::array<std::string_view, 5> weights_suffixes = {".pt", ".pth", ".ckpt", ".safetensors", ".bin"};
// Names under which Hugging Face repositories keep their one file; the repository's name says more.
constexpr std::array<std::string_view, 5> plain_names = {"pytorch_model", "model", "open_clip_pytorch_model",
                                                         "open_clip_model", "diffusion_pytorch_model"};
constexpr int deepest = 6;
constexpr std::uint64_t largest_json = 1 << 20;

struct Candidate {
  fs::path file;
  std::string repository;  ///< "ORG/NAME" in a Hugging Face cache.
};

/// "models--ORG--NAME" → "ORG/NAME"
std::string repository_name(const std::string& folder) {
  std::string name = folder.substr(cache_prefix.size());
  for (std::size_t at = name.find("--"); at != std::string::npos; at = name.find("--", at + 1))
    name.replace(at, 2, "/");
  return name;
}

class FileWalk {
 public:
  std::vector<Candidate> run(const fs::path& folder) {
    walk(folder, {}, 0);
    std::sort(found_.begin(), found_.end(), [](const Candidate& a, const Candidate& b) { return a.file < b.file; });
    return std::move(found_);
  }

 private:
  void walk(const fs::path& folder, const std::string& repository, int depth) {
    std::error_code error;
    // Links may lead around in circles.
    if (depth > deepest || !seen_.insert(fs::canonical(folder, error)).second || error) return;
    for (fs::directory_iterator it(folder, fs::directory_options::skip_permission_denied, error), end;
         !error && it != end; it.increment(error)) {
      const fs::path& path = it->path();
      const std::string name = path.filename().string();
      std::error_code ignored;
      if (name.starts_with('.')) continue;
      if (fs::is_regular_file(path, ignored)) {
        found_.push_back({path, repository});
      } else if (fs::is_directory(path, ignored)) {
        if (name.starts_with(cache_prefix))
          walk_repository(path, depth + 1);
        else
          walk(path, repository, depth + 1);
      }
    }
  }

  /// Only the revision that "main" points to, when there is one: older ones are kept for other programs.
  void walk_repository(const fs::path& folder, int depth) {
    const std::string repository = repository_name(folder.filename().string());
    std::error_code ignored;
    std::string revision;
    if (fs::is_regular_file(folder / "refs" / "main", ignored)) {
      revision = trim(read_file(folder / "refs" / "main", largest_json));
    }
    const fs::path current = folder / "snapshots" / revision;
    walk(fs::is_directory(current, ignored) ? current : folder / "snapshots", repository, depth);
  }

  std::vector<Candidate> found_;
  std::set<fs::path> seen_;
};

ScannedModel read_description(const fs::path& json_file, RecognitionCache* recognition) {
  ScannedModel scanned;
  scanned.json = json_file;
  ModelEntry& model = scanned.model;
  model.name = json_file.filename().string();
  model.name.resize(model.name.size() - json_suffix.size());
  try {
    const nlohmann::json json = nlohmann::json::parse(read_file(json_file, largest_json));
    model.name = json.value("name", model.name);
    model.role = json.value("role", "");
    model.sha256 = lower_case(json.value("sha256", ""));
    model.config = json.value("config", nlohmann::json::object());
    model.weights = json_file.parent_path() / json.at("file").get<std::string>();
    if (!model.config.is_object()) scanned.problem = "\"config\" is not an object";
  } catch (const nlohmann::json::exception& error) {
    scanned.problem = fmt::format("{} is not a model's description ({})", json_file.string(), error.what());
  } catch (const Error& error) {
    scanned.problem = error.what();
  }
  std::error_code ignored;
  if (scanned.problem.empty() && !fs::is_regular_file(model.weights, ignored)) {
    scanned.problem = fmt::format("its weights file {} is missing", model.weights.string());
  }
  if (scanned.problem.empty() && model.role.empty() && recognition) model.role = recognition->look(model.weights).role;
  return scanned;
}

/// One entry for each catalogued model that comes as a file of this name (two may share one, with another activation).
std::vector<ScannedModel> catalogued(const fs::path& file) {
  std::vector<ScannedModel> found;
  const std::string name = file.filename().string();
  const std::string stem = lower_case(file.stem().string());
  for (const CatalogEntry& entry : catalog()) {
    const bool same =
        file_name(entry) == name || (entry.role != "tokenizer" && lower_case(file_spelling(entry.name)) == stem);
    if (same) found.push_back({{entry.name, entry.role, file, {}, entry.config}, {}, {}});
  }
  return found;
}

bool is_weights_name(const std::string& name) {
  const std::string lower = lower_case(name);
  return std::any_of(weights_suffixes.begin(), weights_suffixes.end(),
                     [&](std::string_view s) { return lower.ends_with(s); });
}

}  // namespace

std::vector<ScannedModel> scan_models(const std::filesystem::path& folder, RecognitionCache* recognition) {
  const std::vector<Candidate> files = FileWalk().run(folder);
  std::vector<ScannedModel> models;
  std::set<fs::path> described;
  std::set<std::pair<std::string, std::string>> names;  // With roles.
  for (const Candidate& candidate : files) {
    if (!candidate.file.filename().string().ends_with(json_suffix)) continue;
    models.push_back(read_description(candidate.file, recognition));
    described.insert(models.back().model.weights.lexically_normal());
    names.emplace(models.back().model.name, models.back().model.role);
  }
  for (const Candidate& candidate : files) {
    const std::string name = candidate.file.filename().string();
    if (name.ends_with(json_suffix) || name.ends_with(".part")) continue;
    const std::vector<ScannedModel> known = catalogued(candidate.file);
    for (const ScannedModel& model : known) {
      if (names.emplace(model.model.name, model.model.role).second) models.push_back(model);
    }
    if (!known.empty() || !recognition || !is_weights_name(name) ||
        described.contains(candidate.file.lexically_normal()))
      continue;
    const Recognised recognised = recognition->look(candidate.file);
    if (recognised.role.empty()) continue;
    std::string called = candidate.file.stem().string();
    const bool plain = std::find(plain_names.begin(), plain_names.end(), called) != plain_names.end();
    if (plain && !candidate.repository.empty()) called = candidate.repository;
    models.push_back({{called, recognised.role, candidate.file, {}, recognised.config}, {}, {}});
  }
  return models;
}

std::string catalog_spelling(const std::string& name) {
  const CatalogEntry* entry = find_in_catalog(name);
  return entry ? entry->name : name;
}

bool answers_to(const ModelEntry& model, const std::string& name) {
  if (name.empty() || model.name == name) return true;
  return lower_case(file_spelling(catalog_spelling(model.name))) == lower_case(file_spelling(catalog_spelling(name)));
}

}  // namespace disco
