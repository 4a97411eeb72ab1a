// Settings of other programs, and of our own pictures, turned into native settings.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace disco {

struct IgnoredKey {
  std::string key;
  std::string reason;
};

struct ImportedSettings {
  /// "Disco Diffusion 5.7" ("… 5" for earlier ones), "DiscoArt", "ProgRockDiffusion", "philpax", "disco settings",
  /// "disco picture", "parameters of another program".
  std::string source;
  nlohmann::ordered_json values;  ///< Native keys; each value is one that the settings table accepts.
  std::vector<IgnoredKey> ignored;
  std::vector<std::string> notes;  ///< What was converted, and how.
};

/// Reads a settings file (JSON, JSON5 or YAML) or a picture. Recognises the program that wrote the file by its keys;
/// each of the file's keys is converted or listed as ignored with the reason. Throws RequestError when nothing is
/// recognised or the file is broken, FormatError for broken pictures.
ImportedSettings import_settings(const std::filesystem::path& path);

/// The same for a document that has been read; `name` opens error messages.
ImportedSettings import_document(const nlohmann::ordered_json& document, const std::string& name);

}  // namespace disco
