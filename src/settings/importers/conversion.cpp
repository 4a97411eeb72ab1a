#include "settings/importers/conversion.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "settings/table.h"

namespace disco {
namespace {

using Json = nlohmann::ordered_json;

/// Programs that keep all numbers as floating point write 250.0 for 250.
Json whole_where_whole(Json value) {
  constexpr double exact = 9007199254740992.0;  // 2^53
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (std::abs(number) < exact && number == std::floor(number)) return static_cast<std::int64_t>(number);
  }
  if (value.is_array()) {
    for (Json& element : value) element = whole_where_whole(std::move(element));
  }
  return value;
}

Json read_catalog() {
  const fs::path path = program_root() / "data" / "catalog.json";
  try {
    return Json::parse(read_file(path));
  } catch (const Json::exception&) {
    throw FormatError("the catalog of models cannot be read", path.string(), "install the program's data folder again");
  }
}

const Json& catalog() {
  static const Json entries = read_catalog();
  return entries;
}

}  // namespace

Conversion::Conversion(std::string source, const Json& object) : object_(object), checked_(default_settings()) {
  result_.source = std::move(source);
  result_.values = Json::object();
}

bool Conversion::has(const std::string& key) const {
  const auto found = object_.find(key);
  return found != object_.end() && !found->is_null();
}

const Json& Conversion::operator[](const std::string& key) const {
  static const Json none;
  const auto found = object_.find(key);
  return found == object_.end() ? none : *found;
}

double Conversion::number(const std::string& key, double otherwise) const {
  if (!has(key)) return otherwise;
  try {
    const Schedule schedule = schedule_of((*this)[key]);
    return schedule.is_constant() ? schedule.at(0) : otherwise;
  } catch (const RequestError&) {
    return otherwise;
  }
}

bool Conversion::boolean(const std::string& key, bool otherwise) const {
  const Json& value = (*this)[key];
  if (value.is_string()) {
    const std::string word = lower_case(value.get<std::string>());
    if (word == "true" || word == "false") return word == "true";
  }
  return number(key, otherwise ? 1 : 0) != 0;
}

void Conversion::take(const std::string& key, const std::string& native) {
  if (has(key)) take(key, native, (*this)[key]);
}

void Conversion::take(const std::string& key, const std::string& native, Json value) {
  std::string reason;
  if (accepted(native, value, reason)) {
    result_.values[native] = std::move(value);
    handled_.insert(key);
  } else {
    ignore(key, "not a value of " + native + ": " + reason);
  }
}

void Conversion::set(const std::string& native, Json value) {
  std::string reason;
  if (accepted(native, value, reason)) {
    result_.values[native] = std::move(value);
  } else {
    note(fmt::format("{} was left alone: {}", native, reason));
  }
}

void Conversion::ignore(const std::string& key, const std::string& reason) {
  if (!object_.contains(key) || !handled_.insert(key).second) return;
  result_.ignored.push_back({key, reason});
}

void Conversion::ignore_all(std::span<const IgnoredKey> keys) {
  for (const IgnoredKey& ignored : keys) ignore(ignored.key, ignored.reason);
}

void Conversion::note(const std::string& text) { result_.notes.push_back(text); }

ImportedSettings Conversion::finish() {
  for (const auto& [key, value] : object_.items()) {
    if (handled_.contains(key)) continue;
    const SettingSpec* spec = find_setting(key);
    if (value.is_null()) {
      ignore(key, "empty: the default is used");
    } else if (spec) {
      take(key, spec->key, value);
    } else {
      ignore(key, "no equivalent: there is no such setting here");
    }
  }
  return std::move(result_);
}

bool Conversion::accepted(const std::string& native, Json& value, std::string& reason) {
  value = whole_where_whole(std::move(value));
  std::vector<std::string> warnings;
  try {
    Settings trial = checked_;
    const SettingSpec& spec = require_setting(native, result_.source);
    set_value(trial, spec, value, native, &warnings);
    checked_ = std::move(trial);
    value = get_value(checked_, spec);
  } catch (const RequestError& error) {
    reason = error.problem();
    return false;
  }
  for (const std::string& warning : warnings) note(warning);
  return true;
}

const std::vector<std::pair<std::string, std::string>>& clip_switches() {
  static const std::vector<std::pair<std::string, std::string>> switches = [] {
    std::vector<std::pair<std::string, std::string>> found;
    for (const Json& entry : catalog()) {
      if (entry.contains("disco_key")) found.emplace_back(entry.at("disco_key"), entry.at("name"));
    }
    static constexpr std::array<std::string_view, 9> first_asked = {
        "ViTB32", "ViTB16", "ViTL14", "ViTL14_336px", "RN50", "RN50x4", "RN50x16", "RN50x64", "RN101"};
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
      return std::find(first_asked.begin(), first_asked.end(), a.first) <
             std::find(first_asked.begin(), first_asked.end(), b.first);
    });
    return found;
  }();
  return switches;
}

std::vector<std::string> catalog_names(const std::string& role) {
  std::vector<std::string> names;
  for (const Json& entry : catalog()) {
    if (entry.at("role") == role) names.push_back(entry.at("name"));
  }
  return names;
}

Schedule schedule_of(const Json& value) {
  if (value.is_boolean()) return {value.get<bool>() ? 1.0 : 0.0};
  if (value.is_number()) return {value.get<double>()};
  if (value.is_string()) return Schedule::parse(value.get<std::string>());
  if (!value.is_array()) throw RequestError("a number, a text or a list is expected");
  std::vector<double> values;
  for (const Json& entry : value) {
    if (!entry.is_number() && !entry.is_boolean()) throw RequestError("the list holds something that is no number");
    values.push_back(entry.is_boolean() ? static_cast<double>(entry.get<bool>()) : entry.get<double>());
  }
  return Schedule::from_values(values);
}

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : std::string(); }

Json from_first_frame(Json prompts) {
  Json frames = Json::object();
  frames["0"] = std::move(prompts);
  return frames;
}

Json prompt_object(const std::string& text, const Schedule& weight, const std::vector<std::string>& clip_models) {
  Json prompt = Json::object();
  prompt["text"] = text;
  prompt["weight"] = weight.is_constant() ? Json(weight.at(0)) : Json(weight.text());
  if (!clip_models.empty()) prompt["clip_models"] = clip_models;
  return prompt;
}

Json clip_object(const std::string& name, const Schedule& weight) {
  if (weight == Schedule(1.0)) return name;
  Json choice = Json::object();
  choice["name"] = name;
  choice["weight"] = weight.is_constant() ? Json(weight.at(0)) : Json(weight.text());
  return choice;
}

}  // namespace disco
