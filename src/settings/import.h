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
  std::string source;             ///< "Disco Diffusion 5.7", "DiscoArt", "ProgRockDiffusion", "philpax", "disco picture".
  nlohmann::ordered_json values;  ///< Native keys.
  std::vector<IgnoredKey> ignored;
  std::vector<std::string> notes;  ///< What was converted, and how.
};

/// Recognises the program that wrote the file by its keys. Throws RequestError when nothing is recognised.
ImportedSettings import_settings(const std::filesystem::path& path);

}  // namespace disco
