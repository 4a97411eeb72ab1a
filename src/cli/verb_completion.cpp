// completion: the shell's help with verbs and flags.
#include <fmt/format.h>

#include "cli/text_table.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "core/text.h"
#include "settings/table.h"

namespace disco {
namespace {

std::vector<std::string> setting_words() {
  std::vector<std::string> words;
  for (const SettingSpec& spec : settings_table()) {
    const std::string flag = setting_flag(spec.key);
    words.push_back(flag);
    if (std::holds_alternative<bool Settings::*>(spec.member)) words.push_back("--no-" + flag.substr(2));
  }
  return words;
}

/// Values of a flag that has few of them: cases of the word before the cursor.
std::string choice_cases() {
  std::string cases;
  for (const Flag& flag : verbs().front().flags) {
    if (!flag.choices.empty()) cases += fmt::format("    {}) words=\"{}\" ;;\n", flag.name, join(flag.choices, " "));
  }
  for (const SettingSpec& spec : settings_table()) {
    if (!spec.choices.empty())
      cases += fmt::format("    {}) words=\"{}\" ;;\n", setting_flag(spec.key), join(spec.choices, " "));
  }
  std::vector<std::string> names;
  for (const Preset& preset : presets()) names.push_back(preset.name);
  return cases + fmt::format("    --preset) words=\"{}\" ;;\n", join(names, " "));
}

std::string bash_script() {
  std::vector<std::string> names;
  std::string flags;
  for (const Verb& verb : verbs()) {
    names.push_back(verb.name);
    std::vector<std::string> words = verb.actions;
    for (const Flag& flag : verb.flags) words.push_back(flag.name);
    words.push_back("--help");
    flags += fmt::format("    {}) words=\"{}{}\" ;;\n", verb.name, join(words, " "),
                         verb.takes_settings ? " $settings" : "");
  }
  return fmt::format(
      "# disco completion bash > ~/.local/share/bash-completion/completions/disco\n"
      "_disco() {{\n"
      "  local settings=\"{}\"\n"
      "  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} words=\"\"\n"
      "  case $previous in\n{}  esac\n"
      "  if [ -z \"$words\" ]; then\n"
      "    if [ \"$COMP_CWORD\" = 1 ]; then words=\"{}\"; else case ${{COMP_WORDS[1]}} in\n{}    *) words=$settings "
      ";;\n"
      "    esac; fi\n"
      "  fi\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
      "}}\n"
      "complete -o default -F _disco disco ./disco\n",
      join(setting_words(), " "), choice_cases(), join(names, " "), flags);
}

int completion(const CommandLine& line, Reporter& /*reporter*/) {
  if (line.operands != std::vector<std::string>{"bash"}) {
    throw RequestError("it knows bash alone", "disco completion", "write: disco completion bash");
  }
  print(bash_script());
  return 0;
}

}  // namespace

Verb completion_verb() {
  return {"completion", "print a completion script for the shell", "bash", "", {}, false, {"bash"}, completion};
}

}  // namespace disco
