#include "settings/table_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "core/error.h"
#include "core/text.h"
#include "settings/json5.h"

namespace disco {
namespace {

using Json = nlohmann::ordered_json;

constexpr double whole_limit = 9007199254740992.0;  // 2^53: every smaller whole number is a double.

bool is_whole(double value) { return std::floor(value) == value && std::abs(value) < whole_limit; }

/// The value for a message: as JSON, not too long.
std::string shown(const Json& value) {
  const std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() <= 60 ? text : text.substr(0, 56) + " …";
}

/// A number, or a text that is one.
std::optional<double> any_number(const Json& value) {
  if (value.is_number()) {
    const auto number = value.get<double>();
    return std::isfinite(number) ? std::optional(number) : std::nullopt;
  }
  return value.is_string() ? text_number(value.get_ref<const std::string&>()) : std::nullopt;
}

std::optional<std::int64_t> any_whole(const Json& value) {
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX) return std::nullopt;
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_string()) {
    const std::string_view text = trim(value.get_ref<const std::string&>());
    std::int64_t number = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc{} && stop == text.data() + text.size()) return number;
  }
  const std::optional<double> number = any_number(value);
  return number && is_whole(*number) ? std::optional(static_cast<std::int64_t>(*number)) : std::nullopt;
}

}  // namespace

void ValueContext::fail(const std::string& problem) const {
  throw RequestError(problem, where, fmt::format("{} is {}", spec.key, allowed_values(spec)));
}

void ValueContext::warn(const std::string& message) const {
  if (warnings) warnings->push_back(where + ": " + message);
}

void ValueContext::check_range(double value) const {
  if ((spec.minimum && value < *spec.minimum) || (spec.maximum && value > *spec.maximum)) {
    fail(fmt::format("{} is out of range", value));
  }
}

