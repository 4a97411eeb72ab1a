#include "settings/table.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "settings/json5.h"
#include "settings/table_parts.h"

namespace disco {
namespace {

/// One function for each type of setting, chosen by the type of its member.
template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

std::string range_text(const SettingSpec& spec) {
  std::string text;
  if (spec.minimum && spec.maximum) {
    text = fmt::format("from {} to {}", *spec.minimum, *spec.maximum);
  } else if (spec.minimum) {
    text = fmt::format("at least {}", *spec.minimum);
  } else if (spec.maximum) {
    text = fmt::format("at most {}", *spec.maximum);
  }
  return text;
}

}  // namespace

std::vector<SettingSpec> joined(const std::vector<std::vector<SettingSpec>>& parts) {
  std::vector<SettingSpec> table;
  for (const std::vector<SettingSpec>& part : parts) table.insert(table.end(), part.begin(), part.end());
  return table;
}

std::span<const SettingSpec> settings_table() {
  static const std::vector<SettingSpec> table = joined({picture_settings(), guidance_settings(), animation_settings()});
  return table;
}

const SettingSpec* find_setting(std::string_view key) {
  std::string name(key);
  std::replace(name.begin(), name.end(), '-', '_');
  const auto table = settings_table();
  const auto named =
      std::find_if(table.begin(), table.end(), [&](const SettingSpec& spec) { return spec.key == name; });
  if (named != table.end()) return &*named;
  const auto known = std::find_if(table.begin(), table.end(), [&](const SettingSpec& spec) {
    return std::find(spec.aliases.begin(), spec.aliases.end(), name) != spec.aliases.end();
  });
  return known == table.end() ? nullptr : &*known;
}

const SettingSpec& require_setting(std::string_view key, const std::string& where) {
  if (const SettingSpec* spec = find_setting(key)) return *spec;
  std::vector<std::string> keys = {"preset"};
  for (const SettingSpec& spec : settings_table()) keys.push_back(spec.key);
  const std::optional<std::string> nearest = nearest_word(key, keys);
  throw RequestError(fmt::format("there is no setting '{}'", key), where,
                     nearest
                         ? fmt::format("did you mean '{}'?", *nearest)
                         : "see docs/settings.md for all settings; `disco import` reads the files of other programs");
}

bool is_schedulable(const SettingSpec& spec) { return std::holds_alternative<Schedule Settings::*>(spec.member); }

std::string type_name(const SettingSpec& spec) {
  return std::visit(Overloaded{
                        [](bool Settings::*) { return "true or false"; },
                        [](std::int64_t Settings::*) { return "whole number"; },
                        [](double Settings::*) { return "number"; },
                        [&](std::string Settings::*) {
                          return !spec.choices.empty() ? "word" : spec.is_path ? "path" : "text";
                        },
                        [](Schedule Settings::*) { return "number or schedule"; },
                        [](StepCount Settings::*) { return "steps or share"; },
                        [](std::vector<double> Settings::*) { return "list of numbers"; },
                        [](std::vector<ClipChoice> Settings::*) { return "list of CLIP models"; },
                        [](PromptFrames Settings::*) { return "prompts"; },
                        [](IntermediateSaves Settings::*) { return "count or list"; },
                    },
                    spec.member);
}

std::string allowed_values(const SettingSpec& spec) {
  if (!spec.choices.empty()) {
    std::string text = "one of ";
    for (std::size_t i = 0; i < spec.choices.size(); ++i) {
      text += fmt::format("{}\"{}\"", i == 0 ? "" : i + 1 == spec.choices.size() ? " or " : ", ", spec.choices[i]);
    }
    return text;
  }
  std::string text = std::visit(
      Overloaded{
          [](bool Settings::*) { return "true or false"; },
          [](std::int64_t Settings::*) { return "a whole number"; },
          [](double Settings::*) { return "a number"; },
          [&](std::string Settings::*) { return spec.is_path ? "the path of a file" : "text"; },
          [](Schedule Settings::*) {
            return "a number, or a schedule such as \"[12]*400+[4]*600\" or \"5000 -> 20000\"";
          },
          [](StepCount Settings::*) { return "a number of steps, or a share such as \"50%\""; },
          [](std::vector<double> Settings::*) { return "a number or a list of numbers"; },
          [](std::vector<ClipChoice> Settings::*) {
            return "a list of CLIP models, each \"NAME\", \"NAME:weight\" or {\"name\": …, \"weight\": …}";
          },
          [](PromptFrames Settings::*) {
            return "a text, a list of texts, or lists by frame as in {\"0\": [\"a castle:2\", \"blurry:-1\"]}";
          },
          [](IntermediateSaves Settings::*) { return "a count, or a list of steps or of shares such as [0.25, 0.5]"; },
      },
      spec.member);
  if (const std::string range = range_text(spec); !range.empty()) text += ", " + range;
  if (!spec.unit.empty()) text += fmt::format(" ({})", spec.unit);
  return text;
}

Settings default_settings() {
  static const Settings defaults = [] {
    Settings settings;
    for (const SettingSpec& spec : settings_table()) {
      const bool is_text = std::holds_alternative<std::string Settings::*>(spec.member);
      const bool is_word =
          is_text || is_schedulable(spec) || std::holds_alternative<StepCount Settings::*>(spec.member);
      const nlohmann::ordered_json value =
          is_word ? nlohmann::ordered_json(spec.default_text) : parse_json5(spec.default_text, spec.key).value;
      set_value(settings, spec, value, spec.key);
    }
    return settings;
  }();
  return defaults;
}

nlohmann::ordered_json to_json(const Settings& settings) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const SettingSpec& spec : settings_table()) object[spec.key] = get_value(settings, spec);
  return object;
}

}  // namespace disco
