// Settings files: any bytes are read or refused in words, as JSON5 and as YAML.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/error.h"
#include "settings/json5.h"
#include "settings/table.h"

namespace {

void read(const disco::DataDocument& document) {
  if (!document.value.is_object()) return;
  disco::Settings settings = disco::default_settings();
  for (const auto& [key, value] : document.value.items()) {
    const disco::SettingSpec* spec = disco::find_setting(key);
    if (!spec) continue;
    try {
      disco::set_value(settings, *spec, value, key);
    } catch (const disco::RequestError&) {
      continue;
    }
    disco::Settings again = disco::default_settings();
    disco::set_value(again, *spec, disco::get_value(settings, *spec), key);
    if (disco::get_value(again, *spec) != disco::get_value(settings, *spec)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& parse : {disco::parse_json5, disco::parse_yaml}) {
    try {
      read(parse(text, "fuzz"));
    } catch (const disco::RequestError&) {
      continue;
    }
  }
  return 0;
}
