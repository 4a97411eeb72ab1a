#include "cli/help.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"

namespace disco {
namespace {

constexpr int column = 34;  ///< Where the help of a flag starts.

std::size_t columns_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string flag_line(const std::string& flag, const std::string& help, int width) {
  std::string line = "  " + flag;
  if (columns_of(line) + 2 > static_cast<std::size_t>(column)) {
    line += "\n" + std::string(column, ' ');
  } else {
    line += std::string(static_cast<std::size_t>(column) - columns_of(line), ' ');
  }
  return line + wrap(help, width - column, column) + "\n";
}

/// What follows a setting's flag.
std::string placeholder(const SettingSpec& spec) {
  if (!spec.choices.empty() && !std::holds_alternative<bool Settings::*>(spec.member)) return join(spec.choices, "|");
  struct Name {
    std::string operator()(bool Settings::*) const { return ""; }
    std::string operator()(std::int64_t Settings::*) const { return "N"; }
    std::string operator()(double Settings::*) const { return "X"; }
    std::string operator()(std::string Settings::*) const { return "TEXT"; }
    std::string operator()(Schedule Settings::*) const { return "X|SCHEDULE"; }
    std::string operator()(StepCount Settings::*) const { return "N|N%"; }
    std::string operator()(std::vector<double> Settings::*) const { return "LIST"; }
    std::string operator()(std::vector<ClipChoice> Settings::*) const { return "NAMES"; }
    std::string operator()(PromptFrames Settings::*) const { return "PROMPTS"; }
    std::string operator()(IntermediateSaves Settings::*) const { return "N|LIST"; }
  };
  return spec.is_path ? "FILE" : std::visit(Name{}, spec.member);
}

std::string range(const SettingSpec& spec) {
  if (spec.minimum && spec.maximum) return fmt::format("{} to {}", *spec.minimum, *spec.maximum);
  if (spec.minimum) return fmt::format("at least {}", *spec.minimum);
  if (spec.maximum) return fmt::format("at most {}", *spec.maximum);
  return {};
}

std::string setting_help(const SettingSpec& spec) {
  std::string text = spec.help;
  std::vector<std::string> facts;
  if (!spec.unit.empty()) facts.push_back(spec.unit);
  if (const std::string limits = range(spec); !limits.empty()) facts.push_back(limits);
  if (!spec.default_text.empty() && spec.default_text.size() <= 40) facts.push_back("default " + spec.default_text);
  if (!facts.empty()) text += " (" + join(facts, "; ") + ")";
  return text;
}

std::string settings_flags(int width) {
  // Groups appear in the order of their first setting.
  std::vector<std::string> groups;
  for (const SettingSpec& spec : settings_table()) {
    if (std::find(groups.begin(), groups.end(), spec.group) == groups.end()) groups.push_back(spec.group);
  }
  std::string text;
  for (const std::string& group : groups) {
    text += "\n" + group + "\n";
    for (const SettingSpec& spec : settings_table()) {
      if (spec.group != group) continue;
      std::string flag = setting_flag(spec.key);
      if (std::holds_alternative<bool Settings::*>(spec.member)) {
        flag.insert(2, "[no-]");
      } else {
        flag += " " + placeholder(spec);
      }
      text += flag_line(flag, setting_help(spec), width);
    }
  }
  return text;
}

}  // namespace

std::string wrap(const std::string& text, int width, int indent) {
  const std::size_t room = static_cast<std::size_t>(std::max(width, 24));
  std::string result;
  std::size_t used = 0;
  for (const std::string& word : split(text, ' ')) {
    const std::size_t length = columns_of(word);
    if (used > 0 && used + 1 + length > room) {
      result += "\n" + std::string(static_cast<std::size_t>(indent), ' ');
      used = 0;
    } else if (used > 0) {
      result += ' ';
      ++used;
    }
    result += word;
    used += length;
  }
  return result;
}

std::string program_help(const std::vector<Verb>& verbs) {
  std::string text =
      "disco draws pictures from words, by CLIP-guided diffusion.\n\n"
      "  disco \"a lighthouse in a storm, oil on canvas\"\n\nVerbs\n";
  for (const Verb& verb : verbs) text += fmt::format("  {:<12}{}\n", verb.name, verb.summary);
  text +=
      "\nExamples\n"
      "  disco \"a red fox in the snow\" --seed 7 --steps 150 --out foxes\n"
      "  disco \"a harbour at dusk:2\" \"blurry:-1\" --preset landscape\n"
      "  disco run --settings old_settings.txt --set clip_guidance_scale=\"5000 -> 20000\"\n"
      "  disco draft \"a city of glass\" --count 16, then: disco run --finish 3,7\n"
      "  disco resume out\n"
      "\nGoing on\n"
      "  disco VERB --help        all flags of a verb; every setting is a flag of run\n"
      "  disco explain KEY        what one setting does\n"
      "  disco explain --settings each value and where it came from\n"
      "  docs/                    the manual\n";
  return text;
}

std::string verb_help(const Verb& verb, int width) {
  std::string text =
      fmt::format("disco {}{}{}\n\n{}\n", verb.name, verb.usage.empty() ? "" : " ", verb.usage, verb.summary);
  text[text.find("\n\n") + 2] =
      static_cast<char>(std::toupper(static_cast<unsigned char>(text[text.find("\n\n") + 2])));
  text.insert(text.size() - 1, ".");
  if (!verb.details.empty()) {
    text += "\n";
    for (const std::string& line : split(verb.details, '\n'))
      text += line.starts_with(' ') ? line + "\n" : wrap(line, width, 0) + "\n";
  }
  text += "\nFlags\n";
  for (const Flag& flag : verb.flags) {
    const std::string value = !flag.choices.empty() ? join(flag.choices, "|") : flag.value;
    std::string names = flag.letter.empty() ? flag.name : flag.letter + ", " + flag.name;
    if (!value.empty()) names += " " + value;
    text += flag_line(names, flag.help, width);
  }
  text += flag_line("--help", "this text", width);
  if (verb.takes_settings) text += settings_flags(width);
  return text;
}

std::string setting_entry(const SettingSpec& spec, int width) {
  std::string text = spec.key + "\n";
  const auto add = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) text += fmt::format("  {:<9} {}\n", name, wrap(value, width - 12, 12));
  };
  text += "  " + wrap(spec.help, width - 2, 2) + "\n\n";
  add("value", allowed_values(spec));
  add("default", spec.default_text);
  add("group", spec.group);
  add("live", spec.live ? "yes: it may be changed between the steps of a run" : "no: it holds for a whole run");
  add("also", join(spec.aliases, ", "));
  std::string flag = setting_flag(spec.key);
  if (std::holds_alternative<bool Settings::*>(spec.member)) {
    flag += ", --no-" + flag.substr(2);
  } else {
    flag += " " + placeholder(spec);
  }
  add("flag", flag);
  std::string variable = "DISCO_" + spec.key;
  std::transform(variable.begin(), variable.end(), variable.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  add("variable", variable);
  return text;
}

}  // namespace disco
