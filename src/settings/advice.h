// The guide's rules as checks with reasons. Advice never blocks.
#pragma once

#include <string>
#include <vector>

#include "settings/settings.h"

namespace disco {

struct Advice {
  std::string key;      ///< The setting it is about.
  std::string message;  ///< What, and why.
  std::string suggestion;
};

std::vector<Advice> advise(const Settings& settings);

}  // namespace disco
