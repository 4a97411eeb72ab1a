// The one table of settings. Command-line flags, JSON Schema, validation messages, importers and the manual are all
// derived from it.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "settings/settings.h"

namespace disco {

/// The member of Settings that an entry describes.
using SettingMember =
    std::variant<bool Settings::*, std::int64_t Settings::*, double Settings::*, std::string Settings::*,
                 Schedule Settings::*, StepCount Settings::*, std::vector<double> Settings::*,
                 std::vector<ClipChoice> Settings::*, PromptFrames Settings::*, IntermediateSaves Settings::*>;

struct SettingSpec {
  std::string key;
  SettingMember member;
  std::string default_text;  ///< As it would be written in a settings file, in JSON or as a bare word.
  std::string group;         ///< The heading in the manual and in --help.
  std::string help;          ///< One line.
  std::string unit = {};     ///< "pixels", "steps", …; may be empty.
  std::optional<double> minimum = {}, maximum = {};  ///< For a share of the steps the limits are 0 and 100 %.
  std::vector<std::string> choices = {};             ///< Allowed words; empty: any.
  bool live = false;                                 ///< May change while a run is going.
  bool is_path = false;                              ///< Relative paths are relative to the settings file.
  std::vector<std::string> aliases = {};  ///< The peers' keys for the same thing, where the value needs no conversion.
};

/// All settings, in the order of the manual.
std::span<const SettingSpec> settings_table();
/// By key or alias, with dashes for underscores (flags); null when there is none.
const SettingSpec* find_setting(std::string_view key);
/// Like find_setting(), but an unknown key is a RequestError that names the nearest known one. `where` opens its
/// message.
const SettingSpec& require_setting(std::string_view key, const std::string& where);

/// Whether the member holds a schedule, and the type's name for messages and the manual ("number or schedule", …).
bool is_schedulable(const SettingSpec& spec);
std::string type_name(const SettingSpec& spec);
/// What a value must be, for messages and the manual: "a whole number, at least 1 (steps)".
std::string allowed_values(const SettingSpec& spec);

Settings default_settings();

/// Reads one value. `where` opens the message of a RequestError ("settings.json: line 3: steps"). Strings holding a
/// number, boolean or list are accepted where the type asks for one (flags are text). Warnings are appended.
void set_value(Settings& settings, const SettingSpec& spec, const nlohmann::ordered_json& value,
               const std::string& where, std::vector<std::string>* warnings = nullptr);
nlohmann::ordered_json get_value(const Settings& settings, const SettingSpec& spec);

/// All settings as one object, in the table's order; reading it back gives equal settings.
nlohmann::ordered_json to_json(const Settings& settings);

nlohmann::ordered_json settings_schema();  ///< JSON Schema, draft 2020-12.
std::string settings_manual();             ///< Markdown, one section a group.

}  // namespace disco
