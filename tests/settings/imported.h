// What the tests of the importers share: the settings files of other programs under fixtures/, and what becomes of
// them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "core/file.h"
#include "settings/import.h"
#include "settings/json5.h"
#include "settings/table.h"

namespace disco {

using Json = nlohmann::ordered_json;

inline fs::path fixture(const std::string& name) {
  return fs::path(DISCO_SOURCE_DIR) / "tests" / "settings" / "fixtures" / name;
}

inline Json fixture_document(const std::string& name) {
  const std::string text = read_file(fixture(name));
  return (name.ends_with(".yml") ? parse_yaml(text, name) : parse_json5(text, name)).value;
}

/// The reason for which a key was ignored; empty when it was not.
inline std::string reason_for(const ImportedSettings& imported, const std::string& key) {
  const auto found = std::find_if(imported.ignored.begin(), imported.ignored.end(),
                                  [&](const IgnoredKey& ignored) { return ignored.key == key; });
  return found == imported.ignored.end() ? "" : found->reason;
}

inline std::string all_notes(const ImportedSettings& imported) {
  std::string notes;
  for (const std::string& note : imported.notes) notes += note + "\n";
  return notes;
}

/// The settings that the imported values make, over the defaults.
inline Settings settings_of(const ImportedSettings& imported) {
  Settings settings = default_settings();
  for (const auto& [key, value] : imported.values.items()) {
    const SettingSpec* spec = find_setting(key);
    EXPECT_NE(spec, nullptr) << key;
    if (spec) set_value(settings, *spec, value, key);
  }
  return settings;
}

inline std::vector<std::string> clip_names(const Settings& settings) {
  std::vector<std::string> names;
  for (const ClipChoice& clip : settings.clip_models) names.push_back(clip.name);
  return names;
}

}  // namespace disco
