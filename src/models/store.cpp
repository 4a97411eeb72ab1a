#include "models/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "models/store_scan.h"

namespace disco {
namespace {

bool has_role(const ModelEntry& model, const std::string& role) { return role.empty() || model.role == role; }

std::optional<ModelEntry> find_in(const std::vector<std::filesystem::path>& folders, const std::string& name,
                                  const std::string& role, RecognitionCache* recognition) {
  // The name as it was given counts before any other spelling of it, in whichever folder.
  std::optional<ModelEntry> other_spelling;
  for (const fs::path& folder : folders) {
    for (const ScannedModel& scanned : scan_models(folder, recognition)) {
      if (!scanned.problem.empty() || !has_role(scanned.model, role)) continue;
      if (name.empty() || scanned.model.name == name) return scanned.model;
      if (!other_spelling && answers_to(scanned.model, name)) other_spelling = scanned.model;
    }
  }
  return other_spelling;
}

std::string with_article(const std::string& role) {
  return "a" + std::string(role.find_first_of("aeiou") == 0 ? "n " : " ") + role;
}

std::string quoted_list(const std::vector<std::string>& names, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < most; ++i) text += (i > 0 ? ", " : "") + names[i];
  return names.size() > most ? text + ", …" : text;
}

}  // namespace

ModelStore::ModelStore(std::vector<std::filesystem::path> folders)
    : folders_(std::move(folders)), recognised_(std::make_shared<RecognitionCache>()) {}

std::vector<std::filesystem::path> ModelStore::default_folders(const std::string& chosen) {
  fs::path first = chosen;
  if (const char* variable = std::getenv("DISCO_MODELS"); first.empty() && variable) first = variable;
  if (first.empty()) first = user_data_folder() / "models";
  return {first, program_root() / "models"};
}

std::vector<ModelEntry> ModelStore::list() const {
  std::vector<ModelEntry> models;
  std::set<std::pair<std::string, std::string>> seen;
  for (const fs::path& folder : folders_) {
    for (ScannedModel& scanned : scan_models(folder, recognised_.get())) {
      if (!scanned.problem.empty() || !seen.emplace(scanned.model.name, scanned.model.role).second) continue;
      models.push_back(std::move(scanned.model));
    }
  }
  return models;
}

std::optional<ModelEntry> ModelStore::find(const std::string& name, const std::string& role) const {
  // Most models have a description or a known file name; opening every other file is the slow way.
  if (auto found = find_in(folders_, name, role, nullptr)) return found;
  return find_in(folders_, name, role, recognised_.get());
}

ModelEntry ModelStore::require(const std::string& name, const std::string& role) const {
  if (const auto found = find(name, role)) return *found;
  const std::string where = folders_.empty() ? std::string() : folders_.front().string();
  const std::string kind = role.empty() ? "model" : role + " model";
  // A broken description does not say whose it is: it may be what is missing.
  const std::string broken = broken_descriptions();
  const CatalogEntry* known = find_in_catalog(name);
  if (known && has_role({known->name, known->role, {}, {}, {}}, role)) {
    throw RequestError(fmt::format("the {} \"{}\" is not here{}", kind, name, broken), where,
                       "get it with: disco models pull " + known->name);
  }
  if (role == "lpips" && known && known->role == "lpips-backbone") {
    throw RequestError(
        fmt::format("the {} \"{}\" is not here", kind, name), where,
        fmt::format("get its two halves with: disco models pull {}; disco models add vgg.pth (the heads, from "
                    "lpips/weights/v0.1 of the PyPI package lpips)",
                    known->name));
  }
  if (const auto other = find(name, {}); other && !name.empty()) {
    throw RequestError(
        fmt::format("\"{}\" is {} model, not {} model", name, with_article(other->role), with_article(role)), where);
  }
  for (const fs::path& folder : folders_) {
    for (const ScannedModel& scanned : scan_models(folder, nullptr)) {
      if (name.empty() || scanned.problem.empty() || !answers_to(scanned.model, name)) continue;
      throw RequestError(fmt::format("the {} \"{}\" cannot be used: {}", kind, name, scanned.problem), folder.string(),
                         "put the file back, or remove the description");
    }
  }

  std::vector<std::string> here, words;
  for (const ModelEntry& model : list()) {
    if (has_role(model, role)) here.push_back(model.name);
  }
  words = here;
  std::string first_known;
  for (const CatalogEntry& entry : catalog()) {
    if (!role.empty() && entry.role != role) continue;
    if (first_known.empty()) first_known = entry.name;
    words.push_back(entry.name);
    if (!entry.disco_key.empty()) words.push_back(entry.disco_key);
  }
  std::string fix;
  if (const auto nearest = name.empty() ? std::nullopt : nearest_word(name, words)) {
    const bool is_here = std::find(here.begin(), here.end(), *nearest) != here.end();
    fix = fmt::format("did you mean \"{}\"?", *nearest);
    if (!is_here) fix += " Get it with: disco models pull " + catalog_spelling(*nearest);
  } else if (!here.empty()) {
    fix = "here are: " + quoted_list(here, 8);
  } else if (!first_known.empty()) {
    fix = "get one, for example with: disco models pull " + first_known;
  } else if (role == "judge") {
    fix = "make one with: disco train judge";  // Nobody publishes one.
  } else {
    fix = "put one there with: disco models add FILE";
  }
  throw RequestError(
      (name.empty() ? fmt::format("there is no {} here", kind) : fmt::format("there is no {} \"{}\"", kind, name)) +
          broken,
      where, fix);
}

std::string ModelStore::broken_descriptions() const {
  std::string text;
  for (const fs::path& folder : folders_) {
    for (const ScannedModel& scanned : scan_models(folder, nullptr)) {
      if (!scanned.problem.empty())
        text += fmt::format("; \"{}\" cannot be used: {}", scanned.model.name, scanned.problem);
    }
  }
  return text;
}

const std::filesystem::path& ModelStore::own_folder() const {
  if (folders_.empty()) throw RequestError("there is no folder for models", "--models", "name one");
  return folders_.front();
}

}  // namespace disco
