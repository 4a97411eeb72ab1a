// The command line, taken apart: the verb, its flags, the settings among them, and what is left over (prompts, files).
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace disco {

/// A flag of the program that is not a setting.
struct Flag {
  std::string name;   ///< "--out"
  std::string value;  ///< What follows it, for --help ("DIR"); empty: a switch.
  std::string help;
  std::vector<std::string> choices = {};  ///< Allowed values; empty: any.
  std::string letter = {};                ///< "-o": a short form.
};

class CommandLine;
class Reporter;

struct Verb {
  std::string name;
  std::string summary;  ///< One line for `disco --help`.
  std::string usage;    ///< What follows `disco NAME`.
  std::string details;  ///< What `disco NAME --help` says between usage and flags.
  std::vector<Flag> flags;
  bool takes_settings = false;            ///< Every setting of the table is a flag, too.
  std::vector<std::string> actions = {};  ///< What may follow as the first operand, for completion.
  /// Returns the exit status.
  std::function<int(const CommandLine&, Reporter&)> run;
};

class CommandLine {
 public:
  const Verb* verb = nullptr;         ///< Null: `disco` itself, with --help or --version.
  std::vector<std::string> operands;  ///< Prompts, files, names: what is neither a flag nor a flag's value.
  /// Settings given as flags and by --set: keys of the table (or what was written after --set), values as text or JSON.
  nlohmann::ordered_json settings = nlohmann::ordered_json::object();

  bool has(std::string_view flag) const;
  /// The last value given; `otherwise` when the flag was not given.
  std::string text(std::string_view flag, std::string otherwise = {}) const;
  const std::vector<std::string>& all(std::string_view flag) const;
  /// Throw RequestError when the value is not a number of at least `least`.
  double number(std::string_view flag, double otherwise, double least) const;
  int whole_number(std::string_view flag, int otherwise, int least) const;

  std::map<std::string, std::vector<std::string>, std::less<>> flags;
};

/// The name of a setting's flag: --clip-guidance-scale.
std::string setting_flag(std::string_view key);

/// `arguments` are those after the program's name. Without a verb, the verb is "run". Throws RequestError that names
/// the nearest flag or verb.
CommandLine parse_command_line(std::vector<std::string> arguments, const std::vector<Verb>& verbs);

}  // namespace disco
