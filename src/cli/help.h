// What --help prints, derived from the verbs and the table of settings.
#pragma once

#include <string>
#include <vector>

#include "cli/command_line.h"
#include "settings/table.h"

namespace disco {

/// `disco --help`: the verbs, some examples, and where to go on.
std::string program_help(const std::vector<Verb>& verbs);
/// `disco VERB --help`, wrapped to `width` columns.
std::string verb_help(const Verb& verb, int width);
/// What `disco explain KEY` prints.
std::string setting_entry(const SettingSpec& spec, int width);

/// `text` in lines of at most `width` columns, each but the first indented by `indent`.
std::string wrap(const std::string& text, int width, int indent);

}  // namespace disco
