// From flags, files, environment, presets and defaults to one set of checked settings.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "settings/settings.h"

namespace disco {

/// One layer of values: an object of settings (unknown keys are errors that name the nearest known key).
struct SettingsLayer {
  std::string origin = {};                 ///< "flag", "settings.json", "DISCO_STEPS", "preset gold", …
  nlohmann::ordered_json values = {};      ///< Keys of the table.
  std::filesystem::path folder = {};       ///< Relative paths among the values start here; empty: the current folder.
  std::map<std::string, int> lines = {};   ///< Line of each key, where the layer came from a file.
  std::vector<std::string> warnings = {};  ///< What the reader of the layer has to say (keys given twice).
};

struct ResolvedSettings {
  Settings settings;
  std::map<std::string, std::string> origins;  ///< For each key, where its value came from.
  std::vector<std::string> warnings;
};

/// Reads JSON (JSON5 allowed) or YAML (by extension .yml/.yaml). Throws Error or RequestError with line and column.
SettingsLayer read_settings_file(const std::filesystem::path& path);
/// DISCO_KEY for every key of the table, and DISCO_PRESET. Empty variables count as unset.
SettingsLayer environment_layer();

/// What resolve_settings() checks: each value by itself, or also what must hold between them before a picture is drawn.
enum class SettingsChecks { values, whole };

/// Layers from the weakest to the strongest; the defaults lie below all. A layer may carry the key "preset": a name, or
/// several ("gold, cuts-b", a later one wins). Presets lie below the values of every layer; among them those of
/// stronger layers win, and "none" drops those of weaker layers. Throws RequestError with the layer's origin, line and
/// key.
ResolvedSettings resolve_settings(const std::vector<SettingsLayer>& layers,
                                  SettingsChecks checks = SettingsChecks::whole);

/// What must hold between settings: weights summing to nothing, skip_steps beyond steps, sizes below 64, missing
/// files, a mask of another size than its init … Throws RequestError, whose place begins with the key.
void validate(const Settings& settings);
/// What is allowed but surely not meant, or has no effect: a negative sum of weights, symmetry under plms …
std::vector<std::string> settings_warnings(const Settings& settings);

struct Preset {
  std::string name;
  std::string help;
  nlohmann::ordered_json values;
};
/// default, secondary, primary, gold, figure, landscape, pixelart, watercolor, draft, draft-plms, sketch-init, and the
/// named cut schedules (cuts-a … ).
const std::vector<Preset>& presets();
/// Throws RequestError that names the nearest preset.
const Preset& find_preset(const std::string& name);

/// "text:weight" split at the last colon (for http(s) URLs at the last colon after the scheme). GUIDED-STEP "Prompts".
Prompt parse_prompt(const std::string& written);

}  // namespace disco
