// Disco Diffusion 5.x settings files.
#include "imported.h"

namespace disco {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ImportDiscoDiffusion, TakesTheNumbersOverAndAsksForFaithfulness) {
  const ImportedSettings imported = import_settings(fixture("disco_diffusion_5_7_settings.txt"));
  const Settings settings = settings_of(imported);
  EXPECT_EQ(settings.compat, "disco-5.7");
  EXPECT_THAT(all_notes(imported), HasSubstr("compat is set to disco-5.7"));
  EXPECT_THAT(all_notes(imported), HasSubstr("set it to none for new work"));
  EXPECT_EQ(settings.seed, 2599079091);
  EXPECT_EQ(settings.clip_guidance_scale.at(0), 12000);
  EXPECT_EQ(settings.clamp_max.at(500), 0.075);
  EXPECT_EQ(settings.cut_overview.at(399), 12);
  EXPECT_EQ(settings.cut_overview.at(400), 4);
  EXPECT_EQ(settings.skip_steps.value, 10);
  EXPECT_TRUE(settings.frames_skip_steps.share);
  EXPECT_EQ(settings.turbo_steps, 3);
  EXPECT_EQ(settings.sampling_mode, "bicubic");
  EXPECT_EQ(settings.transformation_percent, std::vector<double>{0.09});
}

TEST(ImportDiscoDiffusion, SwitchesBecomeModelsInTheOrderTheyAreAskedThere) {
  const ImportedSettings imported = import_settings(fixture("disco_diffusion_5_7_settings.txt"));
  EXPECT_THAT(clip_names(settings_of(imported)),
              ElementsAre("ViT-B/32", "ViT-B/16", "ViT-L/14", "RN50", "ViT-B-32::laion400m_e31::quickgelu"));
}

TEST(ImportDiscoDiffusion, EverySwitchHasAModel) {
  const Json document = fixture_document("disco_diffusion_5_7_settings.txt");
  for (const auto& [key, value] : document.items()) {
    if (key.rfind("ViT", 0) != 0 && key.rfind("RN", 0) != 0) continue;
    const ImportedSettings imported = import_document({{key, true}, {"text_prompts", {{"0", {"x"}}}}}, "file");
    EXPECT_EQ(settings_of(imported).clip_models.size(), 1u) << key;
  }
}

TEST(ImportDiscoDiffusion, PromptsKeepFramesWeightsAndWhatWasWritten) {
  const Settings settings = settings_of(import_settings(fixture("disco_diffusion_5_7_settings.txt")));
  ASSERT_EQ(settings.text_prompts.size(), 2u);
  const std::vector<Prompt>& first = settings.text_prompts.at(0);
  EXPECT_EQ(first[0].text, "a lantern-lit harbour at dusk, oil on canvas");
  EXPECT_EQ(first[0].weight.at(0), 2);
  EXPECT_EQ(first[0].written, "a lantern-lit harbour at dusk, oil on canvas:2");
  EXPECT_EQ(first[1].weight.at(0), -1);
  EXPECT_EQ(settings.text_prompts.at(100)[0].text, "the same harbour under snow");
}

TEST(ImportDiscoDiffusion, EarlierVersionsAreReadToo) {
  const ImportedSettings imported = import_settings(fixture("disco_diffusion_5_0_settings.txt"));
  const Settings settings = settings_of(imported);
  EXPECT_EQ(settings.compat, "disco-5.7");
  EXPECT_THAT(clip_names(settings), ElementsAre("ViT-B/32", "RN50x4"));
  EXPECT_EQ(settings.cut_innercut.at(400), 12) << "schedules may be written out";
  EXPECT_EQ(settings.init_image, "init_images/glacier.jpg");
  EXPECT_THAT(reason_for(imported, "cutn"), HasSubstr("before 5"));
  EXPECT_THAT(reason_for(imported, "SLIPB16"), HasSubstr("SLIP"));
  EXPECT_THAT(reason_for(imported, "vr_ipd"), HasSubstr("animation"));
  EXPECT_THAT(reason_for(imported, "angle"), HasSubstr("empty"));
}

TEST(ImportDiscoDiffusion, ACustomModelIsNotGuessed) {
  Json document = fixture_document("disco_diffusion_5_7_settings.txt");
  document["diffusion_model"] = "custom";
  const ImportedSettings imported = import_document(document, "file");
  EXPECT_THAT(reason_for(imported, "diffusion_model"), HasSubstr("does not say which"));
  EXPECT_EQ(settings_of(imported).diffusion_model, default_settings().diffusion_model);
}

TEST(ImportDiscoDiffusion, NoModelSwitchedOnIsTold) {
  const ImportedSettings imported = import_document({{"ViTB32", false}, {"RN50", false}, {"steps", 100}}, "file");
  EXPECT_THAT(all_notes(imported), HasSubstr("no CLIP model is switched on"));
}

}  // namespace
}  // namespace disco
