// Every rule of the advice with settings that it speaks about and settings that it leaves alone.
#include "settings/advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <set>

#include "core/file.h"
#include "settings/advice_rules.h"
#include "settings/coverage.h"
#include "settings/resolve.h"
#include "settings/table.h"

namespace disco {
namespace {

using testing::HasSubstr;
using Change = std::function<void(Settings&)>;

Prompt prompt(const std::string& text, const Schedule& weight, std::vector<std::string> clip_models = {}) {
  return {text, weight, std::move(clip_models), text};
}

/// Settings that no rule has anything to say about.
Settings quiet() {
  Settings s = default_settings();
  s.text_prompts[0] = {prompt("a castle", 2), prompt("blurry", -1)};
  s.clip_models = {{"ViT-B/32", 1}, {"ViT-B/16", 1}, {"ViT-L/14", 1}, {"RN50x4", 1}};
  s.use_secondary_model = true;
  s.width = 1280;
  s.height = 768;
  s.steps = 250;
  s.skip_steps = {0, false};
  s.display_rate = 10;
  s.clip_guidance_scale = 15000;
  s.clamp_max = 0.075;
  s.cut_overview = Schedule::parse("[14]*200+[12]*200+[4]*400+[0]*200");
  s.cut_innercut = Schedule::parse("[2]*200+[4]*200+[12]*600");
  s.cut_ic_pow = 10;
  s.cut_icgray_p = Schedule::parse("[0.7]*100+[0.3]*300+[0]*600");
  s.n_batches = 1;
  return s;
}

bool speaks(const std::string& rule, const Settings& settings) {
  const std::vector<Advice> advice = advise(settings);
  return std::any_of(advice.begin(), advice.end(), [&](const Advice& a) { return a.rule == rule; });
}

Advice of(const std::string& rule, const Settings& settings) {
  for (const Advice& advice : advise(settings)) {
    if (advice.rule == rule) return advice;
  }
  ADD_FAILURE() << rule << " does not speak";
  return {};
}

void only_clips(Settings& s, const std::vector<std::string>& names) {
  s.clip_models.clear();
  for (const std::string& name : names) s.clip_models.push_back({name, 1});
}

void faithful(Settings& s) { s.compat = "disco-5.7"; }
void primary(Settings& s) {
  s.use_secondary_model = false;
  s.cut_ic_pow = 20;
  s.clamp_max = 0.1;
}
void plms(Settings& s) { s.diffusion_sampling_mode = "plms"; }

/// For a rule: changes to the quiet settings that make it speak, and changes that come near and do not.
struct Case {
  std::string rule;
  Change yes, no;
};

std::vector<Case> prompt_cases() {
  return {
      {"weights-nothing",
       [](Settings& s) {
         s.text_prompts[0] = {prompt("a", 1), prompt("b", -1)};
       },
       [](Settings& s) {
         s.text_prompts[0] = {prompt("a", 1), prompt("b", -0.9)};
       }},
      {"weights-negative",
       [](Settings& s) {
         s.text_prompts[0] = {prompt("a", 1), prompt("b", -2)};
       },
       [](Settings& s) {
         s.text_prompts[0] = {prompt("a", 2), prompt("b", -1)};
       }},
      {"weights-limbo",
       [](Settings& s) {
         s.text_prompts[0] = {prompt("a", 5), prompt("b", -4)};
       },
       [](Settings& s) {
         s.text_prompts[0] = {prompt("a", 5), prompt("b", -3)};
       }},
      {"several-negatives",
       [](Settings& s) {
         s.text_prompts[0] = {prompt("a", 5), prompt("b", -1), prompt("c", -1)};
       },
       [](Settings& s) {
         s.text_prompts[0] = {prompt("a", 5), prompt("b", 1), prompt("c", -1)};
       }},
      {"fuzzy-prompt-compat",
       [](Settings& s) {
         faithful(s);
         s.fuzzy_prompt = true;
       },
       [](Settings& s) { s.fuzzy_prompt = true; }},
      {"fuzzy-prompt", [](Settings& s) { s.fuzzy_prompt = true; }, [](Settings& s) { s.rand_mag = 1; }},
  };
}

std::vector<Case> model_cases() {
  return {
      {"few-vits",
       [](Settings& s) {
         only_clips(s, {"ViT-B/32", "RN50"});
       },
       [](Settings& s) {
         only_clips(s, {"ViT-B/32", "ViT-B-16::laion400m_e31"});
       }},
      {"large-vit-twice",
       [](Settings& s) {
         only_clips(s, {"ViT-B/32", "ViT-L/14", "ViT-L/14@336px"});
       },
       [](Settings& s) {
         only_clips(s, {"ViT-B/32", "ViT-L/14@336px"});
       }},
      {"rn50-with-rn101",
       [](Settings& s) {
         only_clips(s, {"ViT-B/32", "ViT-B/16", "RN50::cc12m", "RN101"});
       },
       [](Settings& s) {
         only_clips(s, {"ViT-B/32", "ViT-B/16", "RN50x4", "RN101"});
       }},
      {"rn50x4-with-x16",
       [](Settings& s) {
         only_clips(s, {"ViT-B/32", "ViT-B/16", "RN50x4", "RN50x16"});
       },
       [](Settings& s) {
         only_clips(s, {"ViT-B/32", "ViT-B/16", "RN50", "RN50x16"});
       }},
      {"resting-model", [](Settings& s) { s.clip_models[1].weight = 0; },
       [](Settings& s) { s.clip_models[1].weight = Schedule::parse("[0]*500+[1]*500"); }},
      {"all-models-rest",
       [](Settings& s) {
         for (ClipChoice& clip : s.clip_models) clip.weight = Schedule::parse("[1]*900+[0]*100");
       },
       [](Settings& s) {
         for (ClipChoice& clip : s.clip_models) clip.weight = Schedule::parse("[1]*900+[0]*100");
         s.clip_models[0].weight = Schedule::parse("[0]*900+[1]*100");
       }},
      {"hungry-model",
       [](Settings& s) {
         only_clips(s, {"ViT-B/32", "ViT-B/16", "RN50x64"});
       },
       [](Settings& s) {
         only_clips(s, {"ViT-B/32", "ViT-B/16", "ViT-L/14@336px"});
       }},
      {"style-model-cuts",
       [](Settings& s) {
         s.diffusion_model = "pixelartdiffusion4k";
         s.cut_overview = Schedule::parse("[12]*400+[4]*600");
         s.cut_innercut = Schedule::parse("[4]*400+[12]*600");
         s.cut_ic_pow = 1;
       },
       [](Settings& s) { s.diffusion_model = "pixelartdiffusion4k"; }},
  };
}

std::vector<Case> size_cases() {
  return {
      {"size-rounded", [](Settings& s) { s.width = 1300; }, [](Settings& s) { s.width = 1216; }},
      {"size-large", [](Settings& s) { s.height = 1024; }, [](Settings& s) { s.height = 960; }},
      {"size-small",
       [](Settings& s) {
         s.width = 512;
         s.height = 512;
       },
       [](Settings& s) {
         s.width = 512;
         s.height = 832;
       }},
      {"size-small-model", [](Settings& s) { s.diffusion_model = "256x256_diffusion_uncond"; },
       [](Settings& s) {
         s.diffusion_model = "256x256_diffusion_uncond";
         s.width = 512;
         s.height = 448;
       }},
      {"extreme-aspect",
       [](Settings& s) {
         s.width = 1600;
         s.height = 576;
       },
       [](Settings& s) {
         s.width = 1152;
         s.height = 576;
       }},
  };
}

std::vector<Case> step_cases() {
  return {
      {"steps-chart", [](Settings& s) { s.steps = 300; }, [](Settings& s) { s.steps = 500; }},
      {"steps-over-1000", [](Settings& s) { s.steps = 2000; }, [](Settings& s) { s.steps = 1000; }},
      {"few-steps-primary",
       [](Settings& s) {
         primary(s);
         s.steps = 100;
       },
       [](Settings& s) {
         primary(s);
         s.steps = 200;
       }},
      {"few-steps-secondary", [](Settings& s) { s.steps = 200; }, [](Settings& s) { s.steps = 250; }},
      {"plms-steps", [](Settings& s) { plms(s); },
       [](Settings& s) {
         plms(s);
         s.plms_share = 0.5;
       }},
      {"eta-plms",
       [](Settings& s) {
         plms(s);
         s.eta = 1;
       },
       [](Settings& s) { s.eta = 1; }},
      {"eta-negative", [](Settings& s) { s.eta = -0.8; },
       [](Settings& s) {
         plms(s);
         s.eta = -0.8;
       }},
      {"eta-low", [](Settings& s) { s.eta = 0.2; }, [](Settings& s) { s.eta = 0.7; }},
      {"ends-early",
       [](Settings& s) {
         s.skip_end_steps = {0.5, true};
       },
       [](Settings& s) {
         s.skip_end_steps = {0.2, true};
       }},
      {"symmetry-plms",
       [](Settings& s) {
         plms(s);
         s.use_vertical_symmetry = true;
       },
       [](Settings& s) {
         s.use_vertical_symmetry = true;
         s.transformation_percent = {0.35};
       }},
      {"symmetry-early", [](Settings& s) { s.use_horizontal_symmetry = true; },
       [](Settings& s) {
         s.use_horizontal_symmetry = true;
         s.transformation_percent = {0.09, 0.35};
       }},
      {"symmetry-loss-weak",
       [](Settings& s) {
         s.symmetry_loss = "both";
         s.symmetry_loss_scale = 2400;
       },
       [](Settings& s) {
         s.symmetry_loss = "both";
         s.symmetry_loss_scale = 160000;
       }},
      {"batches-compat",
       [](Settings& s) {
         faithful(s);
         s.n_batches = 2;
       },
       [](Settings& s) { s.n_batches = 2; }},
      {"batches-many", [](Settings& s) { s.n_batches = 50; }, [](Settings& s) { s.n_batches = 8; }},
      {"display-rare", [](Settings& s) { s.display_rate = 50; }, [](Settings& s) { s.display_rate = 20; }},
  };
}

std::vector<Case> start_cases() {
  return {
      {"perlin-unseen", [](Settings& s) { s.perlin_init = true; },
       [](Settings& s) {
         s.perlin_init = true;
         s.skip_steps = {10, false};
       }},
      {"init-unseen",
       [](Settings& s) {
         s.init_image = "x.png";
         s.skip_steps = {10, false};
       },
       [](Settings& s) {
         s.init_image = "x.png";
         s.skip_steps = {0.5, true};
       }},
      {"init-untouched",
       [](Settings& s) {
         s.init_image = "x.png";
         s.skip_steps = {0.9, true};
       },
       [](Settings& s) {
         s.init_image = "x.png";
         s.skip_steps = {0.7, true};
       }},
      {"init-and-perlin",
       [](Settings& s) {
         s.init_image = "x.png";
         s.perlin_init = true;
       },
       [](Settings& s) { s.perlin_init = true; }},
      {"init-scale-high",
       [](Settings& s) {
         s.init_image = "x.png";
         s.init_scale = 50000;
       },
       [](Settings& s) { s.init_scale = 50000; }},
      {"grey-start",
       [](Settings& s) {
         s.skip_steps = {30, false};
       },
       [](Settings& s) {
         s.skip_steps = {30, false};
         s.perlin_init = true;
       }},
  };
}

std::vector<Case> guidance_cases() {
  return {
      {"guidance-none", [](Settings& s) { s.clip_guidance_scale = 0; },
       [](Settings& s) { s.clip_guidance_scale = Schedule::parse("[0]*500+[9000]*500"); }},
      {"guidance-faint", [](Settings& s) { s.clip_guidance_scale = 1500; },
       [](Settings& s) {
         s.clip_guidance_scale = 1500;
         s.width = 512;
         s.height = 448;
       }},
      {"guidance-strong", [](Settings& s) { s.clip_guidance_scale = 60000; },
       [](Settings& s) {
         s.clip_guidance_scale = 60000;
         s.width = 2048;
         s.height = 1536;
       }},
      {"guidance-limbo", [](Settings& s) { s.clip_guidance_scale = 500000; },
       [](Settings& s) { s.clip_guidance_scale = 300000; }},
      {"scale-cancels", [](Settings& s) { s.range_scale = 0; },
       [](Settings& s) {
         s.range_scale = 0;
         s.tv_scale = 5000;
       }},
      {"clamp-off", [](Settings& s) { s.clamp_grad = false; }, [](Settings& s) { s.clamp_max = 0.1; }},
      {"clamp-nothing", [](Settings& s) { s.clamp_max = 0; },
       [](Settings& s) { s.clamp_max = Schedule::parse("0 -> 0.05"); }},
      {"clamp-high", [](Settings& s) { s.clamp_max = 0.2; },
       [](Settings& s) {
         s.clamp_max = 0.2;
         s.use_secondary_model = false;
       }},
      {"clamp-low", [](Settings& s) { s.clamp_max = 0.005; },
       [](Settings& s) {
         s.clamp_max = 0.005;
         s.steps = 75;
       }},
      {"range-nothing",
       [](Settings& s) {
         faithful(s);
         s.range_scale = 10000;
       },
       [](Settings& s) {
         faithful(s);
         s.range_scale = 150;
       }},
      {"range-acts", [](Settings& s) { s.range_scale = 10000; },
       [](Settings& s) {
         faithful(s);
         s.range_scale = 10000;
       }},
      {"tv-secondary", [](Settings& s) { s.tv_scale = 5000; },
       [](Settings& s) {
         primary(s);
         s.tv_scale = 5000;
       }},
      {"tv-huge", [](Settings& s) { s.tv_scale = 5e6; }, [](Settings& s) { s.tv_scale = 50000; }},
  };
}

std::vector<Case> cut_cases() {
  return {
      {"inner-coverage",
       [](Settings& s) {
         s.width = s.height = 2048;
         s.cut_ic_pow = 50;
         s.cutn_batches = 1;
         only_clips(s, {"ViT-B/32", "ViT-B/16"});
       },
       [](Settings& s) {
         s.width = s.height = 2048;
         s.cut_ic_pow = 50;
         s.cutn_batches = 8;
         only_clips(s, {"ViT-B/32", "ViT-B/16"});
       }},
      {"power-blank",
       [](Settings& s) {
         primary(s);
         s.cut_ic_pow = 1;
       },
       [](Settings& s) { s.cut_ic_pow = 1; }},
      {"power-zero", [](Settings& s) { s.cut_ic_pow = 0; },
       [](Settings& s) { s.cut_ic_pow = Schedule::parse("0 -> 10"); }},
      {"power-high", [](Settings& s) { s.cut_ic_pow = 100; }, [](Settings& s) { s.cut_ic_pow = 50; }},
      {"power-grain",
       [](Settings& s) {
         primary(s);
         s.cut_ic_pow = 50;
       },
       [](Settings& s) {
         primary(s);
         s.cut_ic_pow = 50;
         s.tv_scale = 20000;
       }},
      {"inner-early", [](Settings& s) { s.cut_innercut = Schedule::parse("[4]*400+[12]*600"); },
       [](Settings& s) { s.cut_innercut = Schedule::parse("[0]*100+[4]*300+[12]*600"); }},
      {"inner-landscape", [](Settings& s) { s.cut_innercut = Schedule::parse("[0]*200+[4]*200+[12]*600"); },
       [](Settings& s) {
         s.cut_innercut = Schedule::parse("[0]*200+[4]*200+[12]*600");
         std::swap(s.width, s.height);
       }},
      {"inner-figure", [](Settings& s) { std::swap(s.width, s.height); },
       [](Settings& s) {
         s.cut_innercut = Schedule::parse("[0]*200+[4]*200+[12]*600");
         std::swap(s.width, s.height);
       }},
      {"inner-falls", [](Settings& s) { s.cut_innercut = Schedule::parse("[2]*200+[4]*200+[12]*400+[8]*200"); },
       [](Settings& s) { s.cut_innercut = Schedule::parse("[2]*200+[4]*200+[12]*400+[16]*200"); }},
      {"overview-late", [](Settings& s) { s.cut_overview = Schedule::parse("[12]*400+[4]*600"); },
       [](Settings& s) { s.cut_overview = Schedule::parse("[12]*400+[4]*400+[0]*200"); }},
      {"cuts-peak", [](Settings& s) { s.cut_overview = Schedule::parse("[14]*200+[12]*300+[4]*300+[0]*200"); },
       [](Settings& s) { s.cut_overview = Schedule::parse("[14]*200+[12]*200+[6]*400+[0]*200"); }},
      {"cuts-none", [](Settings& s) { s.cut_innercut = Schedule::parse("[2]*200+[4]*200+[12]*500+[0]*100"); },
       [](Settings& s) { s.cut_innercut = Schedule::parse("[2]*200+[4]*200+[12]*500+[1]*100"); }},
      {"grey-late", [](Settings& s) { s.cut_icgray_p = 0.2; },
       [](Settings& s) { s.cut_icgray_p = Schedule::parse("[0.9]*450+[0]*550"); }},
      {"grey-compat", [](Settings& s) { faithful(s); },
       [](Settings& s) { s.cut_innercut = Schedule::parse("[2]*200+[4]*800"); }},
      {"many-batches", [](Settings& s) { s.cutn_batches = 16; }, [](Settings& s) { s.cutn_batches = 8; }},
      {"no-augmentation", [](Settings& s) { s.skip_augs = true; }, [](Settings& s) { s.cutn_batches = 2; }},
  };
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const auto& part :
       {prompt_cases(), model_cases(), size_cases(), step_cases(), start_cases(), guidance_cases(), cut_cases()}) {
    cases.insert(cases.end(), part.begin(), part.end());
  }
  return cases;
}

TEST(Advice, QuietSettingsHearNothing) {
  for (const Advice& advice : advise(quiet())) ADD_FAILURE() << advice.rule << ": " << advice.message;
}

TEST(Advice, EachRuleSpeaksWhereItShouldAndNowhereElse) {
  for (const Case& c : all_cases()) {
    Settings yes = quiet(), no = quiet();
    c.yes(yes);
    c.no(no);
    EXPECT_TRUE(speaks(c.rule, yes)) << c.rule << " says nothing";
    EXPECT_FALSE(speaks(c.rule, no)) << c.rule << " speaks without need";
  }
}

TEST(Advice, EachRuleHasACaseAndANameOfItsOwn) {
  std::set<std::string> cases, names;
  for (const Case& c : all_cases()) EXPECT_TRUE(cases.insert(c.rule).second) << c.rule;
  for (const AdviceRule& rule : advice_rules()) {
    EXPECT_TRUE(names.insert(rule.name).second) << rule.name << " is there twice";
    EXPECT_NE(find_setting(rule.key), nullptr) << rule.key;
    EXPECT_FALSE(rule.source.empty());
  }
  EXPECT_EQ(cases, names);
}

TEST(Advice, MessagesAreFilledInAndSuggestSomething) {
  for (const Case& c : all_cases()) {
    Settings settings = quiet();
    c.yes(settings);
    for (const Advice& advice : advise(settings)) {
      EXPECT_EQ(advice.message.find('{'), std::string::npos) << advice.message;
      EXPECT_EQ(advice.suggestion.find('{'), std::string::npos) << advice.suggestion;
      EXPECT_FALSE(advice.suggestion.empty());
      EXPECT_LT(advice.message.size(), 300u) << advice.message;
    }
  }
}

TEST(Advice, SettingsAtTheEndsOfTheirRangesAreNoTrouble) {
  for (const std::int64_t steps : {1, 2, 3, 999, 1001, 100000}) {
    for (const std::int64_t side : {64, 16384}) {
      Settings settings = quiet();
      settings.steps = steps;
      settings.width = side;
      settings.height = 64;
      settings.skip_steps = {0.99, true};
      settings.clip_models.clear();
      settings.text_prompts.clear();
      settings.cut_ic_pow = 100;
      settings.transformation_percent.clear();
      EXPECT_NO_THROW(advise(settings)) << steps << " " << side;
    }
  }
}

TEST(Advice, OurOwnPresetsAreNotRunDown) {
  // The guide's own settings must not set off the rules that come from the guide's limits.
  for (const char* name : {"primary", "gold", "secondary"}) {
    const ResolvedSettings resolved =
        resolve_settings({{name, {{"preset", name}, {"text_prompts", {"a castle"}}}, {}, {}}});
    for (const char* rule :
         {"guidance-faint", "guidance-strong", "clamp-high", "clamp-low", "few-steps-primary", "few-steps-secondary",
          "cuts-peak", "inner-early", "overview-late", "few-vits", "power-blank", "inner-coverage"}) {
      EXPECT_FALSE(speaks(rule, resolved.settings)) << name << ": " << rule;
    }
  }
}

TEST(Advice, ThePageIsTheRules) {
  const fs::path page = fs::path(DISCO_SOURCE_DIR) / "docs" / "advice.md";
  const fs::path fresh = fs::path(DISCO_BINARY_DIR) / "advice.md";
  write_file(fresh, advice_page());
  EXPECT_EQ(read_file(page), advice_page()) << "copy " << fresh << " to " << page;
  for (const AdviceRule& rule : advice_rules()) EXPECT_THAT(advice_page(), HasSubstr("**" + rule.name + "**"));
}

TEST(AdviceNumbers, TheNoiseReachesBothEndsWhateverTheSteps) {
  for (std::int64_t steps = 20; steps <= 1000; ++steps) {
    EXPECT_LT(clean_share(steps, steps - 1), 0.02) << steps;
    EXPECT_GT(clean_share(steps, 0), 0.9998) << steps;
  }
  EXPECT_NEAR(clean_share(250, 249), 0.00659, 0.0002);
}

TEST(AdviceNumbers, TheChartsStepCountsAreToldTheTruth) {
  Settings settings = quiet();
  settings.steps = 300;
  const Advice advice = of("steps-chart", settings);
  EXPECT_THAT(advice.message, HasSubstr("No need"));
  EXPECT_THAT(advice.message, HasSubstr("over 900 levels"));
  EXPECT_THAT(advice.message, HasSubstr("noise with 0.65 % of picture"));
}

TEST(AdviceNumbers, WeightsAreSummedForEachModelAndEntry) {
  Settings bound = quiet();
  bound.text_prompts[0] = {prompt("a", 2), prompt("b", -2, {"RN50x4"})};
  EXPECT_THAT(of("weights-nothing", bound).message, HasSubstr("RN50x4"));
  Settings scheduled = quiet();
  scheduled.text_prompts[0] = {prompt("a", Schedule::parse("[1]*999+[0]*1"))};
  EXPECT_TRUE(speaks("weights-nothing", scheduled));
  Settings images = quiet();
  images.text_prompts[0] = {prompt("a", 1)};
  images.image_prompts[0] = {prompt("x.png", -1)};
  EXPECT_TRUE(speaks("weights-nothing", images)) << "text and image prompts share their divisor";
}

TEST(AdviceNumbers, CoverageAgreesWithCutsThatAreDrawn) {
  Settings settings = quiet();
  settings.width = 1024;
  settings.height = 640;
  settings.cut_innercut = 3;
  settings.cut_ic_pow = 5;
  only_clips(settings, {"ViT-B/32", "RN50x4"});
  std::mt19937 random(7);
  std::uniform_real_distribution<double> uniform;
  double seen = 0;
  constexpr int trials = 3000, points = 20;
  for (int trial = 0; trial < trials; ++trial) {
    struct Cut {
      int x, y, size;
    };
    std::vector<Cut> cuts;
    for (const int input : {224, 288}) {
      for (int k = 0; k < 3 * 2; ++k) {
        const int size = static_cast<int>(std::pow(uniform(random), 5.0) * (640 - input) + input);
        const auto offset = [&](int side) { return std::uniform_int_distribution<int>(0, side - size)(random); };
        const int x = offset(1024), y = offset(640);
        cuts.push_back({x, y, size});
      }
    }
    for (int p = 0; p < points; ++p) {
      const double x = uniform(random) * 1024, y = uniform(random) * 640;
      seen += std::any_of(cuts.begin(), cuts.end(), [&](const Cut& cut) {
        return x >= cut.x && x < cut.x + cut.size && y >= cut.y && y < cut.y + cut.size;
      });
    }
  }
  EXPECT_NEAR(InnerCoverage(settings, 900).share(2), seen / (trials * points), 0.01);
}

TEST(AdviceNumbers, SizesOfCuts) {
  const Settings settings = quiet();
  EXPECT_EQ(clip_input_size("ViT-L/14@336px"), 336);
  EXPECT_EQ(clip_input_size("RN50"), 224);
  EXPECT_EQ(clip_input_size("RN50x4"), 288);
  EXPECT_EQ(clip_input_size("RN50x64"), 448);
  EXPECT_EQ(expected_inner_size(settings, 224, 0), 768);
  EXPECT_EQ(expected_inner_size(settings, 224, 1), 496);
  Settings small = quiet();
  small.height = 192;
  EXPECT_EQ(expected_inner_size(small, 224, 3), 192) << "no cut is larger than the picture";
  EXPECT_DOUBLE_EQ(inner_point_coverage(settings, 224, 0, 1, 0.5, 0.5), 1)
      << "the largest square always holds the middle";
  EXPECT_LT(inner_point_coverage(settings, 224, 0, 1, 0.01, 0.5), 0.1);
}

TEST(AdviceNumbers, UsualClamps) {
  EXPECT_EQ(usual_clamp_max(250, true), 0.05);
  EXPECT_EQ(usual_clamp_max(250, false), 0.1);
  EXPECT_EQ(usual_clamp_max(35, true), 0.001);
  EXPECT_EQ(usual_clamp_max(1000, true), 0.1);
}

TEST(AdviceNumbers, NumbersForPeople) {
  EXPECT_EQ(number_text(0.075), "0.075");
  EXPECT_EQ(number_text(22396.8), "22397");
  EXPECT_EQ(number_text(3), "3");
  EXPECT_EQ(percent_text(0.00659), "0.66 %");
  EXPECT_EQ(percent_text(0.5), "50 %");
}

}  // namespace
}  // namespace disco
