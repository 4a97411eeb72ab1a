// ProgRockDiffusion's JSON5 layers, and philpax's RunConfig.
#include "imported.h"
#include "settings/importers/progrock_values.h"

namespace disco {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Settings progrock(const Json& keys) {
  Json document = {{"set_seed", 5}, {"text_prompts", {{"0", {"x"}}}}};
  document.update(keys);
  return settings_of(import_document(document, "file"));
}

TEST(ImportProgRock, AutomaticValuesFollowItsFormulas) {
  const ImportedSettings imported = import_settings(fixture("progrock.json"));
  const Settings settings = settings_of(imported);
  EXPECT_EQ(settings.width, 1280);
  EXPECT_EQ(settings.height, 768);
  // (1280·768 − 250000)·47500/1750000 + 2500 = 22396.8
  EXPECT_EQ(settings.clip_guidance_scale.at(0), 22397);
  EXPECT_EQ(settings.clamp_max.at(0), 0.1) << "0.05 for 250 steps, doubled without the secondary model";
  EXPECT_EQ(settings.eta, 0.75) << "(250 − 50)/265";
  EXPECT_THAT(all_notes(imported), HasSubstr("eta was \"auto\", which is 0.75 for 250 steps"));
  EXPECT_EQ(settings.compat, "none");
}

TEST(ImportProgRock, AutomaticValuesEndWhereItsFormulasEnd) {
  EXPECT_EQ(progrock({{"width", 256}, {"height", 256}, {"clip_guidance_scale", "auto"}}).clip_guidance_scale.at(0),
            2500);
  EXPECT_EQ(progrock({{"width", 2048}, {"height", 2048}, {"clip_guidance_scale", "auto"}}).clip_guidance_scale.at(0),
            50000);
  EXPECT_EQ(progrock({{"steps", 30}, {"eta", "auto"}}).eta, 0);
  EXPECT_EQ(progrock({{"steps", 400}, {"eta", "auto"}}).eta, 1);
  const std::vector<std::pair<int, double>> clamps = {{35, 0.001},  {36, 0.0125}, {75, 0.0125}, {150, 0.02},
                                                      {225, 0.035}, {300, 0.05},  {500, 0.075}, {501, 0.1}};
  for (const auto& [steps, clamp] : clamps) {
    EXPECT_EQ(progrock({{"steps", steps}, {"clamp_max", "auto"}}).clamp_max.at(0), clamp) << steps;
  }
}

TEST(ImportProgRock, PromptsThatChangeAtAStepBecomeChangingWeights) {
  const ImportedSettings imported = import_settings(fixture("progrock.json"));
  const std::vector<Prompt> prompts = settings_of(imported).text_prompts.at(0);
  ASSERT_EQ(prompts.size(), 3u);
  EXPECT_EQ(prompts[0].text, "A walled garden of glass trees, by _artist_");
  // Step 50 of 250 is at t = 199·4 = 796, which reads entry 1000 − 797.
  EXPECT_EQ(prompts[0].weight.at(202), 2);
  EXPECT_EQ(prompts[0].weight.at(203), 0);
  EXPECT_EQ(prompts[1].weight.at(202), 1);
  EXPECT_EQ(prompts[2].weight.at(202), 0);
  EXPECT_EQ(prompts[2].weight.at(203), 1);
  EXPECT_THAT(all_notes(imported), HasSubstr("_artist_"));
  EXPECT_THAT(all_notes(imported), HasSubstr("<a|b>"));
  EXPECT_THAT(all_notes(imported), HasSubstr("of 2 lists only the first is taken"));
}

TEST(ImportProgRock, SwitchesThatAreNumbersAreWeights) {
  const ImportedSettings imported = import_settings(fixture("progrock.json"));
  const Settings settings = settings_of(imported);
  EXPECT_THAT(clip_names(settings),
              ElementsAre("ViT-B/32", "ViT-B/16", "ViT-L/14@336px", "RN50", "ViT-B-32::laion2b_e16"));
  EXPECT_EQ(settings.clip_models[0].weight.at(0), 1);
  EXPECT_EQ(settings.clip_models[1].weight.at(0), 0.5);
  EXPECT_THAT(all_notes(imported), HasSubstr("ViT-B/16 has weight 0.5"));
}

TEST(ImportProgRock, StepsAtBothEnds) {
  const ImportedSettings imported = import_settings(fixture("progrock.json"));
  const Settings settings = settings_of(imported);
  EXPECT_EQ(settings.skip_steps.of(250), 100);
  EXPECT_EQ(settings.skip_end_steps.of(250), 12);
  // Without a start picture the ratio is not in use, and without a ratio a third is skipped.
  EXPECT_EQ(progrock({{"skip_steps", 0}, {"skip_steps_ratio", 0.4}}).skip_steps.of(250), 0);
  EXPECT_EQ(progrock({{"skip_steps", 0}, {"perlin_init", true}}).skip_steps.of(250), 82);
  EXPECT_EQ(progrock({{"skip_steps", 30}, {"skip_steps_ratio", 0.4}, {"perlin_init", true}}).skip_steps.of(250), 30);
}

TEST(ImportProgRock, FinalValuesAreRamps) {
  const Settings settings = settings_of(import_settings(fixture("progrock.json")));
  EXPECT_EQ(settings.cut_ic_pow.at(0), 1);
  EXPECT_EQ(settings.cut_ic_pow.at(999), 20);
  EXPECT_NEAR(settings.cut_ic_pow.at(500), 10.5, 0.02);
  EXPECT_EQ(progrock({{"cut_ic_pow", "[1]*500+[10]*500"}, {"cut_ic_pow_final", 20}}).cut_ic_pow.at(999), 10);
}

TEST(ImportProgRock, ItsVerticalSymmetryMirrorsLeftAndRight) {
  const Settings settings = settings_of(import_settings(fixture("progrock.json")));
  EXPECT_EQ(settings.symmetry_loss, "horizontal");
  EXPECT_EQ(settings.symmetry_loss_scale.at(0), 20000);
  EXPECT_EQ(settings.symm_switch.of(250), 45) << "145 counts the 100 skipped steps";
  EXPECT_EQ(progrock({{"symmetry_loss_h", true}}).symmetry_loss, "vertical");
  EXPECT_EQ(progrock({{"symmetry_loss_h", true}, {"symmetry_loss_v", true}}).symmetry_loss, "both");
  EXPECT_EQ(progrock({{"symmetry_loss", true}}).symmetry_loss, "horizontal");
}

TEST(ImportProgRock, FilesAndSeeds) {
  const ImportedSettings imported = import_settings(fixture("progrock.json"));
  const Settings settings = settings_of(imported);
  EXPECT_EQ(settings.seed, -1);
  EXPECT_EQ(settings.image_format, "jpg");
  EXPECT_EQ(settings.inpaint_mask, "init_images/mask.png");
  EXPECT_EQ(settings.intermediate_saves.shares, (std::vector<double>{0.25, 0.5}));
  EXPECT_EQ(settings.sat_scale.at(0), 0) << "the first of <0|1000>";
  EXPECT_EQ(settings.cutn_batches, 8);
  EXPECT_EQ(settings.diffusion_sampling_mode, "ddim");
  EXPECT_EQ(settings.sampling_mode, default_settings().sampling_mode)
      << "the same key means another thing in animations";
  EXPECT_EQ(progrock({{"set_seed", 12345}}).seed, 12345);
  EXPECT_THAT(reason_for(imported, "gobig_scale"), HasSubstr("enlarging"));
  EXPECT_THAT(reason_for(imported, "low_brightness_adjust_amount"), HasSubstr("watchdog"));
}

TEST(ImportProgRock, RandomValuesAreNotDrawn) {
  const ImportedSettings imported = import_settings(fixture("progrock_random.json"));
  EXPECT_EQ(imported.source, "ProgRockDiffusion");
  const Settings settings = settings_of(imported);
  EXPECT_THAT(reason_for(imported, "clip_guidance_scale"), HasSubstr("from 1500 to 100000"));
  EXPECT_THAT(reason_for(imported, "cut_ic_pow"), HasSubstr("random"));
  EXPECT_EQ(settings.eta, 0.2);
  EXPECT_EQ(settings.steps, 100);
  EXPECT_EQ(settings.clamp_max.at(0), 0.02) << "for the steps that were drawn";
  EXPECT_THAT(all_notes(imported), HasSubstr("<0.2|0.5|0.9>"));
}

TEST(ImportProgRock, DrawsOfSeveralWordsTakeTheFirstOnes) {
  std::vector<std::string> notes;
  const Json settled =
      settle_draws({{"a", "by <^^2|one|two|three> and <four|five>"}, {"b", "plain"}, {"c", "open <"}}, notes);
  EXPECT_EQ(settled.at("a"), "by one two and four");
  EXPECT_EQ(settled.at("c"), "open <");
}

TEST(ImportPhilpax, TakesTheSeedThatWasDrawn) {
  const ImportedSettings imported = import_settings(fixture("philpax_settings.json"));
  const Settings settings = settings_of(imported);
  EXPECT_EQ(settings.seed, 1159180771);
  EXPECT_EQ(settings.guidance_every, 2);
  ASSERT_EQ(settings.text_prompts.at(0).size(), 2u);
  EXPECT_EQ(settings.text_prompts.at(0)[1].weight.at(0), 0.5);
  EXPECT_EQ(settings.image_prompts.at(0)[0].text, "reference.png");
  EXPECT_EQ(settings.compat, "none");
  EXPECT_THAT(reason_for(imported, "compile"), HasSubstr("speed only"));
  EXPECT_THAT(all_notes(imported), HasSubstr("do not repeat exactly"));
}

}  // namespace
}  // namespace disco
