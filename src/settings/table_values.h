// Reading and writing one value of a setting as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "settings/table.h"

namespace disco {

/// What the readers of values need to know for their messages.
struct ValueContext {
  const SettingSpec& spec;
  const std::string& where;
  std::vector<std::string>* warnings;

  /// "WHERE: PROBLEM; KEY is ALLOWED".
  [[noreturn]] void fail(const std::string& problem) const;
  void warn(const std::string& message) const;
  /// Fails unless the spec's range holds the value.
  void check_range(double value) const;
};

void read_value(const ValueContext& context, const nlohmann::ordered_json& value, bool& result);
void read_value(const ValueContext& context, const nlohmann::ordered_json& value, std::int64_t& result);
void read_value(const ValueContext& context, const nlohmann::ordered_json& value, double& result);
void read_value(const ValueContext& context, const nlohmann::ordered_json& value, std::string& result);
void read_value(const ValueContext& context, const nlohmann::ordered_json& value, Schedule& result);
void read_value(const ValueContext& context, const nlohmann::ordered_json& value, StepCount& result);
void read_value(const ValueContext& context, const nlohmann::ordered_json& value, std::vector<double>& result);
void read_value(const ValueContext& context, const nlohmann::ordered_json& value, std::vector<ClipChoice>& result);
void read_value(const ValueContext& context, const nlohmann::ordered_json& value, PromptFrames& result);
void read_value(const ValueContext& context, const nlohmann::ordered_json& value, IntermediateSaves& result);

nlohmann::ordered_json write_value(const Schedule& value);
nlohmann::ordered_json write_value(const StepCount& value);
nlohmann::ordered_json write_value(const std::vector<ClipChoice>& value);
nlohmann::ordered_json write_value(const PromptFrames& value);
nlohmann::ordered_json write_value(const IntermediateSaves& value);
/// A whole number where it is one.
nlohmann::ordered_json write_number(double value);

/// The whole of `text` as a finite number, or nothing.
std::optional<double> text_number(std::string_view text);
/// A share as "28.5%", and back: exactly, by moving the decimal point.
std::string share_text(double share);
std::optional<double> share_number(std::string_view text);

/// A text that is JSON for a list or an object (flags are text) as its value; everything else as it is.
nlohmann::ordered_json unpacked(const nlohmann::ordered_json& value);

}  // namespace disco
