// Adding, removing and checking models.
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/text.h"
#include "models/store_scan.h"
#include "models/weights/state_dict.h"

namespace disco {
namespace {

bool same_file(const fs::path& a, const fs::path& b) {
  std::error_code ignored;
  return fs::equivalent(a, b, ignored);
}

/// A file becomes visible under its new name whole: a hard link when both lie on one file system, else a copy.
void bring(const fs::path& from, const fs::path& to) {
  fs::create_directories(to.parent_path());
  std::error_code error;
  const fs::path link = to.parent_path() / fmt::format(".{}.link{}", to.filename().string(), ::getpid());
  fs::create_hard_link(fs::canonical(from), link, error);
  if (!error) {
    fs::rename(link, to, error);
    if (!error) return;
    fs::remove(link, error);
  }
  const auto source = MappedFile::open(from);
  AtomicFile copy(to);
  constexpr std::size_t piece = std::size_t{64} << 20;
  for (std::size_t at = 0; at < source->bytes().size(); at += piece) {
    copy.write(source->bytes().data() + at, std::min(piece, source->bytes().size() - at));
  }
  copy.commit();
}

/// The catalogued model that a file is: by its hash, else by its name. A file with a catalogued name and another hash
/// is refused, because it is almost always a broken download.
const CatalogEntry* catalogued(const fs::path& file, const std::string& hash, const std::string& wanted_name) {
  const CatalogEntry* by_name = find_in_catalog(wanted_name.empty() ? file.filename().string() : wanted_name);
  const auto has_hash = [&](const CatalogEntry& entry) {
    const std::string expected = expected_hash(entry);
    return !expected.empty() && hash.starts_with(expected);
  };
  if (by_name && (expected_hash(*by_name).empty() || has_hash(*by_name))) return by_name;
  if (by_name) {
    throw RequestError(fmt::format("this is not the file that the catalog knows as \"{}\": its SHA-256 is {}, not {}",
                                   by_name->name, hash, expected_hash(*by_name)),
                       file.string(), "if it is what you want, add it under a name of its own with --name");
  }
  if (!wanted_name.empty()) return nullptr;
  const auto found = std::find_if(catalog().begin(), catalog().end(),
                                  [&](const CatalogEntry& entry) { return !entry.sha256.empty() && has_hash(entry); });
  return found == catalog().end() ? nullptr : &*found;
}

/// Slices of torchvision's VGG-16 features as the lpips package groups them: each ends with a compared ReLU.
std::string lpips_slice(int layer) {
  constexpr std::array<int, 5> ends = {4, 9, 16, 23, 30};
  const auto slice = std::upper_bound(ends.begin(), ends.end(), layer) - ends.begin() + 1;
  return fmt::format("net.slice{}.{}", slice, layer);
}

StateDict combine_lpips(const fs::path& backbone, const fs::path& heads) {
  StateDict combined;
  for (const auto& [name, tensor] : load_weights(backbone)) {
    int layer = 0, used = 0;
    if (std::sscanf(name.c_str(), "features.%d%n", &layer, &used) != 1 || layer < 0 || layer >= 30) continue;
    combined[lpips_slice(layer) + name.substr(static_cast<std::size_t>(used))] = tensor;
  }
  constexpr std::size_t vgg_tensors = 26, lpips_heads = 5;
  if (combined.size() != vgg_tensors) {
    throw RequestError("this is not torchvision's VGG-16", backbone.string(), "get it with: disco models pull vgg16");
  }
  for (const auto& [name, tensor] : load_weights(heads)) {
    if (name.starts_with("lin") && name.ends_with(".model.1.weight")) combined[name] = tensor;
  }
  if (combined.size() != vgg_tensors + lpips_heads) {
    throw RequestError("these are not the five heads of LPIPS on VGG", heads.string(),
                       "take lpips/weights/v0.1/vgg.pth of the PyPI package lpips");
  }
  // From [-1,1] to the backbone's normalisation (lpips.ScalingLayer).
  combined["scaling_layer.shift"] = at::tensor({-.030f, -.088f, -.188f}).reshape({1, 3, 1, 1});
  combined["scaling_layer.scale"] = at::tensor({.458f, .448f, .450f}).reshape({1, 3, 1, 1});
  return combined;
}

}  // namespace

/// Writes NAME.model.json, which makes the model visible.
ModelEntry ModelStore::describe(const ModelEntry& model) {
  const fs::path folder = own_folder();
  nlohmann::ordered_json json = {
      {"name", model.name},
      {"role", model.role},
      {"file", model.weights.lexically_normal().lexically_relative(folder.lexically_normal()).string()},
      {"sha256", model.sha256},
      {"config", model.config}};
  // Models of different roles may share a name: VGG-16 is LPIPS's backbone, and the name of the LPIPS made from it.
  const std::string spelling = file_spelling(model.name);
  fs::path description = folder / (spelling + ".model.json");
  for (const ScannedModel& other : scan_models(folder, nullptr)) {
    if (other.json.filename() == description.filename() && other.problem.empty() && other.model.role != model.role) {
      description = folder / (spelling + "-" + model.role + ".model.json");
      break;
    }
  }
  write_file(description, json.dump(1) + "\n");
  return model;
}

ModelEntry ModelStore::add(const std::filesystem::path& file, const std::string& name) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) throw RequestError("there is no such file", file.string());
  ModelEntry model;
  model.sha256 = sha256_file(file);
  if (const CatalogEntry* known = catalogued(file, model.sha256, name)) {
    model.name = known->name;
    model.role = known->role;
    model.config = known->config;
  } else {
    const auto mapped = MappedFile::open(file);
    const weights::Layout layout = weights::read_layout(mapped->bytes(), file.string());
    const Recognised recognised = recognise(layout, file.filename().string());
    model.name = name.empty() ? file.stem().string() : name;
    model.role = recognised.role;
    model.config = recognised.config;
  }
  if (model.role.empty()) {
    throw RequestError(
        "its tensors are not those of a model that Disco knows", file.string(),
        "it takes ADM diffusion models, secondary models, CLIP and LPIPS; `disco models inspect` shows what it holds");
  }
  const std::string taken_name = file_spelling(model.name) + ".model.json";
  for (const ScannedModel& scanned : scan_models(own_folder(), nullptr)) {
    if (scanned.json.filename() != taken_name || scanned.model.role != model.role || !scanned.problem.empty()) continue;
    if (scanned.model.sha256 == model.sha256) continue;
    throw RequestError(
        fmt::format("there is already another model \"{}\"", scanned.model.name), scanned.json.string(),
        fmt::format("give this one another name with --name, or first: disco models remove {}", scanned.model.name));
  }
  model.weights =
      own_folder() / (name.empty() ? file.filename().string() : file_spelling(name) + file.extension().string());
  if (fs::exists(model.weights, ignored) && !same_file(model.weights, file)) {
    if (sha256_file(model.weights) != model.sha256) {
      throw RequestError("there is already another file of that name", model.weights.string(),
                         "give this one another name with --name");
    }
  } else if (!same_file(model.weights, file)) {
    bring(file, model.weights);
  }
  describe(model);

  const bool is_heads = model.role == "lpips-heads";
  if (is_heads || model.role == "lpips-backbone") {
    const auto other = find({}, is_heads ? "lpips-backbone" : "lpips-heads");
    if (other) return is_heads ? add_lpips(other->weights, model.weights) : add_lpips(model.weights, other->weights);
  }
  return model;
}

