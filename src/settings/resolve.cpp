#include "settings/resolve.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "settings/json5.h"
#include "settings/prompt.h"
#include "settings/table.h"

namespace disco {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t settings_size_limit = 16u << 20;
constexpr const char* environment_origin = "environment";

std::string variable_name(std::string_view key) {
  std::string name = "DISCO_";
  for (const char c : key) name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return name;
}

/// Where a layer's value for `key` came from: "settings.json", or the variable of the environment.
std::string origin_of(const SettingsLayer& layer, const std::string& key) {
  return layer.origin == environment_origin ? variable_name(key) : layer.origin;
}

/// "settings.json: line 3: steps".
std::string place_of(const SettingsLayer& layer, const std::string& key) {
  const auto line = layer.lines.find(key);
  if (layer.origin == environment_origin) return variable_name(key);
  if (line == layer.lines.end()) return fmt::format("{}: {}", layer.origin, key);
  return fmt::format("{}: line {}: {}", layer.origin, line->second, key);
}

std::string absolute_path(const std::string& path, const fs::path& folder, bool may_be_flat) {
  if (path.empty() || is_url(path) || folder.empty() || (may_be_flat && path == "flat")) return path;
  return (folder / path).lexically_normal().string();
}

void make_paths_absolute(Settings& settings, const SettingSpec& spec, const fs::path& folder) {
  if (const auto* text = std::get_if<std::string Settings::*>(&spec.member)) {
    std::string& path = settings.*(*text);
    path = absolute_path(path, folder, spec.key == "init_noise_mask");
  } else if (const auto* frames = std::get_if<PromptFrames Settings::*>(&spec.member)) {
    for (auto& [frame, prompts] : settings.*(*frames)) {
      for (Prompt& prompt : prompts) {
        const std::string path = absolute_path(prompt.text, folder, false);
        prompt.written =
            path + (prompt.written.starts_with(prompt.text) ? prompt.written.substr(prompt.text.size()) : "");
        prompt.text = path;
      }
    }
  }
}

/// The names in a "preset" value: a text with commas, or a list.
std::vector<std::string> preset_names(const Json& value, const std::string& place) {
  std::vector<std::string> names;
  const Json list = value.is_array() ? value : Json::array({value});
  for (const Json& item : list) {
    if (item.is_null()) continue;
    if (!item.is_string()) {
      throw RequestError("a preset is named by text", place, "write \"gold\", or \"gold, cuts-b\" for two");
    }
    for (const std::string& name : split(item.get<std::string>(), ',')) {
      if (!trim(name).empty()) names.emplace_back(trim(name));
    }
  }
  return names;
}

/// The presets that the layers name, those of the weakest layer first.
std::vector<const Preset*> chosen_presets(const std::vector<SettingsLayer>& layers) {
  std::vector<const Preset*> chosen;
  for (const SettingsLayer& layer : layers) {
    if (!layer.values.is_object() || !layer.values.contains("preset")) continue;
    const std::string place = place_of(layer, "preset");
    for (const std::string& name : preset_names(layer.values["preset"], place)) {
      if (name == "none") {
        chosen.clear();
        continue;
      }
      try {
        chosen.push_back(&find_preset(name));
      } catch (const RequestError& error) {
        throw RequestError(error.problem(), place, error.fix());
      }
    }
  }
  return chosen;
}

/// Applies layers one over the other and remembers where each value came from.
class Resolver {
 public:
  Resolver() {
    result_.settings = default_settings();
    for (const SettingSpec& spec : settings_table()) result_.origins[spec.key] = "default";
  }

  void apply(const SettingsLayer& layer) {
    if (layer.values.is_null()) return;
    if (!layer.values.is_object()) {
      throw RequestError("settings are an object of keys and values", layer.origin, "write { \"steps\": 250, … }");
    }
    result_.warnings.insert(result_.warnings.end(), layer.warnings.begin(), layer.warnings.end());
    std::map<std::string, std::string> given;  // The key of the table, and the key as written.
    for (const auto& [key, value] : layer.values.items()) {
      if (key == "preset" || key == "$schema") continue;
      const std::string place = place_of(layer, key);
      const SettingSpec& spec = require_setting(key, place);
      if (const auto [other, fresh] = given.emplace(spec.key, key); !fresh) {
        throw RequestError(fmt::format("'{}' and '{}' are the same setting", other->second, key), place,
                           "give it once");
      }
      set_value(result_.settings, spec, value, place, &result_.warnings);
      if (spec.is_path) make_paths_absolute(result_.settings, spec, layer.folder);
      result_.origins[spec.key] = origin_of(layer, key);
      places_[spec.key] = place;
    }
  }

  /// Says in what validate() finds where the value at fault came from.
  void validate_all() {
    try {
      validate(result_.settings);
    } catch (const RequestError& error) {
      const std::string key = error.where().substr(0, error.where().find(':'));
      const auto place = places_.find(key);
      if (place == places_.end()) throw;
      throw RequestError(error.problem(), place->second + error.where().substr(key.size()), error.fix());
    }
    for (std::string& warning : settings_warnings(result_.settings)) result_.warnings.push_back(std::move(warning));
  }

  ResolvedSettings take() { return std::move(result_); }

 private:
  ResolvedSettings result_;
  std::map<std::string, std::string> places_;  ///< For each key that was given, its place in words.
};

}  // namespace

SettingsLayer read_settings_file(const fs::path& path) {
  const std::string extension = lower_case(path.extension().string());
  const bool yaml = extension == ".yml" || extension == ".yaml";
  const std::string text = read_file(path, settings_size_limit);
  DataDocument document = yaml ? parse_yaml(text, path.string()) : parse_json5(text, path.string());
  if (document.value.is_null()) document.value = Json::object();
  if (!document.value.is_object()) {
    throw RequestError("a settings file holds an object of keys and values", path.string(),
                       "write { \"steps\": 250, … }");
  }
  return {.origin = path.string(),
          .values = std::move(document.value),
          .folder = path.has_parent_path() ? path.parent_path() : fs::path(),
          .lines = std::move(document.lines),
          .warnings = std::move(document.warnings)};
}

SettingsLayer environment_layer() {
  SettingsLayer layer{.origin = environment_origin, .values = Json::object(), .folder = {}};
  const auto take = [&](const std::string& key) {
    const char* value = std::getenv(variable_name(key).c_str());
    if (value && *value) layer.values[key] = value;
  };
  take("preset");
  for (const SettingSpec& spec : settings_table()) take(spec.key);
  return layer;
}

ResolvedSettings resolve_settings(const std::vector<SettingsLayer>& layers, SettingsChecks checks) {
  Resolver resolver;
  for (const Preset* preset : chosen_presets(layers)) {
    resolver.apply({.origin = "preset " + preset->name, .values = preset->values});
  }
  for (const SettingsLayer& layer : layers) resolver.apply(layer);
  if (checks == SettingsChecks::whole) resolver.validate_all();
  return resolver.take();
}

}  // namespace disco
