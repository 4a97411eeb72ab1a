// The settings table as a JSON Schema, for editors and for forms.
#include <fmt/format.h>

#include <cmath>

#include "settings/resolve.h"
#include "settings/table.h"

namespace disco {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) { return std::floor(value) == value ? Json(static_cast<std::int64_t>(value)) : Json(value); }

/// `schema` with the spec's limits.
Json limited(Json schema, const SettingSpec& spec) {
  if (spec.minimum) schema["minimum"] = number(*spec.minimum);
  if (spec.maximum) schema["maximum"] = number(*spec.maximum);
  return schema;
}

Json reference(const char* name) { return {{"$ref", fmt::format("#/$defs/{}", name)}}; }

Json any_of(std::initializer_list<Json> schemas) { return {{"anyOf", Json(std::vector<Json>(schemas))}}; }

Json text_schema(const SettingSpec& spec) {
  Json schema = {{"type", "string"}};
  if (!spec.choices.empty()) schema["enum"] = spec.choices;
  return schema;
}

Json intermediate_saves_schema(const SettingSpec& spec) {
  const Json item = any_of(
      {{{"type", "integer"}, {"minimum", 1}}, {{"type", "number"}, {"exclusiveMinimum", 0}, {"exclusiveMaximum", 1}}});
  return any_of({limited({{"type", "integer"}}, spec), {{"type", "array"}, {"items", item}}});
}

struct SchemaOf {
  const SettingSpec& spec;

  Json operator()(bool Settings::*) const { return {{"type", "boolean"}}; }
  Json operator()(std::int64_t Settings::*) const { return limited({{"type", "integer"}}, spec); }
  Json operator()(double Settings::*) const { return limited({{"type", "number"}}, spec); }
  Json operator()(std::string Settings::*) const { return text_schema(spec); }
  Json operator()(Schedule Settings::*) const {
    return any_of({limited({{"type", "number"}}, spec), reference("schedule")});
  }
  Json operator()(StepCount Settings::*) const {
    return any_of({limited({{"type", "integer"}}, spec), reference("share")});
  }
  Json operator()(std::vector<double> Settings::*) const {
    const Json item = limited({{"type", "number"}}, spec);
    return any_of({item, {{"type", "array"}, {"items", item}}});
  }
  Json operator()(std::vector<ClipChoice> Settings::*) const {
    return {{"type", "array"}, {"items", reference("clip_model")}};
  }
  Json operator()(PromptFrames Settings::*) const { return reference("prompts"); }
  Json operator()(IntermediateSaves Settings::*) const { return intermediate_saves_schema(spec); }
};

Json definitions() {
  const Json weight = any_of({{{"type", "number"}}, reference("schedule")});
  const Json text = {{"type", "string"}};
  Json defs;
  defs["schedule"] = {{"type", "string"},
                      {"description",
                       "A schedule over 1000 entries from noise to picture: [12]*400+[4]*600, 5000 -> 20000, "
                       "5000 ->(0.4) 20000, or 0: (1), 400: (2.5)."},
                      {"minLength", 1}};
  defs["share"] = {
      {"type", "string"}, {"description", "A share of the steps, such as 50%."}, {"pattern", "^[0-9.eE+-]+ *%$"}};
  defs["clip_model"] = any_of({{{"type", "string"}, {"minLength", 1}, {"description", "NAME or NAME:weight."}},
                               {{"type", "object"},
                                {"properties", {{"name", text}, {"weight", weight}}},
                                {"required", {"name"}},
                                {"additionalProperties", false}}});
  defs["prompt"] =
      any_of({{{"type", "string"}, {"description", "A text or a path, with an optional weight: a castle:2."}},
              {{"type", "object"},
               {"properties",
                {{"text", text},
                 {"path", text},
                 {"weight", weight},
                 {"clip_models", {{"type", "array"}, {"items", text}}},
                 {"written", text}}},
               {"additionalProperties", false}}});
  const Json list = {{"type", "array"}, {"items", reference("prompt")}};
  defs["prompts"] = any_of({reference("prompt"),
                            list,
                            {{"type", "object"},
                             {"description", "Lists of prompts by the frame from which they hold."},
                             {"patternProperties", {{"^[0-9]+$", any_of({reference("prompt"), list})}}},
                             {"additionalProperties", false}}});
  return defs;
}

}  // namespace

Json settings_schema() {
  Json properties = Json::object();
  const Json defaults = to_json(default_settings());
  for (const SettingSpec& spec : settings_table()) {
    Json property = std::visit(SchemaOf{spec}, spec.member);
    property["title"] = spec.key;
    property["description"] = spec.help;
    property["default"] = defaults[spec.key];
    property["x-group"] = spec.group;
    if (!spec.unit.empty()) property["x-unit"] = spec.unit;
    if (spec.live) property["x-live"] = true;
    if (spec.is_path) property["x-path"] = true;
    properties[spec.key] = std::move(property);
  }
  Json names = Json::array();
  for (const Preset& preset : presets()) names.push_back(preset.name);
  properties["preset"] = {{"title", "preset"},
                          {"description", "A named set of settings below all others; several are separated by commas."},
                          {"type", "string"},
                          {"examples", names}};
  return {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
          {"title", "Disco settings"},
          {"type", "object"},
          {"properties", properties},
          {"additionalProperties", false},
          {"$defs", definitions()}};
}

}  // namespace disco
