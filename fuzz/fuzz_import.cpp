// Settings files of other programs: any JSON5 is recognised or refused; every key is accounted for at most once; the
// values are settings; and the advice on them throws nothing.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string_view>

#include "core/error.h"
#include "settings/advice.h"
#include "settings/import.h"
#include "settings/json5.h"
#include "settings/table.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  disco::ImportedSettings imported;
  try {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    imported = disco::import_document(disco::parse_json5(text, "file").value, "file");
  } catch (const disco::Error&) {
    return 0;
  }
  std::set<std::string> ignored;
  for (const disco::IgnoredKey& key : imported.ignored) {
    if (key.reason.empty() || !ignored.insert(key.key).second) std::abort();
  }
  disco::Settings settings = disco::default_settings();
  for (const auto& [key, value] : imported.values.items()) {
    disco::set_value(settings, disco::require_setting(key, "imported"), value, key);
  }
  disco::advise(settings);
  return 0;
}
