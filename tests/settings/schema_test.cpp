// The JSON Schema of the settings, held against settings by a small validator of its keywords.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <regex>
#include <set>

#include "settings/random_settings.h"
#include "settings/resolve.h"
#include "settings/table.h"

namespace disco {
namespace {

using Json = nlohmann::ordered_json;

class Validator {
 public:
  explicit Validator(Json schema) : root_(std::move(schema)) {}
  bool accepts(const Json& value) const { return accepts(root_, value); }

 private:
  bool accepts(const Json& schema, const Json& value) const {
    for (const auto& [keyword, rule] : schema.items()) {
      if (!follows(schema, keyword, rule, value)) return false;
    }
    return true;
  }

  bool follows(const Json& schema, const std::string& keyword, const Json& rule, const Json& value) const {
    if (keyword == "$ref") return accepts(root_.at(Json::json_pointer(rule.get<std::string>().substr(1))), value);
    if (keyword == "type") return is_type(value, rule.get<std::string>());
    if (keyword == "enum") return std::find(rule.begin(), rule.end(), value) != rule.end();
    if (keyword == "anyOf") {
      return std::any_of(rule.begin(), rule.end(), [&](const Json& choice) { return accepts(choice, value); });
    }
    if (value.is_number()) {
      const auto number = value.get<double>();
      if (keyword == "minimum") return number >= rule.get<double>();
      if (keyword == "maximum") return number <= rule.get<double>();
      if (keyword == "exclusiveMinimum") return number > rule.get<double>();
      if (keyword == "exclusiveMaximum") return number < rule.get<double>();
    }
    if (value.is_string()) {
      if (keyword == "pattern") return std::regex_search(value.get<std::string>(), std::regex(rule.get<std::string>()));
      if (keyword == "minLength") return value.get<std::string>().size() >= rule.get<std::size_t>();
    }
    if (keyword == "items" && value.is_array()) {
      return std::all_of(value.begin(), value.end(), [&](const Json& item) { return accepts(rule, item); });
    }
    if (keyword == "required" && value.is_object()) {
      return std::all_of(rule.begin(), rule.end(),
                         [&](const Json& key) { return value.contains(key.get<std::string>()); });
    }
    if (keyword == "additionalProperties" && value.is_object()) return properties_accept(schema, value);
    return known(keyword);
  }

  /// Properties are checked together with additionalProperties, which every object schema here has.
  bool properties_accept(const Json& schema, const Json& value) const {
    for (const auto& [key, item] : value.items()) {
      if (schema.contains("properties") && schema["properties"].contains(key)) {
        if (!accepts(schema["properties"][key], item)) return false;
        continue;
      }
      bool matched = false;
      if (schema.contains("patternProperties")) {
        for (const auto& [pattern, rule] : schema["patternProperties"].items()) {
          if (!std::regex_search(key, std::regex(pattern))) continue;
          matched = true;
          if (!accepts(rule, item)) return false;
        }
      }
      if (!matched && schema["additionalProperties"] == false) return false;
    }
    return true;
  }

  static bool known(const std::string& keyword) {
    static const std::set<std::string> others = {"$schema",
                                                 "$defs",
                                                 "title",
                                                 "description",
                                                 "default",
                                                 "examples",
                                                 "x-group",
                                                 "x-unit",
                                                 "x-live",
                                                 "x-path",
                                                 "properties",
                                                 "patternProperties",
                                                 "additionalProperties",
                                                 "items",
                                                 "required",
                                                 "minimum",
                                                 "maximum",
                                                 "exclusiveMinimum",
                                                 "exclusiveMaximum",
                                                 "pattern",
                                                 "minLength"};
    if (!others.contains(keyword)) ADD_FAILURE() << "the schema uses a keyword unknown to the test: " << keyword;
    return true;
  }

  static bool is_type(const Json& value, const std::string& type) {
    if (type == "boolean") return value.is_boolean();
    if (type == "integer") return value.is_number_integer();
    if (type == "number") return value.is_number();
    if (type == "string") return value.is_string();
    if (type == "array") return value.is_array();
    if (type == "object") return value.is_object();
    ADD_FAILURE() << "unknown type " << type;
    return false;
  }

  Json root_;
};

const Validator& validator() {
  static const Validator instance(settings_schema());
  return instance;
}

TEST(Schema, AcceptsTheDefaultsAndPresets) {
  EXPECT_TRUE(validator().accepts(to_json(default_settings())));
  for (const Preset& preset : presets()) EXPECT_TRUE(validator().accepts(preset.values)) << preset.name;
}

TEST(Schema, AcceptsWhatIsWrittenAndItsDefaultsAreTheTables) {
  const Json schema = settings_schema();
  ASSERT_EQ(schema["properties"].size(), settings_table().size() + 1);
  for (const SettingSpec& spec : settings_table()) {
    const Json& property = schema["properties"][spec.key];
    EXPECT_EQ(property["description"], spec.help);
    EXPECT_EQ(property.contains("x-live"), spec.live);
    EXPECT_EQ(property["default"], get_value(default_settings(), spec));
  }
}

TEST(Schema, RefusesWhatTheTableRefuses) {
  for (const char* wrong :
       {R"({"steps": 0})", R"({"steps": "many"})", R"({"stepz": 5})", R"({"eta": 2})", R"({"perlin_mode": "blue"})",
        R"({"clamp_grad": "maybe"})", R"({"skip_steps": 0.5})", R"({"clip_models": [5]})",
        R"({"clip_models": [{"weight": 1}]})", R"({"text_prompts": {"first": ["a"]}})", R"({"text_prompts": [5]})",
        R"({"intermediate_saves": [1.5]})", R"({"cut_icgray_p": 2})", R"({"transformation_percent": [2]})", "[]"}) {
    EXPECT_FALSE(validator().accepts(Json::parse(wrong))) << wrong;
  }
}

TEST(SchemaProperty, AcceptsAllSettings) {
  EXPECT_TRUE(rc::check([] {
    const Json values = Json::parse(to_json(random_settings::settings()).dump());
    RC_ASSERT(validator().accepts(values));
  }));
}

}  // namespace
}  // namespace disco
