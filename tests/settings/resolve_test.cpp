// Layers of settings: which value wins, where it came from, and what is said when one is wrong.
#include "settings/resolve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "core/error.h"
#include "core/file.h"
#include "settings/scratch_folder.h"
#include "settings/table.h"

namespace disco {
namespace {

using Json = nlohmann::ordered_json;
using testing::Contains;
using testing::HasSubstr;

SettingsLayer layer(const std::string& origin, const std::string& values) {
  return {.origin = origin, .values = Json::parse(values)};
}

ResolvedSettings resolve(const std::vector<SettingsLayer>& layers) {
  return resolve_settings(layers, SettingsChecks::values);
}

std::string error_of(const std::vector<SettingsLayer>& layers) {
  try {
    resolve_settings(layers);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

/// A variable of the environment for the length of a scope.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

TEST(Resolve, StrongerLayersWinAndOriginsAreKept) {
  const ResolvedSettings r =
      resolve({layer("config.json", R"({"steps": 100, "eta": 0.5, "width": 640})"),
               layer("settings.json", R"({"steps": 200, "eta": 0.6})"), layer("flag", R"({"steps": "300"})")});
  EXPECT_EQ(r.settings.steps, 300);
  EXPECT_EQ(r.settings.eta, 0.6);
  EXPECT_EQ(r.settings.width, 640);
  EXPECT_EQ(r.origins.at("steps"), "flag");
  EXPECT_EQ(r.origins.at("eta"), "settings.json");
  EXPECT_EQ(r.origins.at("width"), "config.json");
  EXPECT_EQ(r.origins.at("height"), "default");
  EXPECT_EQ(r.origins.size(), settings_table().size());
}

TEST(Resolve, WithoutLayersGivesTheDefaults) {
  EXPECT_EQ(resolve({}).settings, default_settings());
  EXPECT_EQ(resolve({{}}).settings, default_settings());
  EXPECT_EQ(resolve({layer("empty", "{}")}).settings, default_settings());
}

TEST(Resolve, PresetsLieBelowEveryGivenValue) {
  const ResolvedSettings r =
      resolve({layer("config.json", R"({"clamp_max": 0.3})"), layer("flag", R"({"preset": "gold", "eta": 0.1})")});
  EXPECT_EQ(r.settings.clamp_max, Schedule(0.3));
  EXPECT_EQ(r.settings.eta, 0.1);
  EXPECT_FALSE(r.settings.use_secondary_model);
  EXPECT_EQ(r.origins.at("use_secondary_model"), "preset gold");
  EXPECT_EQ(r.origins.at("clamp_max"), "config.json");
}

TEST(Resolve, PresetsOfStrongerLayersLieOverThoseOfWeakerOnes) {
  const std::vector<std::vector<SettingsLayer>> ways = {
      {layer("config.json", R"({"preset": "gold"})"), layer("flag", R"({"preset": "cuts-d"})")},
      {layer("flag", R"({"preset": "gold, cuts-d"})")},
      {layer("flag", R"({"preset": ["gold", "cuts-d"]})")},
      {layer("config.json", R"({"preset": "pixelart"})"), layer("flag", R"({"preset": "none, gold, cuts-d"})")}};
  for (const std::vector<SettingsLayer>& layers : ways) {
    const ResolvedSettings r = resolve(layers);
    EXPECT_FALSE(r.settings.use_secondary_model);
    EXPECT_EQ(r.origins.at("cut_overview"), "preset cuts-d");
    EXPECT_EQ(r.origins.at("cut_ic_pow"), "preset gold");
    EXPECT_EQ(r.origins.at("diffusion_model"), "default");
  }
  EXPECT_EQ(resolve({layer("config.json", R"({"preset": "gold"})"), layer("flag", R"({"preset": "none"})")}).settings,
            default_settings());
}

TEST(Resolve, ErrorsNameTheLayerLineAndKey) {
  SettingsLayer file = layer("settings.json", R"({"steps": 0})");
  file.lines["steps"] = 3;
  EXPECT_THAT(error_of({file}), HasSubstr("settings.json: line 3: steps: 0 is out of range"));
  EXPECT_THAT(error_of({layer("flag", R"({"stepz": 5})")}),
              HasSubstr("flag: stepz: there is no setting 'stepz'; did you mean 'steps'?"));
  EXPECT_THAT(error_of({layer("flag", R"({"preset": "golf"})")}),
              HasSubstr("flag: preset: there is no preset 'golf'; did you mean 'gold'?"));
  EXPECT_THAT(error_of({layer("flag", R"({"preset": 5})")}), HasSubstr("a preset is named by text"));
  EXPECT_THAT(error_of({layer("f.json", R"({"prompt": "a", "text_prompts": "b"})")}),
              HasSubstr("'prompt' and 'text_prompts' are the same setting"));
  EXPECT_THAT(error_of({layer("f.json", "[1]")}), HasSubstr("an object of keys and values"));
}

TEST(Resolve, WhatDoesNotHoldTogetherNamesItsPlace) {
  SettingsLayer file = layer("settings.json", R"({"prompt": "a", "skip_steps": 250})");
  file.lines["skip_steps"] = 2;
  EXPECT_THAT(error_of({file}), HasSubstr("settings.json: line 2: skip_steps: 250 of 250 steps are skipped"));
  EXPECT_THAT(error_of({}), HasSubstr("text_prompts: there is no prompt"));
  EXPECT_EQ(error_of({layer("flag", R"({"prompt": "a"})")}), "no error");
}

TEST(Resolve, WarningsAreCollected) {
  const ResolvedSettings r =
      resolve_settings({layer("f.json", R"({"prompt": ["a", "b:-2"], "cut_overview": "[4]*1200", "width": 1000})")});
  EXPECT_THAT(r.warnings, Contains(HasSubstr("f.json: cut_overview: the list has 1200 entries")));
  EXPECT_THAT(r.warnings, Contains(HasSubstr("sum to -1")));
  EXPECT_THAT(r.warnings, Contains(HasSubstr("drawn at 960x768")));
}

TEST(Resolve, PathsStartAtTheirFile) {
  SettingsLayer file =
      layer("f.json", R"({"init_image": "init.png", "init_noise_mask": "flat", "inpaint_mask": "/abs/mask.png",
      "image_prompts": ["face.png:2", "http://example.org/a.png:3", {"path": "sub/../b.png", "weight": "1 -> 2"}]})");
  file.folder = "/home/artist";
  const Settings s = resolve({file}).settings;
  EXPECT_EQ(s.init_image, "/home/artist/init.png");
  EXPECT_EQ(s.init_noise_mask, "flat");
  EXPECT_EQ(s.inpaint_mask, "/abs/mask.png");
  const std::vector<Prompt>& prompts = s.image_prompts.at(0);
  EXPECT_EQ(prompts[0], parse_prompt("/home/artist/face.png:2"));
  EXPECT_EQ(prompts[1], parse_prompt("http://example.org/a.png:3"));
  EXPECT_EQ(prompts[2].text, "/home/artist/b.png");
  EXPECT_EQ(prompts[2].weight.at(999), 2);
  EXPECT_EQ(resolve({layer("flag", R"({"init_image": "init.png"})")}).settings.init_image, "init.png");
}

TEST(SettingsFile, IsReadAsJson5OrYaml) {
  const ScratchFolder folder("disco_resolve");
  const SettingsLayer json =
      read_settings_file(folder.write("a.json", "{\n  // fast\n  steps: 100,\n  init_image: 'i.png', steps: 120 }"));
  EXPECT_EQ(json.origin, (folder.path() / "a.json").string());
  EXPECT_EQ(json.values["steps"], 120);
  EXPECT_EQ(json.lines.at("init_image"), 4);
  EXPECT_EQ(json.folder, folder.path());
  const ResolvedSettings resolved = resolve({json});
  EXPECT_EQ(resolved.settings.init_image, (folder.path() / "i.png").string());
  EXPECT_THAT(resolved.warnings, Contains(HasSubstr("a.json: line 4: 'steps' is given twice")));
  const SettingsLayer yaml = read_settings_file(folder.write("b.yml", "steps: 100\ntext_prompts:\n  - a castle\n"));
  EXPECT_EQ(resolve_settings({yaml}).settings.text_prompts.at(0)[0].text, "a castle");
  EXPECT_TRUE(read_settings_file(folder.write("c.yaml", "")).values.empty());
  EXPECT_THROW(read_settings_file(folder.write("d.json", "[1]")), RequestError);
  EXPECT_THROW(read_settings_file(folder.write("e.json", "{steps 5}")), RequestError);
  EXPECT_THROW(read_settings_file(folder.path() / "missing.json"), Error);
}

TEST(Environment, GivesALayer) {
  const Variable steps("DISCO_STEPS", "77");
  const Variable preset("DISCO_PRESET", "cuts-a");
  const Variable empty("DISCO_ETA", "");
  const SettingsLayer environment = environment_layer();
  const ResolvedSettings r = resolve({environment});
  EXPECT_EQ(r.settings.steps, 77);
  EXPECT_EQ(r.origins.at("steps"), "DISCO_STEPS");
  EXPECT_EQ(r.origins.at("cut_overview"), "preset cuts-a");
  EXPECT_EQ(r.origins.at("eta"), "default");
  const Variable wrong("DISCO_WIDTH", "wide");
  EXPECT_THAT(error_of({environment_layer()}), HasSubstr("DISCO_WIDTH: \"wide\" is not a whole number"));
}

}  // namespace
}  // namespace disco
