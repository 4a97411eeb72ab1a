// Random settings within the table's limits, for property tests.
#pragma once

#include <fmt/format.h>
#include <rapidcheck.h>

#include <cmath>
#include <string>
#include <vector>

#include "settings/prompt.h"
#include "settings/resolve.h"
#include "settings/table.h"

namespace disco::random_settings {

inline std::string text() {
  const auto piece =
      rc::gen::element<std::string>("a", "castle", " ", ":", "::", ",", "2", "0.5", "-1", "[", "]", "{", "}", "é", "\"",
                                    "'", "\\", "\n", "#", "http://", "/", ".png", "%", "true", "日本");
  std::string result;
  for (const std::string& part : *rc::gen::container<std::vector<std::string>>(piece)) result += part;
  return result;
}

inline double number(double low, double high) {
  const double share = *rc::gen::inRange(0, 1'000'001) / 1e6;
  const double value = *rc::gen::element(low, high, low + share * (high - low), std::floor(low + share * (high - low)));
  return value < low ? low : value;
}

/// Limits of a number for which the table may have none.
inline double low(const SettingSpec& spec) { return spec.minimum.value_or(-1e7); }
inline double high(const SettingSpec& spec) { return spec.maximum.value_or(1e7); }

inline Schedule schedule(double low, double high) {
  const double a = number(low, high), b = number(low, high);
  switch (*rc::gen::inRange(0, 5)) {
    case 0:
      return {a};
    case 1:
      return Schedule::parse(fmt::format("[{}]*400+[{}]*600", a, b));
    case 2:
      return Schedule::parse(fmt::format("{} ->(0.4) {}", a, b));
    case 3:
      return Schedule::parse(fmt::format("10: ({}), 500: ({})", a, b));
    default: {
      std::vector<double> values(1000, a);
      for (int i = 0; i < 10; ++i) values[static_cast<std::size_t>(*rc::gen::inRange(0, 1000))] = number(low, high);
      return Schedule::from_values(values);
    }
  }
}

inline Prompt prompt() {
  if (*rc::gen::arbitrary<bool>()) return parse_prompt(text());
  Prompt result;
  result.text = text();
  result.weight = schedule(-10, 10);
  result.written = *rc::gen::arbitrary<bool>() ? result.text : text();
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i) result.clip_models.push_back(text());
  return result;
}

inline void fill(const SettingSpec&, bool& value) { value = *rc::gen::arbitrary<bool>(); }
inline void fill(const SettingSpec& spec, std::int64_t& value) {
  value = static_cast<std::int64_t>(std::ceil(number(low(spec), high(spec))));
}
inline void fill(const SettingSpec& spec, double& value) { value = number(low(spec), high(spec)); }
inline void fill(const SettingSpec& spec, std::string& value) {
  value = spec.choices.empty() ? text() : *rc::gen::elementOf(spec.choices);
}
inline void fill(const SettingSpec& spec, Schedule& value) { value = schedule(low(spec), high(spec)); }
inline void fill(const SettingSpec& spec, StepCount& value) {
  value.share = *rc::gen::arbitrary<bool>();
  value.value = value.share ? number(0, 1) : std::ceil(number(low(spec), high(spec)));
}
inline void fill(const SettingSpec& spec, std::vector<double>& value) {
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) value.push_back(number(low(spec), high(spec)));
}
inline void fill(const SettingSpec&, std::vector<ClipChoice>& value) {
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
    value.push_back({*rc::gen::element<std::string>("ViT-B/32", "ViT-B-32::laion2b_e16", "RN50::yfcc15m::quickgelu",
                                                    "a:1", "x, y") +
                         text(),
                     schedule(-3, 3)});
  }
}
inline void fill(const SettingSpec&, PromptFrames& value) {
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i) {
    std::vector<Prompt>& prompts = value[*rc::gen::inRange(0, 1000)];
    for (int j = *rc::gen::inRange(0, 3); j > 0; --j) prompts.push_back(prompt());
  }
}
inline void fill(const SettingSpec& spec, IntermediateSaves& value) {
  if (*rc::gen::arbitrary<bool>()) {
    value.count = static_cast<int>(std::ceil(number(low(spec), high(spec))));
    return;
  }
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i) value.steps.push_back(*rc::gen::inRange(1, 1000));
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i) value.shares.push_back(number(1e-6, 1 - 1e-6));
}

/// To be called within a property.
inline Settings settings() {
  Settings result;
  for (const SettingSpec& spec : settings_table()) {
    std::visit([&](auto member) { fill(spec, result.*member); }, spec.member);
  }
  return result;
}

}  // namespace disco::random_settings
