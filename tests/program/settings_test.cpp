// Settings from files, flags, environment and presets, as `explain` and `import` show them, and what is refused.
#include <gmock/gmock.h>

#include "program/support.h"

namespace disco::program {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class SettingsTest : public NoEngineTest {
 protected:
  /// explain --settings --json with these flags.
  nlohmann::ordered_json explained(std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"explain", "settings", "--json"});
    const Outcome outcome = place.run(flags);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.json();
  }
  std::string refusal(std::vector<std::string> flags) {
    flags.insert(flags.begin(), "a fox");
    const Outcome outcome = place.run(flags);
    EXPECT_EQ(outcome.status, 2) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    return outcome.err;
  }
};

TEST_F(SettingsTest, EachLayerIsStrongerThanTheOneBelow) {
  place.write("home/.config/disco/settings.json", R"({"steps": 11, "eta": 0.1, "tv_scale": 1, "sat_scale": 1})");
  place.set("DISCO_ETA", "0.2");
  place.set("DISCO_TV_SCALE", "2");
  place.set("DISCO_SAT_SCALE", "2");
  place.write("one.json", R"({"tv_scale": 3, "sat_scale": 3, "clamp_max": 0.3})");
  place.write("two.yml", "sat_scale: 4\nclamp_max: 0.4\n");
  const auto all =
      explained({"--preset", "gold", "--settings", "one.json", "--settings", "two.yml", "--clamp-max", "0.5"});
  const auto expect = [&](const std::string& key, const nlohmann::ordered_json& value, const std::string& origin) {
    EXPECT_EQ(all[key]["value"], value) << key;
    EXPECT_THAT(all[key]["origin"].get<std::string>(), HasSubstr(origin)) << key;
  };
  expect("steps", 11, "disco/settings.json");
  expect("eta", 0.2, "DISCO_ETA");
  expect("tv_scale", 3, "one.json");
  expect("sat_scale", 4, "two.yml");
  expect("clamp_max", 0.5, "flag");
  expect("use_secondary_model", false, "preset gold");
  expect("perlin_mode", "mixed", "default");
}

TEST_F(SettingsTest, FlagsMayBeWrittenInSeveralWays) {
  const auto all = explained({"--clip_guidance_scale=5000 -> 20000", "--perlin-init", "true", "--no-clamp-grad",
                              "--fuzzy-prompt=false", "--seed", "-1", "--set", "eta=0.25", "--set",
                              "transformation-percent=[0.1, 0.2]", "--init-image="});
  EXPECT_EQ(all["clip_guidance_scale"]["value"], "5000 -> 20000");
  EXPECT_EQ(all["perlin_init"]["value"], true);
  EXPECT_EQ(all["clamp_grad"]["value"], false);
  EXPECT_EQ(all["fuzzy_prompt"]["origin"], "flag");
  EXPECT_EQ(all["seed"]["value"], -1);
  EXPECT_EQ(all["eta"]["value"], 0.25);
  EXPECT_EQ(all["transformation_percent"]["value"], nlohmann::ordered_json::parse("[0.1, 0.2]"));
  EXPECT_EQ(all["init_image"]["origin"], "flag");
}

TEST_F(SettingsTest, PromptsAreOperandsOrFlags) {
  const auto prompts = [&](const std::vector<std::string>& flags) {
    return explained(flags)["text_prompts"]["value"].dump();
  };
  EXPECT_THAT(prompts({"a fox:2", "[snow]", "--prompt", "blurry:-1"}), HasSubstr(R"("a fox:2","[snow]","blurry:-1")"));
  EXPECT_THAT(prompts({"--", "--not a flag"}), HasSubstr("--not a flag"));
}

