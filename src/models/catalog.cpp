#include <fmt/format.h>

#include <algorithm>
#include <regex>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "models/store.h"

namespace disco {
namespace {

CatalogEntry parse_entry(const nlohmann::json& json) {
  CatalogEntry entry;
  entry.name = json.at("name");
  entry.role = json.at("role");
  entry.sha256 = json.value("sha256", "");
  entry.activation = json.value("activation", "");
  entry.architecture = json.value("arch", "");
  entry.disco_key = json.value("disco_key", "");
  entry.note = json.value("note", "");
  entry.urls = json.at("urls").get<std::vector<std::string>>();
  entry.config = json.value("config", nlohmann::json::object());
  if (!entry.activation.empty()) entry.config["activation"] = entry.activation;
  return entry;
}

std::string last_part(const std::string& url) {
  const std::string path = url.substr(0, url.find_first_of("?#"));
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

std::vector<CatalogEntry> read_catalog(const std::filesystem::path& file) {
  try {
    std::vector<CatalogEntry> entries;
    for (const nlohmann::json& entry : nlohmann::json::parse(read_file(file))) entries.push_back(parse_entry(entry));
    return entries;
  } catch (const nlohmann::json::exception& error) {
    throw FormatError(fmt::format("the catalog of models is damaged ({})", error.what()), file.string(),
                      "install Disco again");
  }
}

const std::vector<CatalogEntry>& catalog() {
  static const std::vector<CatalogEntry> entries = read_catalog(program_root() / "data" / "catalog.json");
  return entries;
}

const CatalogEntry* find_in_catalog(const std::string& name) {
  const auto first = [](const auto& matches) -> const CatalogEntry* {
    const auto found = std::find_if(catalog().begin(), catalog().end(), matches);
    return found == catalog().end() ? nullptr : &*found;
  };
  if (name.empty()) return nullptr;
  if (const auto* entry = first([&](const CatalogEntry& e) { return e.name == name; })) return entry;
  if (const auto* entry = first([&](const CatalogEntry& e) { return e.disco_key == name; })) return entry;
  if (const auto* entry = first([&](const CatalogEntry& e) { return file_name(e) == name; })) return entry;
  const std::string spelling = lower_case(file_spelling(name));
  return first([&](const CatalogEntry& e) { return lower_case(file_spelling(e.name)) == spelling; });
}

std::string file_spelling(std::string_view name) {
  std::string spelled;
  for (const char c : name) {
    const bool kept =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
    if (kept) {
      spelled += c;
    } else if (!spelled.empty() && spelled.back() != '-') {
      spelled += '-';
    }
  }
  // A leading dot would hide the file, a leading dash would look like an option.
  spelled.erase(0, spelled.find_first_not_of(".-"));
  while (spelled.ends_with('-')) spelled.pop_back();
  return spelled.empty() ? "model" : spelled;
}

std::string file_name(const CatalogEntry& entry) {
  if (entry.urls.empty()) return file_spelling(entry.name);
  const std::string name = last_part(entry.urls.front());
  return name.empty() ? file_spelling(entry.name) : name;
}

std::string expected_hash(const CatalogEntry& entry) {
  if (!entry.sha256.empty()) return entry.sha256;
  static const std::regex short_hash("-([0-9a-f]{8})\\.pth?$");
  std::smatch match;
  const std::string name = file_name(entry);
  return std::regex_search(name, match, short_hash) ? match[1].str() : std::string();
}

}  // namespace disco
