#include "cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "core/error.h"
#include "core/text.h"
#include "settings/table.h"

namespace disco {
namespace {

std::string help_command(const Verb& verb) { return "disco " + verb.name + " --help"; }

/// "--a_b=c" becomes "--a-b=c": the keys of settings files may be written as they are.
std::string with_dashes(std::string argument) {
  if (!argument.starts_with("--")) return argument;
  const auto end = argument.begin() + static_cast<std::ptrdiff_t>(std::min(argument.find('='), argument.size()));
  std::replace(argument.begin(), end, '_', '-');
  return argument;
}

bool is_truth_word(const std::string& word) {
  static const std::set<std::string> words = {"true", "false", "on", "off", "yes", "no", "1", "0"};
  return words.contains(lower_case(word));
}

const Verb* find_verb(const std::vector<Verb>& verbs, std::string_view name) {
  const auto found = std::find_if(verbs.begin(), verbs.end(), [&](const Verb& verb) { return verb.name == name; });
  return found == verbs.end() ? nullptr : &*found;
}

/// Whether one letter too many, too few, wrong or two swapped letters make the difference.
bool one_slip_apart(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty() && a.front() == b.front()) a.remove_prefix(1), b.remove_prefix(1);
  while (!a.empty() && !b.empty() && a.back() == b.back()) a.remove_suffix(1), b.remove_suffix(1);
  if (a.size() <= 1 && b.size() <= 1) return true;
  return a.size() == 2 && b.size() == 2 && a[0] == b[1] && a[1] == b[0];
}

/// A first word that is nearly a verb is more likely a slip than a prompt, if it is long enough to tell.
void refuse_misspelled_verb(const std::string& word, const std::vector<Verb>& verbs) {
  if (word.size() < 4) return;
  for (const Verb& verb : verbs) {
    if (verb.name.size() < 5 || !one_slip_apart(word, verb.name)) continue;
    throw RequestError(fmt::format("'{}' is not a verb", word), {},
                       fmt::format("did you mean 'disco {}'? To draw the word: disco run {}", verb.name, word));
  }
}

class Parser {
 public:
  explicit Parser(const Verb& verb) : verb_(verb), app_("", "disco") {
    app_.set_help_flag();
    app_.allow_extras();
    add_switch("--help,-h");
    for (const Flag& flag : verb.flags) {
      const std::string names = flag.letter.empty() ? flag.name : flag.name + "," + flag.letter;
      if (flag.value.empty() && flag.choices.empty()) {
        add_switch(names);
      } else {
        add_valued(names);
      }
    }
    if (!verb.takes_settings) return;
    for (const SettingSpec& spec : settings_table()) {
      const std::string flag = setting_flag(spec.key);
      settings_[flag] = &spec;
      if (std::holds_alternative<bool Settings::*>(spec.member)) {
        add_switch(flag + ",!--no-" + flag.substr(2));
        booleans_.insert(flag);
        booleans_.insert("--no-" + flag.substr(2));
      } else {
        add_valued(flag);
      }
    }
  }

  CommandLine parse(std::vector<std::string> arguments) {
    CommandLine line;
    line.verb = &verb_;
    std::vector<std::string> literal;  // After "--" nothing is a flag.
    if (const auto end = std::find(arguments.begin(), arguments.end(), "--"); end != arguments.end()) {
      literal.assign(end + 1, arguments.end());
      arguments.erase(end, arguments.end());
    }
    arguments = prepare(std::move(arguments));
    std::reverse(arguments.begin(), arguments.end());
    parse_with_library(std::move(arguments));
    for (const std::string& rest : app_.remaining()) {
      if (rest.size() > 1 && rest[0] == '-') refuse_flag(rest);
      line.operands.push_back(rest);
    }
    line.operands.insert(line.operands.end(), literal.begin(), literal.end());
    for (const CLI::Option* option : app_.get_options()) {
      if (option->count() == 0) continue;
      const std::string flag = "--" + option->get_lnames().front();
      for (const std::string& value : option->results()) {
        if (value.starts_with("--") && app_.get_option_no_throw(value.substr(0, value.find('='))) != nullptr) {
          throw RequestError("a value is missing", flag,
                             fmt::format("'{}' is a flag; see {}", value, help_command(verb_)));
        }
      }
      if (const auto setting = settings_.find(flag); setting != settings_.end()) {
        line.settings[setting->second->key] = option->results().back();
      } else {
        line.flags[flag] = option->results();
      }
    }
    check_choices(line);
    return line;
  }

 private:
  void add_switch(const std::string& names) {
    CLI::Option* option = app_.add_flag(names);
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    known_.push_back("--" + option->get_lnames().front());
  }

  void add_valued(const std::string& names) {
    CLI::Option* option = app_.add_option(names);
    option->expected(1)->allow_extra_args(false)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    known_.push_back("--" + option->get_lnames().front());
  }

  std::vector<std::string> prepare(std::vector<std::string> arguments) const {
    std::vector<std::string> prepared;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      std::string argument = with_dashes(arguments[i]);
      if (booleans_.contains(argument) && i + 1 < arguments.size() && is_truth_word(arguments[i + 1])) {
        argument += "=" + arguments[++i];
      } else if (argument.starts_with("--") && argument.find('=') + 1 == argument.size()) {
        // The library would take the next argument for the value.
        prepared.push_back(argument.substr(0, argument.size() - 1));
        argument.clear();
      } else if (argument == "--settings" && verb_.name == "explain" &&
                 (i + 1 == arguments.size() || arguments[i + 1].starts_with("--"))) {
        // Without a file it is the topic.
        prepared.push_back(argument);
        argument.clear();
      }
      prepared.push_back(std::move(argument));
    }
    return prepared;
  }