TEST_F(SettingsTest, TheTableNamesEveryOrigin) {
  const Outcome outcome = place.run({"explain", "--settings", "--steps", "40"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, ::testing::ContainsRegex("steps +flag +40\n"));
  EXPECT_THAT(outcome.out, ::testing::ContainsRegex("eta +default +"));
  place.write("f.json", R"({"eta": 0.5})");
  EXPECT_THAT(place.run({"explain", "--settings", "f.json"}).out, ::testing::ContainsRegex("eta +f.json +0.5"));
}

TEST_F(SettingsTest, WhatARunWouldRefuseIsShownAnyhow) {
  const Outcome outcome = place.run({"explain", "settings", "a fox:1", "a dog:-1"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.err, HasSubstr("warning: a run would refuse this: "));
}

TEST_F(SettingsTest, AnUnknownKeyNamesFileLineAndNearest) {
  place.write("f.json", "{\n  \"steps\": 10,\n  \"clip_guidance_scal\": 5\n}\n");
  EXPECT_EQ(refusal({"--settings", "f.json"}),
            "disco: f.json: line 3: clip_guidance_scal: there is no setting 'clip_guidance_scal'; did you mean "
            "'clip_guidance_scale'?\n");
  EXPECT_THAT(refusal({"--set", "stepz=3"}), HasSubstr("did you mean 'steps'?"));
}

TEST_F(SettingsTest, WrongValuesNameTheirPlace) {
  place.write("f.json", "{\n  \"steps\": \"many\"\n}\n");
  EXPECT_THAT(refusal({"--settings", "f.json"}),
              StartsWith("disco: f.json: line 2: steps: \"many\" is not a whole number"));
  place.write("broken.json", "{\n  \"steps\": 10,\n  \"eta\" 1\n}\n");
  EXPECT_THAT(refusal({"--settings", "broken.json"}), StartsWith("disco: broken.json: line 3"));
  EXPECT_THAT(refusal({"--settings", "nowhere.json"}), HasSubstr("nowhere.json: there is no such file"));
  EXPECT_THAT(refusal({"--cut-overview", "[12]*900"}), HasSubstr("100 of the 1000 are missing"));
  EXPECT_THAT(refusal({"--width", "32"}), HasSubstr("width: 32 is out of range"));
  EXPECT_THAT(refusal({"--preset", "golf"}), HasSubstr("gold"));
  place.set("DISCO_STEPS", "abc");
  EXPECT_THAT(refusal({}), StartsWith("disco: DISCO_STEPS: \"abc\" is not a whole number"));
}

TEST_F(SettingsTest, ImportPrintsNativeSettingsAndSaysWhatItLeavesOut) {
  const fs::path fixtures = source_folder() / "tests" / "settings" / "fixtures";
  const Outcome old = place.run({"import", (fixtures / "disco_diffusion_5_7_settings.txt").string()});
  ASSERT_EQ(old.status, 0) << old.err;
  EXPECT_THAT(old.err, HasSubstr("settings of Disco Diffusion 5"));
  EXPECT_THAT(old.err, HasSubstr(" is ignored: "));
  const auto settings = old.json();
  EXPECT_TRUE(settings.contains("clip_guidance_scale"));
  EXPECT_TRUE(settings.contains("clip_models"));
  // What was printed is a settings file.
  place.write("native.json", old.out);
  EXPECT_EQ(explained({"--settings", "native.json"})["clip_guidance_scale"]["value"], settings["clip_guidance_scale"]);
  const Outcome written = place.run({"import", (fixtures / "discoart.yml").string(), "--out", "art.json"});
  EXPECT_EQ(written.status, 0) << written.err;
  EXPECT_EQ(written.out, "");
  EXPECT_TRUE(place.read_json("art.json").is_object());
  place.write("nothing.json", R"({"colour": "blue"})");
  EXPECT_EQ(place.run({"import", "nothing.json"}).status, 2);
}

TEST_F(SettingsTest, OldSettingsAreReadInPlace) {
  const fs::path old = source_folder() / "tests" / "settings" / "fixtures" / "disco_diffusion_5_7_settings.txt";
  const Outcome outcome = place.run({"explain", "settings", "--json", "--settings", old.string()});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.json()["clip_guidance_scale"]["origin"].get<std::string>(), HasSubstr("disco_diffusion_5_7"));
  EXPECT_THAT(outcome.err, HasSubstr("settings of Disco Diffusion 5"));
}

TEST_F(SettingsTest, ExplainTopics) {
  EXPECT_THAT(place.run({"explain", "clamp-max"}).out, StartsWith("clamp_max\n"));
  EXPECT_THAT(place.run({"explain", "clamp_max"}).out, HasSubstr("--clamp-max"));
  EXPECT_EQ(place.run({"explain", "clamp_max", "--json"}).json()["title"], "clamp_max");
  const Outcome unknown = place.run({"explain", "clamp_mux"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean clamp_max?"));
  EXPECT_EQ(place.run({"explain"}).status, 2);
  const auto presets = place.run({"explain", "presets", "--json"}).json();
  EXPECT_TRUE(std::any_of(presets.begin(), presets.end(), [](const auto& preset) { return preset["name"] == "gold"; }));
  EXPECT_THAT(place.run({"explain", "presets"}).out, HasSubstr("\n    clip_guidance_scale = "));
  const auto schema = place.run({"explain", "schema"}).json();
  EXPECT_EQ(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

TEST_F(SettingsTest, AdviceAnswersTheSettings) {
  const auto advice = place.run({"explain", "advice", "a fox", "--no-clamp-grad", "--json"}).json();
  EXPECT_TRUE(std::any_of(advice.begin(), advice.end(), [](const auto& item) { return item["key"] == "clamp_grad"; }))
      << advice;
  EXPECT_THAT(place.run({"explain", "advice", "a fox", "--no-clamp-grad"}).out, HasSubstr("clamp_grad\n  "));
}

}  // namespace
}  // namespace disco::program
