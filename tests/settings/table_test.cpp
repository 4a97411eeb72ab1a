// The settings table: complete, consistent, and reading and writing every value.
#include "settings/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstdlib>
#include <regex>
#include <set>

#include "core/error.h"
#include "core/file.h"
#include "settings/json5.h"
#include "settings/random_settings.h"

namespace disco {
namespace {

using Json = nlohmann::ordered_json;
using testing::ElementsAre;
using testing::HasSubstr;

Settings with(const std::string& key, const Json& value, std::vector<std::string>* warnings = nullptr) {
  Settings settings = default_settings();
  set_value(settings, require_setting(key, "test"), value, "here: " + key, warnings);
  return settings;
}

std::string error_of(const std::string& key, const Json& value) {
  try {
    with(key, value);
  } catch (const RequestError& error) {
    return error.what();
  }
  return "no error";
}

/// The names of the members of struct Settings, in order.
std::vector<std::string> members() {
  const std::string header = read_file(fs::path(DISCO_SOURCE_DIR) / "src/settings/settings.h");
  const std::size_t start = header.find("struct Settings {");
  const std::size_t end = header.find("bool operator==", start);
  std::vector<std::string> names;
  static const std::regex member(
      R"re(^  (?:bool|double|std::\w+(?:<[^;]*>)?|[A-Z]\w+)\s+(\w+(?:\{\})?(?:,\s*\w+(?:\{\})?)*);)re",
      std::regex::multiline);
  const std::string text = header.substr(start, end - start);
  static const std::regex name(R"(\w+)");
  for (std::sregex_iterator it(text.begin(), text.end(), member), last; it != last; ++it) {
    const std::string declared = (*it)[1];
    for (std::sregex_iterator part(declared.begin(), declared.end(), name); part != last; ++part)
      names.push_back(part->str());
  }
  return names;
}

TEST(Table, HasEveryMemberInTheStructsOrder) {
  std::vector<std::string> keys;
  for (const SettingSpec& spec : settings_table()) keys.push_back(spec.key);
  ASSERT_GT(keys.size(), 80u);
  std::vector<std::string> declared = members();
  EXPECT_EQ(std::set(keys.begin(), keys.end()), std::set(declared.begin(), declared.end()));
}

TEST(Table, NamesNothingTwice) {
  std::set<std::string> names;
  for (const SettingSpec& spec : settings_table()) {
    EXPECT_TRUE(names.insert(spec.key).second) << spec.key;
    for (const std::string& alias : spec.aliases) EXPECT_TRUE(names.insert(alias).second) << alias;
  }
}

TEST(Table, EveryEntryIsComplete) {
  for (const SettingSpec& spec : settings_table()) {
    EXPECT_FALSE(spec.group.empty()) << spec.key;
    EXPECT_GT(spec.help.size(), 10u) << spec.key;
    EXPECT_EQ(spec.help.back(), '.') << spec.key;
    EXPECT_EQ(spec.help.find('\n'), std::string::npos) << spec.key;
    EXPECT_FALSE(type_name(spec).empty());
  }
}

TEST(Table, DefaultsAreThoseOfDiscoDiffusion) {
  const Settings s = default_settings();
  EXPECT_EQ(s.width, 1280);
  EXPECT_EQ(s.height, 768);
  EXPECT_EQ(s.steps, 250);
  EXPECT_EQ(s.skip_steps, (StepCount{0.04, true}));
  EXPECT_EQ(s.skip_steps.of(250), 10);  // 5.7's number at 5.7's steps.
  EXPECT_EQ(s.skip_steps.of(8), 0);     // A quick try is not refused.
  EXPECT_EQ(s.clip_guidance_scale, Schedule(5000));
  EXPECT_EQ(s.range_scale, Schedule(150));
  EXPECT_EQ(s.cutn_batches, 4);
  EXPECT_EQ(s.init_scale, Schedule(1000));
  EXPECT_TRUE(s.clamp_grad);
  EXPECT_EQ(s.clamp_max, Schedule(0.05));
  EXPECT_EQ(s.eta, 0.8);
  EXPECT_EQ(s.cut_overview, Schedule::parse("[12]*400+[4]*600"));
  EXPECT_EQ(s.cut_ic_pow.text(), "[1]*1000");
  EXPECT_THAT(s.transformation_percent, ElementsAre(0.09));
  EXPECT_EQ(s.n_batches, 1);
  EXPECT_EQ(s.seed, -1);
  EXPECT_EQ(s.compat, "none");
  EXPECT_EQ(s.animation_mode, "None");
  EXPECT_EQ(s.frames_skip_steps, (StepCount{0.6, true}));
  ASSERT_EQ(s.clip_models.size(), 3u);
  EXPECT_EQ(s.clip_models[2].name, "RN50");
  EXPECT_TRUE(s.text_prompts.empty());
}

TEST(Table, FindsKeysWithDashesAndAliases) {
  EXPECT_EQ(find_setting("clip-guidance-scale")->key, "clip_guidance_scale");
  EXPECT_EQ(find_setting("prompt")->key, "text_prompts");
  EXPECT_EQ(find_setting("set_seed")->key, "seed");
  EXPECT_EQ(find_setting("nothing"), nullptr);
  EXPECT_TRUE(is_schedulable(*find_setting("tv_scale")));
  EXPECT_FALSE(is_schedulable(*find_setting("steps")));
}

TEST(Table, AnUnknownKeyNamesTheNearest) {
  try {
    require_setting("clip_guidence_scale", "file.json: line 3");
    FAIL();
  } catch (const RequestError& error) {
    EXPECT_STREQ(error.what(),
                 "file.json: line 3: there is no setting 'clip_guidence_scale'; did you mean 'clip_guidance_scale'?");
  }
  EXPECT_THROW(require_setting("zzzzzzzzzzzz", ""), RequestError);
}

TEST(Value, FlagsAreText) {
  EXPECT_EQ(with("steps", "100").steps, 100);
  EXPECT_EQ(with("steps", 100.0).steps, 100);
  EXPECT_FALSE(with("clamp_grad", "no").clamp_grad);
  EXPECT_FALSE(with("clamp_grad", 0).clamp_grad);
  EXPECT_TRUE(with("perlin_init", "True").perlin_init);
  EXPECT_EQ(with("eta", "0.5").eta, 0.5);
  EXPECT_EQ(with("tv_scale", "5000").tv_scale, Schedule(5000));
  EXPECT_EQ(with("skip_steps", "50%").skip_steps, (StepCount{0.5, true}));
  EXPECT_EQ(with("skip_steps", "12").skip_steps, (StepCount{12, false}));
  EXPECT_THAT(with("transformation_percent", "[0.1, 0.3]").transformation_percent, ElementsAre(0.1, 0.3));
  EXPECT_THAT(with("transformation_percent", "0.1,0.3").transformation_percent, ElementsAre(0.1, 0.3));
  EXPECT_THAT(with("transformation_percent", 0.25).transformation_percent, ElementsAre(0.25));
  EXPECT_EQ(with("intermediate_saves", "4").intermediate_saves.count, 4);
  EXPECT_THAT(with("intermediate_saves", "[10, 20]").intermediate_saves.steps, ElementsAre(10, 20));
  EXPECT_THAT(with("intermediate_saves", Json{0.25, 0.5}).intermediate_saves.shares, ElementsAre(0.25, 0.5));
  EXPECT_EQ(with("seed", "random").seed, -1);
  EXPECT_EQ(with("diffusion_sampling_mode", "PLMS").diffusion_sampling_mode, "plms");
  EXPECT_EQ(with("angle", 3).angle, "3");
}

TEST(Value, NullIsTheDefault) {
  EXPECT_EQ(with("init_image", nullptr).init_image, "");
  EXPECT_EQ(with("steps", nullptr).steps, 250);
  EXPECT_EQ(with("seed", nullptr).seed, -1);
}

TEST(Value, MessagesNamePlaceProblemAndWhatIsAllowed) {
  EXPECT_EQ(error_of("steps", 0), "here: steps: 0 is out of range; steps is a whole number, from 1 to 100000 (steps)");
  EXPECT_THAT(error_of("steps", "many"), HasSubstr("\"many\" is not a whole number"));
  EXPECT_THAT(error_of("steps", 2.5), HasSubstr("2.5 is not a whole number"));
  EXPECT_THAT(error_of("eta", 1.5), HasSubstr("1.5 is out of range"));
  EXPECT_THAT(error_of("clamp_grad", "maybe"), HasSubstr("neither true nor false"));
  EXPECT_THAT(error_of("perlin_mode", "blue"), HasSubstr("one of \"mixed\", \"color\" or \"gray\""));
  EXPECT_THAT(error_of("cut_overview", "[12]*400"),
              HasSubstr("here: cut_overview: the list has 400 entries, 600 of the 1000"));
  EXPECT_THAT(error_of("cut_icgray_p", "0 -> 2"), HasSubstr("2 is out of range"));
  EXPECT_THAT(error_of("skip_steps", 0.5), HasSubstr("or a share such as \"50%\""));
  EXPECT_THAT(error_of("skip_steps", "150%"), HasSubstr("150%"));
  EXPECT_THAT(error_of("intermediate_saves", Json{1.5}), HasSubstr("neither a step"));
  EXPECT_THAT(error_of("seed", std::uint64_t{1} << 63), HasSubstr("not a whole number"));
  EXPECT_THAT(error_of("eta", Json(INFINITY)), HasSubstr("not a number"));
  EXPECT_THAT(error_of("steps", Json::object()), HasSubstr("{} is not a whole number"));
  EXPECT_THAT(error_of("batch_name", Json::array()), HasSubstr("[] is not text"));
}

TEST(Value, ScheduleListsOf1000Values) {
  std::vector<double> values(1000, 12.0);
  values[999] = 4;
  EXPECT_EQ(with("cut_overview", values).cut_overview.at(999), 4);
  values.push_back(1);
  std::vector<std::string> warnings;
  EXPECT_EQ(with("cut_overview", values, &warnings).cut_overview.at(999), 4);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_THAT(warnings[0], HasSubstr("here: cut_overview: the list has 1001 entries"));
  EXPECT_THAT(error_of("cut_overview", Json{1, 2}), HasSubstr("998 of the 1000 are missing"));
  warnings.clear();
  with("cut_overview", "[1]*1500", &warnings);
  ASSERT_EQ(warnings.size(), 1u);
}

TEST(Value, PromptsInAllTheirForms) {
  const Prompt castle = parse_prompt("a castle:2");
  EXPECT_EQ(with("text_prompts", "a castle:2").text_prompts, (PromptFrames{{0, {castle}}}));
  EXPECT_EQ(with("text_prompts", Json{"a castle:2", "fog"}).text_prompts.at(0).size(), 2u);
  EXPECT_EQ(with("text_prompts", R"(["a castle:2", "fog"])").text_prompts.at(0)[0], castle);
  const Settings s = with("text_prompts", Json::parse(R"({"0": ["a castle:2"], "100": "fog"})"));
  EXPECT_EQ(s.text_prompts.at(0), std::vector<Prompt>{castle});
  EXPECT_EQ(s.text_prompts.at(100)[0].text, "fog");
  const Json object = Json::parse(R"([{"text": "a castle", "weight": "2 -> 1", "clip_models": ["RN50"]}, "fog"])");
  const std::vector<Prompt> prompts = with("text_prompts", object).text_prompts.at(0);
  EXPECT_EQ(prompts[0].weight.at(999), 1);
  EXPECT_THAT(prompts[0].clip_models, ElementsAre("RN50"));
  EXPECT_EQ(prompts[0].written, "a castle");
  EXPECT_EQ(with("text_prompts", Json::object()).text_prompts.size(), 0u);
  EXPECT_EQ(with("text_prompts", "[a] castle").text_prompts.at(0)[0].text, "[a] castle");
  EXPECT_THAT(error_of("text_prompts", Json::parse(R"({"first": ["a"]})")),
              HasSubstr("'first' is not the number of a frame"));
  EXPECT_THAT(error_of("text_prompts", Json::parse(R"([{"txt": "a"}])")),
              HasSubstr("here: text_prompts: prompt 1: 'txt'"));
  EXPECT_THAT(error_of("text_prompts", Json::parse(R"({"5": ["a", {"text": "b", "weight": "x"}]})")),
              HasSubstr("here: text_prompts: frame 5: prompt 2"));
  EXPECT_THAT(error_of("text_prompts", Json{5}), HasSubstr("neither a text nor an object"));
}

TEST(Value, ClipModelsInAllTheirForms) {
  const auto models = [](const Json& value) { return with("clip_models", value).clip_models; };
  EXPECT_EQ(models("ViT-B/32").size(), 1u);
  const std::vector<ClipChoice> list = models("ViT-B/32, RN50:0.5,ViT-B-32::laion2b_e16:[1, 0]*500");
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[1], (ClipChoice{"RN50", Schedule(0.5)}));
  EXPECT_EQ(list[2].name, "ViT-B-32::laion2b_e16");
  EXPECT_EQ(list[2].weight.at(1), 0);
  const Json object = Json::array({{{"name", "RN50"}, {"weight", "0: (1), 400: (0)"}}});
  EXPECT_EQ(models(object)[0].weight.at(200), 0.5);
  EXPECT_THAT(error_of("clip_models", Json{"RN50:[1]*5"}), HasSubstr("model 1"));
  EXPECT_THAT(error_of("clip_models", Json::parse(R"([{"weight": 1}])")), HasSubstr("no name"));
  EXPECT_THAT(error_of("clip_models", Json::parse(R"([{"name": "RN50", "wight": 1}])")), HasSubstr("'wight'"));
}

TEST(ValueProperty, SharesAreWrittenExactly) {
  EXPECT_TRUE(rc::check([] {
    const double share =
        *rc::gen::element(1.0, 1e-300, 4e-320) * *rc::gen::inRange(0, 1'000'001) / 1e6 / *rc::gen::inRange(1, 1000);
    Settings settings = default_settings();
    settings.skip_steps = {share, true};
    const SettingSpec& spec = *find_setting("skip_steps");
    Settings again;
    set_value(again, spec, get_value(settings, spec), "here");
    RC_ASSERT(again.skip_steps == settings.skip_steps);
  }));
}

TEST(ValueProperty, SettingsSurviveWritingAndReading) {
  EXPECT_TRUE(rc::check([] {
    const Settings settings = random_settings::settings();
    const std::string text = to_json(settings).dump(1, ' ', false, Json::error_handler_t::replace);
    const Json values = parse_json5(text, "random").value;
    Settings again;
    for (const auto& [key, value] : values.items()) set_value(again, require_setting(key, "random"), value, key);
    RC_ASSERT(again == settings);
    RC_ASSERT(values.size() == settings_table().size());
  }));
}

TEST(ValueProperty, AnyValueIsTakenOrRefusedInWords) {
  const auto value = [] {
    switch (*rc::gen::inRange(0, 6)) {
      case 0:
        return Json(random_settings::text());
      case 1:
        return Json(*rc::gen::arbitrary<double>());
      case 2:
        return Json(*rc::gen::arbitrary<std::int64_t>());
      case 3:
        return Json{random_settings::text(), *rc::gen::arbitrary<int>()};
      case 4:
        return Json{{random_settings::text(), random_settings::text()}, {"text", "a"}};
      default:
        return Json(*rc::gen::arbitrary<bool>());
    }
  };
  EXPECT_TRUE(rc::check([&] {
    const auto table = settings_table();
    const SettingSpec& spec = table[static_cast<std::size_t>(*rc::gen::inRange(0, static_cast<int>(table.size())))];
    Settings settings = default_settings();
    try {
      set_value(settings, spec, value(), "here");
      Settings again = default_settings();
      set_value(again, spec, get_value(settings, spec), "again");
      RC_ASSERT(again == settings);
    } catch (const RequestError& error) {
      RC_ASSERT(error.where().starts_with("here"));
    }
  }));
}

TEST(Manual, IsThePageOfTheDocumentation) {
  const fs::path page = fs::path(DISCO_SOURCE_DIR) / "docs/settings.md";
  if (std::getenv("DISCO_UPDATE_DOCS")) write_file(page, settings_manual());
  EXPECT_EQ(read_file(page), settings_manual()) << "run the tests with DISCO_UPDATE_DOCS=1 to write it anew";
}

TEST(Manual, HasEverySetting) {
  const std::string manual = settings_manual();
  for (const SettingSpec& spec : settings_table()) EXPECT_THAT(manual, HasSubstr("\n### " + spec.key + "\n"));
  EXPECT_EQ(manual.find("\n\n\n"), std::string::npos);
}

}  // namespace
}  // namespace disco
