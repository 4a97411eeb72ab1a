// Prompts and choices of CLIP models: any text is taken, and what is written of it reads back the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/error.h"
#include "settings/prompt.h"
#include "settings/resolve.h"
#include "settings/table.h"

namespace {

void check_reading_back(const char* key, const disco::Settings& settings) {
  const disco::SettingSpec& spec = *disco::find_setting(key);
  disco::Settings again = settings;
  disco::set_value(again, spec, disco::get_value(settings, spec), key);
  if (!(again == settings)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  disco::Settings settings = disco::default_settings();
  const disco::Prompt prompt = disco::parse_prompt(text);
  if (prompt.written != text || !text.starts_with(prompt.text)) std::abort();
  settings.text_prompts[0] = {prompt};
  check_reading_back("text_prompts", settings);
  try {
    settings.clip_models = {disco::parse_clip_choice(text)};
    if (!settings.clip_models[0].name.empty()) check_reading_back("clip_models", settings);
  } catch (const disco::RequestError&) {
    return 0;
  }
  return 0;
}
