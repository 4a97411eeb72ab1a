#include "cli/settings_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "settings/import.h"
#include "settings/table.h"

namespace disco {
namespace {

SettingsLayer imported_layer(const fs::path& path, Reporter& reporter) {
  ImportedSettings imported = import_settings(path);
  reporter.note(fmt::format("{}: settings of {}", path.string(), imported.source));
  for (const std::string& note : imported.notes) reporter.note(fmt::format("{}: {}", path.string(), note));
  for (const IgnoredKey& ignored : imported.ignored) {
    reporter.note(fmt::format("{}: {} is ignored: {}", path.string(), ignored.key, ignored.reason));
  }
  return {.origin = path.string(), .values = std::move(imported.values), .folder = path.parent_path()};
}

/// Whether a settings file is recognised, and not as native settings: a file most of whose keys are ours has a mistake
/// in it, whatever else it looks like.
bool is_foreign(const fs::path& path, const SettingsLayer& layer) {
  const auto is_ours = [](const auto& item) { return item.key() == "preset" || find_setting(item.key()) != nullptr; };
  std::size_t ours = 0;
  for (const auto& item : layer.values.items()) ours += is_ours(item);
  if (2 * ours >= layer.values.size()) return false;
  try {
    return import_settings(path).source != "disco settings";
  } catch (const Error&) {
    return false;
  }
}

SettingsLayer file_layer(const fs::path& path, Reporter& reporter) {
  require_file(path, "name a settings file or a picture");
  static const std::set<std::string> foreign = {".txt", ".png", ".jpg", ".jpeg", ".webp"};
  if (foreign.contains(lower_case(path.extension().string()))) return imported_layer(path, reporter);
  SettingsLayer layer = read_settings_file(path);
  try {
    resolve_settings({layer}, SettingsChecks::values);
  } catch (const RequestError&) {
    // Another program's, perhaps, or the record beside a picture.
    if (is_foreign(path, layer)) return imported_layer(path, reporter);
    throw;
  }
  return layer;
}

SettingsLayer flag_layer(const CommandLine& line) {
  SettingsLayer layer{.origin = "flag", .values = line.settings, .folder = {}};
  std::vector<std::string> prompts = line.operands;
  prompts.insert(prompts.end(), line.all("--prompt").begin(), line.all("--prompt").end());
  if (!prompts.empty()) {
    if (layer.values.contains("text_prompts")) {
      throw RequestError("the prompts are given twice", "--text-prompts", "keep either the prompts or --text-prompts");
    }
    layer.values["text_prompts"] = {{"0", prompts}};
  }
  if (line.has("--preset")) layer.values["preset"] = line.text("--preset");
  return layer;
}

/// Of models/pocket. One of this name in the user's own folders goes before it.
constexpr const char* shipped_diffusion_model = "pocket-diffusion";

bool is_installed(const std::vector<ModelEntry>& installed, const std::string& name) {
  return std::ranges::any_of(installed, [&](const ModelEntry& entry) { return entry.name == name; });
}

/// The models that the defaults name and that are not installed, for `disco models pull`.
std::vector<std::string> missing_default_models(const std::vector<ModelEntry>& installed) {
  const Settings defaults = default_settings();
  std::vector<std::string> wanted = {defaults.diffusion_model};
  if (defaults.use_secondary_model) wanted.push_back(defaults.secondary_model);
  for (const ClipChoice& clip : defaults.clip_models) wanted.push_back(clip.name);
  std::erase_if(wanted, [&](const std::string& name) { return is_installed(installed, name); });
  return wanted;
}

}  // namespace

std::vector<Flag> settings_flags() {
  return {
      {"--prompt", "TEXT",
       "what to draw, \"text\" or \"text:weight\"; repeatable, and the flag's name may be left out"},
      {"--settings", "FILE",
       "settings from a file: JSON, JSON5, YAML, a 5.7 _settings.txt or a picture; repeatable, later wins"},
      {"--preset", "NAME", "a named set of settings, below all others; disco explain presets lists them"},
      {"--set", "KEY=VALUE", "one setting; repeatable"},
  };
}

std::vector<SettingsLayer> settings_layers(const CommandLine& line, SettingsUse use, Reporter& reporter) {
  std::vector<SettingsLayer> layers;
  if (use == SettingsUse::draft) {
    layers.push_back({.origin = "disco draft", .values = {{"preset", "draft"}}, .folder = {}});
  }
  const fs::path user = user_config_folder() / "settings.json";
  if (fs::exists(user)) layers.push_back(read_settings_file(user));
  layers.push_back(environment_layer());
  for (const std::string& file : line.all("--settings")) layers.push_back(file_layer(file, reporter));
  layers.push_back(flag_layer(line));
  resolve_settings(layers, SettingsChecks::values);  // Throws.
  return layers;
}

Recommendation recommended_settings(Engine& engine, const ResolvedSettings& resolved) {
  Recommendation result;
  const auto is_default = [&](const std::string& key) {
    const auto origin = resolved.origins.find(key);
    return origin == resolved.origins.end() || origin->second == "default";
  };
  std::string model = resolved.settings.diffusion_model;
  if (is_default("diffusion_model")) {
    const std::vector<ModelEntry> installed = engine.list_models();
    const auto diffusion = [](const ModelEntry& entry) { return entry.role == "diffusion"; };
    const bool there = std::any_of(installed.begin(), installed.end(),
                                   [&](const ModelEntry& entry) { return diffusion(entry) && entry.name == model; });
    // CLIP models that somebody named and that are not there belong to another UNet than the shipped one.
    const bool others =
        !is_default("clip_models") && !std::ranges::all_of(resolved.settings.clip_models, [&](const ClipChoice& clip) {
          return is_installed(installed, clip.name);
        });
    if (there || others) return result;
    const auto pocket = std::find_if(installed.begin(), installed.end(), [&](const ModelEntry& entry) {
      return diffusion(entry) && entry.name == shipped_diffusion_model;
    });
    if (pocket == installed.end()) return result;
    model = pocket->name;
    result.shipped = true;
    result.layer.values["diffusion_model"] = model;
  }
  const nlohmann::ordered_json recommended = engine.recommended_settings(model);
  for (const auto& [key, value] : recommended.items()) {
    if (is_default(key)) result.layer.values[key] = value;
  }
  result.layer.origin = result.shipped ? pocket_origin : std::string(model_origin) + model;
  return result;
}

ResolvedSettings request_settings(std::vector<SettingsLayer> layers, SettingsUse use, Engine* engine,
                                  Reporter& reporter) {
  const auto checks =
      use == SettingsUse::draw || use == SettingsUse::draft ? SettingsChecks::whole : SettingsChecks::values;
  if (engine == nullptr) return resolve_settings(layers, checks);
  Recommendation recommendation = recommended_settings(*engine, resolve_settings(layers, SettingsChecks::values));
  nlohmann::ordered_json& values = recommendation.layer.values;
  if (use == SettingsUse::finish) {
    // The draft brings its own model and size; only what the preset made quick about it is replaced.
    const nlohmann::ordered_json quick = find_preset("draft").values;
    for (auto item = values.begin(); item != values.end();)
      item = quick.contains(item.key()) ? std::next(item) : values.erase(item);
  }
  if (values.empty()) return resolve_settings(layers, checks);
  std::vector<std::string> keys;
  for (const auto& [key, value] : values.items()) keys.push_back(key);
  layers.insert(layers.begin(), std::move(recommendation.layer));
  ResolvedSettings resolved = resolve_settings(layers, checks);
  if (use == SettingsUse::finish) return resolved;
  if (recommendation.shipped) {
    std::vector<std::string> drawing = {resolved.settings.diffusion_model};
    for (const ClipChoice& clip : resolved.settings.clip_models) drawing.push_back(clip.name);
    reporter.note(
        fmt::format("the small models that come with Disco draw this ({}); for the community's: disco models pull {}",
                    join(drawing, ", "), join(missing_default_models(engine->list_models()), " ")));
  } else {
    reporter.note(fmt::format("{} recommends, and sets, {}", resolved.settings.diffusion_model, join(keys, ", ")));
  }
  return resolved;
}

}  // namespace disco
