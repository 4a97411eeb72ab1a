// This program's own files: settings files, and the record that lies beside each picture.
#include "settings/importers/conversion.h"
#include "settings/importers/importers.h"
#include "settings/resolve.h"
#include "settings/table.h"

namespace disco {
namespace {

using Json = nlohmann::ordered_json;

bool is_record(const Json& object) { return object.contains("settings") && object.at("settings").is_object(); }

double recognise(const Json& object) {
  if (is_record(object)) return recognise(object.at("settings")) > 0 ? 100 : 0;
  int known = 0;
  for (const auto& [key, value] : object.items()) known += key == "preset" || find_setting(key) != nullptr;
  // Less than any key that only another program has; nearly all keys must be ours.
  return known > 0 && 2 * known > static_cast<int>(object.size()) ? 0.001 * known : 0;
}

ImportedSettings convert_settings(const Json& object) {
  Conversion conversion("disco settings", object);
  if (conversion.has("preset")) {
    conversion.used("preset");
    // Its values lie under the file's own.
    for (const auto& [key, value] : find_preset(text_of(conversion["preset"])).values.items()) {
      if (!conversion.has(key)) conversion.set(key, value);
    }
  }
  return conversion.finish();
}

ImportedSettings convert(const Json& object) {
  if (!is_record(object)) return convert_settings(object);
  Json settings = object.at("settings");
  if (object.contains("seed") && object.at("seed").is_number_integer()) settings["seed"] = object.at("seed");
  ImportedSettings imported = convert_settings(settings);
  imported.source = "disco picture";
  if (object.contains("carried_on") && !object.at("carried_on").is_null()) imported.notes.push_back(carried_on_note);
  for (const auto& [key, value] : object.items()) {
    if (key != "settings" && key != "seed") imported.ignored.push_back({key, "a record of the run, not a setting"});
  }
  return imported;
}

}  // namespace

Importer own_importer() { return {"disco", recognise, convert}; }

}  // namespace disco
