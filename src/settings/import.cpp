#include "settings/import.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "settings/importers/importers.h"
#include "settings/json5.h"

namespace disco {
namespace {

using Json = nlohmann::ordered_json;

std::vector<Importer> importers() {
  return {disco_diffusion_importer(), discoart_importer(), progrock_importer(), philpax_importer(), own_importer()};
}

bool is_picture(std::string_view bytes) {
  return bytes.starts_with("\x89PNG\r\n\x1a\n") || bytes.starts_with("\xff\xd8\xff") ||
         (bytes.starts_with("RIFF") && bytes.substr(std::min<std::size_t>(8, bytes.size()), 4) == "WEBP");
}

/// JSON5 or YAML: by the file's name, else by what it looks like.
DataDocument read_document(const std::string& bytes, const fs::path& path) {
  const std::string extension = lower_case(path.extension().string());
  if (extension == ".yml" || extension == ".yaml") return parse_yaml(bytes, path.string());
  try {
    return parse_json5(bytes, path.string());
  } catch (const RequestError&) {
    // A JSON file that is broken must be told as such; YAML does not start with a brace or a comment of JSON5.
    const std::string_view start = trim(bytes);
    if (extension == ".json" || extension == ".json5" || start.starts_with('{') || start.starts_with('/')) throw;
  }
  return parse_yaml(bytes, path.string());
}

}  // namespace

int count_keys(const Json& object, const std::vector<std::string>& keys) {
  int count = 0;
  for (const std::string& key : keys) count += object.contains(key);
  return count;
}

ImportedSettings import_document(const Json& document, const std::string& name) {
  const Importer* best = nullptr;
  double surest = 0;
  const std::vector<Importer> programs = importers();
  if (document.is_object()) {
    for (const Importer& importer : programs) {
      const double sure = importer.recognise(document);
      if (sure > surest) {
        surest = sure;
        best = &importer;
      }
    }
  }
  if (!best) {
    throw RequestError(
        "the settings of no known program are recognised in this file", name,
        "known are Disco Diffusion 5, DiscoArt, ProgRockDiffusion, philpax/disco-diffusion, and this program's "
        "own settings and pictures");
  }
  try {
    return best->convert(document);
  } catch (const Json::exception&) {
    throw RequestError("a value has a form that " + best->program + " does not write", name);
  }
}

ImportedSettings import_settings(const std::filesystem::path& path) {
  constexpr std::uint64_t largest = std::uint64_t{256} << 20;
  const std::string bytes = read_file(path, largest);
  if (is_picture(bytes)) return import_picture(bytes, path.string());
  DataDocument document = read_document(bytes, path);
  ImportedSettings imported = import_document(document.value, path.string());
  imported.notes.insert(imported.notes.end(), document.warnings.begin(), document.warnings.end());
  return imported;
}

}  // namespace disco