ModelEntry ModelStore::add_lpips(const std::filesystem::path& backbone, const std::filesystem::path& heads,
                                 const std::string& name) {
  ModelEntry model{
      name, "lpips", own_folder() / (file_spelling(name) + "-lpips.safetensors"), {}, nlohmann::json::object()};
  save_safetensors(model.weights, combine_lpips(backbone, heads));
  model.sha256 = sha256_file(model.weights);
  return describe(model);
}

void ModelStore::remove(const std::string& name) {
  std::vector<ScannedModel> own = scan_models(own_folder(), recognised_.get());
  const auto exact = std::find_if(own.begin(), own.end(), [&](const ScannedModel& m) { return m.model.name == name; });
  const auto found = exact != own.end() ? exact : std::find_if(own.begin(), own.end(), [&](const ScannedModel& m) {
    return answers_to(m.model, name);
  });
  if (name.empty() || found == own.end()) {
    if (const auto elsewhere = find(name, {}); elsewhere && !name.empty()) {
      throw RequestError(fmt::format("\"{}\" does not lie in the folder that Disco manages", name),
                         elsewhere->weights.string(), "remove it by hand if you want to");
    }
    require(name, {});  // Throws with the nearest names.
    return;
  }
  const ScannedModel model = *found;
  // Entries that come from the file's name alone go with the file; only descriptions of other models keep it.
  const bool shared = std::any_of(own.begin(), own.end(), [&](const ScannedModel& other) {
    return !other.json.empty() && other.json != model.json &&
           other.model.weights.lexically_normal() == model.model.weights.lexically_normal();
  });
  if (!model.json.empty()) fs::remove(model.json);
  const fs::path weights = model.model.weights.lexically_normal();
  const fs::path inside = weights.lexically_relative(own_folder().lexically_normal());
  const bool ours = !inside.empty() && *inside.begin() != "..";
  std::error_code ignored;
  if (!shared && ours) fs::remove(weights, ignored);
}

std::vector<ModelStore::Verdict> ModelStore::verify() const {
  std::vector<Verdict> verdicts;
  for (const fs::path& folder : folders_) {
    for (ScannedModel& scanned : scan_models(folder, recognised_.get())) {
      ModelEntry& model = scanned.model;
      if (!scanned.problem.empty()) {
        verdicts.push_back({std::move(model), false, scanned.problem});
        continue;
      }
      const CatalogEntry* known = find_in_catalog(model.name);
      const bool same_role = known && known->role == model.role && scanned.json.empty();
      const std::string expected = !model.sha256.empty() ? model.sha256
                                   : same_role           ? expected_hash(*known)
                                                         : std::string();
      try {
        if (expected.empty()) {
          if (model.role != "tokenizer")
            weights::read_layout(MappedFile::open(model.weights)->bytes(), model.weights.string());
          verdicts.push_back({model, true, "it is readable; no checksum is known for it"});
          continue;
        }
        const std::string hash = sha256_file(model.weights);
        const bool good = hash.starts_with(expected);
        verdicts.push_back(
            {model, good, good ? "its checksum is right" : fmt::format("its SHA-256 is {}, not {}", hash, expected)});
      } catch (const Error& error) {
        verdicts.push_back({model, false, error.what()});
      }
    }
  }
  return verdicts;
}

}  // namespace disco
