// The settings table as a page of the manual.
#include <fmt/format.h>

#include "settings/resolve.h"
#include "settings/table.h"

namespace disco {
namespace {

constexpr const char* introduction = R"(# Settings

Every setting is a key of a settings file (JSON, with comments allowed, or YAML), a flag (`--clip-guidance-scale 8000`),
and a variable of the environment (`DISCO_CLIP_GUIDANCE_SCALE`). Flags win over files, files over the environment, then
come your own configuration, presets and defaults.

A *schedule* is a number that changes from the first entry (noise) to the last of 1000 (the finished picture), however
many steps there are:

| written | means |
|---|---|
| `5000` | the same throughout |
| `[12]*400+[4]*600` | 12 for the first 400 entries, then 4 |
| `5000 -> 20000` | a ramp over the whole run; more than two values share it evenly |
| `5000 ->(0.4) 20000` | a ramp that ends after 40 % of the run and then holds |
| `0: (1), 400: (2.5)` | key frames at entries, linear between them |

A number of *steps* may also be a share of all steps, such as `50%`. *Live* settings may change while a picture is drawn.
Relative *paths* in a settings file start at that file.
)";

/// Text for a cell of a table.
std::string cell(const std::string& text) {
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return escaped;
}

std::string setting_entry(const SettingSpec& spec, const nlohmann::ordered_json& defaults) {
  std::string entry = fmt::format("### {}\n\n{}\n\n", spec.key, spec.help);
  entry += fmt::format("- Value: {}\n", allowed_values(spec));
  entry += fmt::format("- Default: `{}`\n", defaults[spec.key].dump());
  if (spec.live) entry += "- Live\n";
  for (std::size_t i = 0; i < spec.aliases.size(); ++i) {
    entry += fmt::format("{}`{}`", i == 0 ? "- Also known as " : ", ", spec.aliases[i]);
  }
  if (!spec.aliases.empty()) entry += "\n";
  return entry + "\n";
}

std::string presets_section() {
  std::string text =
      "## Presets\n\nA preset gives values that lie below everything you set yourself: `--preset gold`, or two, of "
      "which the "
      "later one wins: `--preset gold,cuts-b`.\n\n";
  for (const Preset& preset : presets()) {
    text += fmt::format("### {}\n\n{}\n\n| setting | value |\n|---|---|\n", preset.name, preset.help);
    for (const auto& [key, value] : preset.values.items()) {
      text += fmt::format("| {} | `{}` |\n", key, cell(value.is_string() ? value.get<std::string>() : value.dump()));
    }
    text += "\n";
  }
  return text;
}

}  // namespace

std::string settings_manual() {
  std::string text = introduction;
  std::string group;
  const nlohmann::ordered_json defaults = to_json(default_settings());
  for (const SettingSpec& spec : settings_table()) {
    if (spec.group != group) {
      group = spec.group;
      text += fmt::format("{}## {}\n\n", text.ends_with("\n\n") ? "" : "\n", group);
    }
    text += setting_entry(spec, defaults);
  }
  text += presets_section();
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

}  // namespace disco
