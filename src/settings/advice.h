// The guide's rules as checks with reasons. Advice never blocks; where mathematics or measurement contradicts the
// community's guide, the message says what is true.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "settings/settings.h"

namespace disco {

struct Advice {
  std::string key;      ///< The setting it is about.
  std::string message;  ///< What, and why.
  std::string suggestion;
  std::string rule;  ///< The name of the rule that spoke.
};

/// The numbers of one finding: what is put into the {places} of a rule's texts.
using AdviceFacts = std::map<std::string, std::string>;

struct AdviceRule {
  std::string name;  ///< Short and stable, for tests and for the manual.
  std::string key;   ///< The setting it is about.
  /// The facts, when the rule has something to say about these settings.
  std::function<std::optional<AdviceFacts>(const Settings&)> check;
  std::string message;     ///< May hold {places}.
  std::string suggestion;  ///< May hold {places}.
  std::string source;      ///< "guide", "mathematics", …: where the claim comes from.
};

/// All rules, by topic.
std::span<const AdviceRule> advice_rules();

/// What the rules have to say, in the order of advice_rules().
std::vector<Advice> advise(const Settings& settings);

/// ProgRockDiffusion's automatic clamp_max: 0.001 up to 35 steps, 0.0125 to 75, 0.02 to 150, 0.035 to 225, 0.05 to 300,
/// 0.075 to 500, else 0.1; doubled without the secondary model.
double usual_clamp_max(std::int64_t steps, bool use_secondary_model);

/// docs/advice.md: the rules as a page for the manual.
std::string advice_page();

}  // namespace disco