std::optional<double> text_number(std::string_view text) {
  text = trim(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || stop != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<double> share_number(std::string_view text) {
  text = trim(text);
  if (!text.ends_with('%')) return std::nullopt;
  text = trim(text.substr(0, text.size() - 1));
  const std::size_t exponent_at = text.find_first_of("eE");
  int exponent = 0;
  if (exponent_at != std::string_view::npos) {
    std::string_view digits = text.substr(exponent_at + 1);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    if (error != std::errc{} || stop != digits.data() + digits.size() || std::abs(exponent) > 1000) return std::nullopt;
  }
  return text_number(fmt::format("{}e{}", text.substr(0, exponent_at), exponent - 2));
}

std::string share_text(double share) {
  std::string shortest = fmt::format("{}%", share * 100);
  if (share_number(shortest) == share) return shortest;
  // Rounded by the multiplication: move the decimal point of the share's own digits.
  std::array<char, 32> digits{};
  const std::to_chars_result done =
      std::to_chars(digits.data(), digits.data() + digits.size(), share, std::chars_format::scientific);
  const std::string_view text(digits.data(), static_cast<std::size_t>(done.ptr - digits.data()));
  const std::size_t exponent_at = text.find('e');
  return fmt::format("{}e{}%", text.substr(0, exponent_at), std::stoi(std::string(text.substr(exponent_at + 1))) + 2);
}

Json write_number(double value) { return is_whole(value) ? Json(static_cast<std::int64_t>(value)) : Json(value); }

Json unpacked(const Json& value) {
  if (!value.is_string()) return value;
  const std::string_view text = trim(value.get_ref<const std::string&>());
  if (!text.starts_with('[') && !text.starts_with('{')) return value;
  try {
    return parse_json5(text, "").value;
  } catch (const RequestError&) {
    return value;
  }
}

void read_value(const ValueContext& context, const Json& value, bool& result) {
  if (value.is_boolean()) {
    result = value.get<bool>();
    return;
  }
  const std::string word = value.is_string() ? lower_case(trim(value.get_ref<const std::string&>())) : std::string();
  const std::optional<double> number = any_number(value);
  if (number == 1.0 || word == "true" || word == "yes" || word == "on") {
    result = true;
  } else if (number == 0.0 || word == "false" || word == "no" || word == "off") {
    result = false;
  } else {
    context.fail(fmt::format("{} is neither true nor false", shown(value)));
  }
}

void read_value(const ValueContext& context, const Json& value, std::int64_t& result) {
  if (context.spec.key == "seed" && (value == "random" || value == "random_seed")) {
    result = -1;
    return;
  }
  const std::optional<std::int64_t> number = any_whole(value);
  if (!number) context.fail(fmt::format("{} is not a whole number", shown(value)));
  context.check_range(static_cast<double>(*number));
  result = *number;
}

void read_value(const ValueContext& context, const Json& value, double& result) {
  const std::optional<double> number = any_number(value);
  if (!number) context.fail(fmt::format("{} is not a number", shown(value)));
  context.check_range(*number);
  result = *number;
}

void read_value(const ValueContext& context, const Json& value, std::string& result) {
  if (!value.is_string() && !value.is_number()) context.fail(fmt::format("{} is not text", shown(value)));
  std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  const std::vector<std::string>& choices = context.spec.choices;
  if (!choices.empty()) {
    const auto chosen = std::find_if(choices.begin(), choices.end(), [&](const std::string& choice) {
      return lower_case(choice) == lower_case(trim(text));
    });
    if (chosen == choices.end()) context.fail(fmt::format("{} is not known", shown(value)));
    text = *chosen;
  }
  result = std::move(text);
}

void read_value(const ValueContext& context, const Json& value, Schedule& result) {
  const Json given = value.is_string() ? value : unpacked(value);
  Schedule schedule;
  try {
    if (given.is_boolean()) {
      schedule = Schedule(given.get<bool>() ? 1 : 0);
    } else if (const std::optional<double> number = given.is_number() ? any_number(given) : std::nullopt) {
      schedule = Schedule::constant(*number);
    } else if (given.is_string()) {
      std::string warning;
      schedule = Schedule::parse(given.get_ref<const std::string&>(), &warning);
      if (!warning.empty()) context.warn(warning);
    } else if (given.is_array()) {
      std::vector<double> values;
      for (const Json& item : given) {
        double entry = 0;
        read_value(context, item.is_boolean() ? Json(item.get<bool>() ? 1 : 0) : item, entry);
        values.push_back(entry);
      }
      constexpr std::size_t entries = Schedule::entries;
      if (values.size() > entries) {
        context.warn(fmt::format("the list has {} entries; only the first {} are used", values.size(), entries));
        values.resize(entries);
      }
      if (values.size() < entries) {
        context.fail(fmt::format("the list has {} entries, {} of the {} are missing", values.size(),
                                 entries - values.size(), entries));
      }
      schedule = Schedule::from_values(values);
    } else {
      context.fail(fmt::format("{} is no schedule", shown(value)));
    }
  } catch (const RequestError& error) {
    if (!error.where().empty()) throw;
    throw RequestError(
        error.problem(), context.where,
        error.fix().empty() ? fmt::format("{} is {}", context.spec.key, allowed_values(context.spec)) : error.fix());
  }
  context.check_range(schedule.minimum());
  context.check_range(schedule.maximum());
  result = std::move(schedule);
}

void read_value(const ValueContext& context, const Json& value, StepCount& result) {
  if (value.is_string()) {
    if (const std::optional<double> share = share_number(value.get_ref<const std::string&>())) {
      if (*share < 0 || *share > 1) context.fail(fmt::format("{} is not a share from 0% to 100%", shown(value)));
      result = {*share, true};
      return;
    }
  }
  const std::optional<std::int64_t> steps = any_whole(value);
  if (!steps) context.fail(fmt::format("{} is no number of steps", shown(value)));
  context.check_range(static_cast<double>(*steps));
  result = {static_cast<double>(*steps), false};
}

Json write_value(const Schedule& value) {
  const double first = value.at(0);
  if (value.is_constant() && text_number(value.text()) == first) return write_number(first);
  return value.text();
}

Json write_value(const StepCount& value) {
  return value.share ? Json(share_text(value.value)) : write_number(value.value);
}

Json get_value(const Settings& settings, const SettingSpec& spec) {
  return std::visit(
      [&](auto member) -> Json {
        using Value = std::remove_cvref_t<decltype(settings.*member)>;
        if constexpr (std::is_same_v<Value, double>) {
          return write_number(settings.*member);
        } else if constexpr (std::is_same_v<Value, std::vector<double>>) {
          Json list = Json::array();
          for (const double item : settings.*member) list.push_back(write_number(item));
          return list;
        } else if constexpr (std::is_same_v<Value, bool> || std::is_same_v<Value, std::int64_t> ||
                             std::is_same_v<Value, std::string>) {
          return settings.*member;
        } else {
          return write_value(settings.*member);
        }
      },
      spec.member);
}

void set_value(Settings& settings, const SettingSpec& spec, const Json& value, const std::string& where,
               std::vector<std::string>* warnings) {
  const ValueContext context{spec, where, warnings};
  std::visit(
      [&](auto member) {
        if (value.is_null()) {
          // null stands for "not given", as None does in 5.7's files.
          settings.*member = default_settings().*member;
        } else {
          read_value(context, value, settings.*member);
        }
      },
      spec.member);
}

}  // namespace disco