  void parse_with_library(std::vector<std::string> reversed) {
    try {
      app_.parse(std::move(reversed));
    } catch (const CLI::ArgumentMismatch& error) {
      const std::string message = error.what();
      throw RequestError("a value is missing", message.substr(0, message.find_first_of(":, ")),
                         "see " + help_command(verb_));
    } catch (const CLI::ParseError& error) {
      throw RequestError(error.what(), "command line", "see " + help_command(verb_));
    }
  }

  [[noreturn]] void refuse_flag(const std::string& argument) const {
    const std::string name = with_dashes(argument).substr(0, argument.find('='));
    const auto nearest = nearest_word(name, known_);
    throw RequestError(
        fmt::format("there is no flag {}", argument.substr(0, argument.find('='))), {},
        nearest ? fmt::format("did you mean {}? See {}", *nearest, help_command(verb_)) : "see " + help_command(verb_));
  }

  void check_choices(const CommandLine& line) const {
    for (const Flag& flag : verb_.flags) {
      if (flag.choices.empty()) continue;
      for (const std::string& value : line.all(flag.name)) {
        if (std::find(flag.choices.begin(), flag.choices.end(), value) != flag.choices.end()) continue;
        throw RequestError(fmt::format("'{}' is not one of its values", value), flag.name,
                           "choose " + join(flag.choices, ", "));
      }
    }
  }

  const Verb& verb_;
  CLI::App app_;
  std::vector<std::string> known_;
  std::map<std::string, const SettingSpec*> settings_;
  std::set<std::string> booleans_;
};

/// --set KEY=VALUE: VALUE is JSON where it reads as JSON, else text.
void add_assignments(CommandLine& line) {
  for (const std::string& assignment : line.all("--set")) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw RequestError(fmt::format("'{}' assigns nothing", assignment), "--set", "write --set KEY=VALUE");
    }
    std::string key(trim(assignment.substr(0, equals)));
    std::replace(key.begin(), key.end(), '-', '_');
    const std::string text = assignment.substr(equals + 1);
    const auto value = nlohmann::ordered_json::parse(text, nullptr, false);
    line.settings[key] = value.is_discarded() ? nlohmann::ordered_json(text) : value;
  }
}

}  // namespace

std::string setting_flag(std::string_view key) {
  std::string flag = "--" + std::string(key);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

bool CommandLine::has(std::string_view flag) const { return flags.find(flag) != flags.end(); }

const std::vector<std::string>& CommandLine::all(std::string_view flag) const {
  static const std::vector<std::string> none;
  const auto found = flags.find(flag);
  return found == flags.end() ? none : found->second;
}

std::string CommandLine::text(std::string_view flag, std::string otherwise) const {
  return has(flag) ? all(flag).back() : std::move(otherwise);
}

double CommandLine::number(std::string_view flag, double otherwise, double least) const {
  if (!has(flag)) return otherwise;
  const std::string value = text(flag);
  double result = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), result);
  if (error != std::errc() || end != value.data() + value.size() || !std::isfinite(result) || result < least) {
    throw RequestError(fmt::format("'{}' is not a number of at least {}", value, least), std::string(flag));
  }
  return result;
}

int CommandLine::whole_number(std::string_view flag, int otherwise, int least) const {
  if (!has(flag)) return otherwise;
  const std::string value = text(flag);
  int result = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), result);
  if (error != std::errc() || end != value.data() + value.size() || result < least) {
    throw RequestError(fmt::format("'{}' is not a whole number of at least {}", value, least), std::string(flag));
  }
  return result;
}

CommandLine parse_command_line(std::vector<std::string> arguments, const std::vector<Verb>& verbs) {
  const std::string first = arguments.empty() ? "--help" : arguments.front();
  if (first == "--help" || first == "-h" || first == "help" || first == "--version") {
    if (first == "help" && arguments.size() > 1) {
      const Verb* verb = find_verb(verbs, arguments[1]);
      if (verb == nullptr)
        throw RequestError(fmt::format("there is no verb '{}'", arguments[1]), {}, "see disco --help");
      return Parser(*verb).parse({"--help"});
    }
    CommandLine line;
    line.flags[first == "--version" ? "--version" : "--help"] = {};
    return line;
  }
  const Verb* verb = find_verb(verbs, first);
  const bool named = verb != nullptr;
  if (named) {
    arguments.erase(arguments.begin());
  } else {
    refuse_misspelled_verb(first, verbs);
    verb = find_verb(verbs, "run");
  }
  CommandLine line = Parser(*verb).parse(std::move(arguments));
  if (!named && !line.operands.empty() && first.starts_with("-") &&
      find_verb(verbs, line.operands.front()) != nullptr) {
    throw RequestError(fmt::format("the verb '{}' goes first", line.operands.front()), {},
                       fmt::format("write: disco {} {} …", line.operands.front(), first));
  }
  add_assignments(line);
  return line;
}

}  // namespace disco
