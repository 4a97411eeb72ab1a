// What must hold between settings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "core/error.h"
#include "settings/random_settings.h"
#include "settings/resolve.h"
#include "settings/scratch_folder.h"
#include "settings/table.h"

namespace disco {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

Settings drawable() {
  Settings settings = default_settings();
  settings.text_prompts[0] = {parse_prompt("a castle")};
  return settings;
}

std::string error_of(const Settings& settings) {
  try {
    validate(settings);
  } catch (const RequestError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Validate, AcceptsADefaultPicture) {
  EXPECT_EQ(error_of(drawable()), "no error");
  EXPECT_THAT(settings_warnings(drawable()), IsEmpty());
}

TEST(Validate, WeightsMustNotSumToNothing) {
  Settings s = drawable();
  s.text_prompts[0] = {parse_prompt("a:1"), parse_prompt("b:-1")};
  EXPECT_THAT(error_of(s), HasSubstr("text_prompts: the weights of the prompts sum to 0"));
  s.text_prompts[0][1] = parse_prompt("b:-1.002");
  EXPECT_EQ(error_of(s), "no error");
  EXPECT_THAT(settings_warnings(s), Contains(HasSubstr("sum to -0.002")));
  s.text_prompts[0] = {parse_prompt("a:1 -> -1")};
  EXPECT_EQ(error_of(s), "no error");  // It passes 0 between two entries.
  s.text_prompts[0] = {parse_prompt("a:[1]*500+[0]*500")};
  EXPECT_THAT(error_of(s), HasSubstr("at entry 500"));
  s.text_prompts[0] = {parse_prompt("a:1")};
  s.text_prompts[50] = {parse_prompt("a:1"), parse_prompt("b:-1")};
  EXPECT_THAT(error_of(s), HasSubstr("sum to 0"));
}

TEST(Validate, ImagePromptsCountAmongTheWeights) {
  const ScratchFolder folder("disco_validate");
  Settings s = drawable();
  s.image_prompts[0] = {parse_prompt(folder.picture("a.png", 4, 4).string() + ":-1")};
  EXPECT_THAT(error_of(s), HasSubstr("sum to 0"));
  s.text_prompts.clear();
  EXPECT_EQ(error_of(s), "no error");
}

TEST(Validate, EveryClipModelHearsAPrompt) {
  Settings s = drawable();
  s.text_prompts[0][0].clip_models = {"ViT-B/32"};
  EXPECT_THAT(error_of(s), HasSubstr("no prompt is for CLIP model ViT-B/16"));
  s.clip_models = {{"ViT-B/32", Schedule(1)}};
  EXPECT_EQ(error_of(s), "no error");
  s.text_prompts[0][0].clip_models = {"RN50x4"};
  EXPECT_THAT(error_of(s), HasSubstr("is for CLIP model RN50x4, which is not used"));
  s = drawable();
  s.text_prompts[0].push_back(parse_prompt("fog:-1"));
  s.text_prompts[0][1].clip_models = {"RN50"};
  EXPECT_THAT(error_of(s), HasSubstr("sum to 0 for CLIP model RN50"));
}

TEST(Validate, GuidanceNeedsPromptsAndModels) {
  Settings s = default_settings();
  EXPECT_THAT(error_of(s), HasSubstr("there is no prompt"));
  s.clip_guidance_scale = 0;
  EXPECT_EQ(error_of(s), "no error");
  s = drawable();
  s.clip_models.clear();
  EXPECT_THAT(error_of(s), HasSubstr("clip_models: there is no CLIP model"));
  s.clip_models = {{"RN50", Schedule(1)}, {"RN50", Schedule(2)}};
  EXPECT_THAT(error_of(s), HasSubstr("clip_models: RN50 is listed twice"));
}

TEST(Validate, StepsMustBeLeft) {
  Settings s = drawable();
  s.skip_steps = {250, false};
  EXPECT_THAT(error_of(s), HasSubstr("skip_steps: 250 of 250 steps are skipped"));
  s.skip_steps = {0.5, true};
  s.skip_end_steps = {0.5, true};
  EXPECT_THAT(error_of(s), HasSubstr("skip_end_steps: 250 of 250"));
  s.skip_end_steps = {124, false};
  EXPECT_EQ(error_of(s), "no error");
  s.steps = 0;
  EXPECT_THAT(error_of(s), HasSubstr("steps"));
}

TEST(Validate, SizesAndNames) {
  Settings s = drawable();
  s.height = 63;
  EXPECT_THAT(error_of(s), HasSubstr("height: 63 pixels are too few"));
  s.height = 127;
  EXPECT_EQ(error_of(s), "no error");
  EXPECT_THAT(settings_warnings(s), Contains(HasSubstr("drawn at 1280x64")));
  for (const char* name : {"", ".", "..", "a/b", "..\\a"}) {
    s.batch_name = name;
    EXPECT_THAT(error_of(s), HasSubstr("batch_name"));
  }
}

TEST(Validate, FilesMustBeThere) {
  const ScratchFolder folder("disco_validate");
  const std::string missing = (folder.path() / "missing.png").string();
  Settings s = drawable();
  s.init_image = missing;
  EXPECT_THAT(error_of(s), HasSubstr("init_image: there is no file " + missing));
  s.init_image = "https://example.org/a.png";
  EXPECT_EQ(error_of(s), "no error");
  s.image_prompts[0] = {parse_prompt(missing)};
  EXPECT_THAT(error_of(s), HasSubstr("image_prompts: there is no file"));
  s.image_prompts[0] = {parse_prompt("")};
  EXPECT_THAT(error_of(s), HasSubstr("no path"));
  s.image_prompts.clear();
  s.init_noise_mask = folder.path().string();
  EXPECT_THAT(error_of(s), HasSubstr("init_noise_mask: there is no file"));
}

TEST(Validate, MasksFitTheirInitImage) {
  const ScratchFolder folder("disco_validate");
  Settings s = drawable();
  s.inpaint_mask = folder.picture("mask.png", 20, 10).string();
  EXPECT_THAT(error_of(s), HasSubstr("inpaint_mask: the mask has no init image"));
  s.init_image = folder.picture("init.png", 30, 10).string();
  EXPECT_THAT(error_of(s), HasSubstr("inpaint_mask: the mask is 20x10 pixels, its init image 30x10"));
  s.init_image = folder.picture("fits.png", 20, 10).string();
  EXPECT_EQ(error_of(s), "no error");
  s.init_noise_mask = "flat";
  EXPECT_EQ(error_of(s), "no error");
  s.init_noise_mask = s.inpaint_mask;
  EXPECT_EQ(error_of(s), "no error");
  s.init_image = folder.write("broken.png", "no picture").string();
  EXPECT_THAT(error_of(s), HasSubstr("init_image: the file is not a PNG, JPEG or WebP picture"));
}

TEST(Validate, DrawsStillsOnly) {
  Settings s = drawable();
  s.animation_mode = "3D";
  EXPECT_THAT(error_of(s), HasSubstr("animation_mode: this version draws stills only"));
  s.animation_mode = "None";
  s.zoom = "0: (sin(t))";
  EXPECT_THAT(error_of(s), HasSubstr("zoom: expected a number"));
}

TEST(Warnings, SayWhatHasNoEffect) {
  const auto warnings = [](auto change) {
    Settings s = drawable();
    change(s);
    return settings_warnings(s);
  };
  EXPECT_THAT(warnings([](Settings& s) { s.use_vertical_symmetry = true, s.diffusion_sampling_mode = "plms"; }),
              Contains(HasSubstr("ddim only")));
  EXPECT_THAT(warnings([](Settings& s) { s.perlin_init = true, s.init_image = "a.png"; }),
              Contains(HasSubstr("takes the place")));
  EXPECT_THAT(warnings([](Settings& s) { s.diffusion_sampling_mode = "plms", s.plms_share = 0.5; }),
              Contains(HasSubstr("plms_share")));
  EXPECT_THAT(warnings([](Settings& s) { s.init_noise = 1; }), Contains(HasSubstr("no init image")));
  EXPECT_THAT(warnings([](Settings& s) { s.init_noise_mask = "flat"; }), Contains(HasSubstr("init_noise is 0")));
  EXPECT_THAT(warnings([](Settings& s) { s.clamp_max = 0; }), Contains(HasSubstr("clamp_max")));
  EXPECT_THAT(warnings([](Settings& s) { s.text_prompts[0].push_back(parse_prompt(" :2")); }),
              Contains(HasSubstr("empty")));
}

TEST(ValidateProperty, AnySettingsAreJudgedInWords) {
  EXPECT_TRUE(rc::check([] {
    Settings settings = random_settings::settings();
    settings.animation_mode = "None";
    settings.angle = settings.zoom = settings.translation_x = settings.translation_y = settings.translation_z = "0";
    settings.rotation_3d_x = settings.rotation_3d_y = settings.rotation_3d_z = "0";
    settings_warnings(settings);
    try {
      validate(settings);
    } catch (const RequestError& error) {
      RC_ASSERT(find_setting(error.where()) != nullptr);
    }
  }));
}

TEST(Presets, HaveTheNamesThatThePagesUse) {
  for (const char* name : {"default", "secondary", "primary", "gold", "figure", "landscape", "pixelart", "watercolor",
                           "draft", "draft-plms", "sketch-init", "cuts-a", "cuts-b", "cuts-c", "cuts-d",
                           "cuts-inner-gradual", "cuts-24", "cuts-pixelart", "cuts-watercolor"}) {
    EXPECT_EQ(find_preset(name).name, name);
  }
  EXPECT_THROW(find_preset("silver"), RequestError);
}

TEST(Presets, AreValidAndExplained) {
  for (const Preset& preset : presets()) {
    EXPECT_EQ(preset.help.back(), '.') << preset.name;
    const SettingsLayer layer{.origin = "test", .values = {{"preset", preset.name}, {"prompt", "a castle"}}};
    const ResolvedSettings resolved = resolve_settings({layer});
    EXPECT_THAT(resolved.warnings, IsEmpty()) << preset.name;
    for (const auto& [key, value] : preset.values.items()) EXPECT_EQ(resolved.origins.at(key), "preset " + preset.name);
  }
}

TEST(Presets, KeepTheSameCutsWithinTheFirstFifth) {
  // The guide asks for it: the composition settles there.
  for (const Preset& preset : presets()) {
    if (!preset.values.contains("cut_overview")) continue;
    const Schedule overview = Schedule::parse(preset.values["cut_overview"].get<std::string>());
    const Schedule innercut = Schedule::parse(preset.values["cut_innercut"].get<std::string>());
    const double first = overview.at(0) + innercut.at(0);
    for (int entry = 1; entry < 200; ++entry) ASSERT_EQ(overview.at(entry) + innercut.at(entry), first) << preset.name;
  }
}

}  // namespace
}  // namespace disco
