#include "settings/advice.h"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "settings/advice_rules.h"

namespace disco {
namespace {

/// Replaces each {place} by `replacement(place)`.
template <typename Replacement>
std::string fill(const std::string& text, Replacement replacement) {
  std::string filled;
  std::size_t position = 0;
  for (;;) {
    const std::size_t open = text.find('{', position);
    const std::size_t close = open == std::string::npos ? open : text.find('}', open);
    if (close == std::string::npos) return filled + text.substr(position);
    filled += text.substr(position, open - position) + replacement(text.substr(open + 1, close - open - 1));
    position = close + 1;
  }
}

std::vector<AdviceRule> all_rules() {
  std::vector<AdviceRule> rules;
  for (const auto topic :
       {prompt_advice, model_advice, size_advice, step_advice, start_advice, guidance_advice, cut_advice}) {
    std::vector<AdviceRule> more = topic();
    std::move(more.begin(), more.end(), std::back_inserter(rules));
  }
  return rules;
}

}  // namespace

std::span<const AdviceRule> advice_rules() {
  static const std::vector<AdviceRule> rules = all_rules();
  return rules;
}

std::vector<Advice> advise(const Settings& settings) {
  std::vector<Advice> advice;
  for (const AdviceRule& rule : advice_rules()) {
    const std::optional<AdviceFacts> facts = rule.check(settings);
    if (!facts) continue;
    const auto fact = [&](const std::string& place) { return facts->at(place); };
    advice.push_back({rule.key, fill(rule.message, fact), fill(rule.suggestion, fact), rule.name});
  }
  return advice;
}

std::string advice_page() {
  std::string page =
      "# Advice\n\n"
      "Before a run, Disco looks at the settings as an experienced friend would. Advice never blocks a run and never "
      "changes\n"
      "a setting. Each rule says where it comes from: *guide* is the community's experience, which may be different "
      "for your\n"
      "picture; *mathematics* follows from how the program works; *Disco Diffusion* and *ProgRockDiffusion* are those\n"
      "programs' own numbers. Where the community's charts and the mathematics disagree, the mathematics is told. The "
      "words in\n"
      "*italics* stand for the numbers of your settings.\n\n"
      "The page is made from the rules in src/settings/advice_*.cpp; the tests compare the two.\n";
  const auto place = [](const std::string& name) { return "*" + name + "*"; };
  std::string key;
  std::vector<AdviceRule> rules(advice_rules().begin(), advice_rules().end());
  std::stable_sort(rules.begin(), rules.end(), [](const AdviceRule& a, const AdviceRule& b) { return a.key < b.key; });
  for (const AdviceRule& rule : rules) {
    if (rule.key != key) page += fmt::format("\n## {}\n", rule.key);
    key = rule.key;
    page += fmt::format("\n**{}** ({}): {} *Try:* {}\n", rule.name, rule.source, fill(rule.message, place),
                        fill(rule.suggestion, place));
  }
  return page;
}

std::optional<AdviceFacts> when(bool holds, AdviceFacts facts) {
  if (!holds) return std::nullopt;
  return facts;
}

std::string number_text(double value) {
  if (std::abs(value) >= 100) return fmt::format("{:.0f}", value);
  return fmt::format("{:.3g}", value);
}

std::string percent_text(double share) {
  const double percent = 100 * share;
  return percent < 10 ? fmt::format("{:.2g} %", percent) : fmt::format("{:.0f} %", percent);
}

double mean_over(const Schedule& schedule, int first, int last) {
  double sum = 0;
  for (int entry = first; entry <= last; ++entry) sum += schedule.at(entry);
  return sum / (last - first + 1);
}

double most_over(const Schedule& schedule, int first, int last) {
  double most = schedule.at(first);
  for (int entry = first; entry <= last; ++entry) most = std::max(most, schedule.at(entry));
  return most;
}

double clean_share(std::int64_t steps, std::int64_t index) {
  if (steps > 10000) return clean_share(10000, index * 10000 / steps);  // The same curve, in fewer pieces.
  const std::int64_t total = steps < 1000 ? 1000 / steps * steps : steps;
  const double scale = 1000.0 / static_cast<double>(total);
  const std::int64_t last = index * (total / steps);
  double alpha_bar = 1;
  for (std::int64_t t = 0; t <= last; ++t) {
    const double along = total > 1 ? static_cast<double>(t) / static_cast<double>(total - 1) : 0;
    alpha_bar *= 1 - scale * (1e-4 + along * (2e-2 - 1e-4));
  }
  return std::sqrt(alpha_bar);
}

double skipped_share(const Settings& settings) {
  const auto steps = static_cast<int>(settings.steps);
  return steps > 0 ? static_cast<double>(settings.skip_steps.of(steps)) / steps : 0;
}

bool all_plms(const Settings& settings) {
  if (settings.plms_share > 0) return settings.plms_share >= 1;
  return settings.diffusion_sampling_mode == "plms";
}

bool has_start_picture(const Settings& settings) { return settings.perlin_init || !settings.init_image.empty(); }

double relative_area(const Settings& settings) {
  return static_cast<double>(settings.drawn_width() * settings.drawn_height()) / (1280.0 * 768.0);
}

}  // namespace disco
