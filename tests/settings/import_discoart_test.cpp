// DiscoArt's YAML and JSON.
#include "imported.h"

namespace disco {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ImportDiscoArt, AListOfPromptsAndAGroupOfCuts) {
  const ImportedSettings imported = import_settings(fixture("discoart.yml"));
  const Settings settings = settings_of(imported);
  EXPECT_EQ(settings.compat, "none");
  ASSERT_EQ(settings.text_prompts.at(0).size(), 2u);
  EXPECT_EQ(settings.text_prompts.at(0)[1].text, "sepia colour scheme");
  EXPECT_EQ(settings.text_prompts.at(0)[1].weight.at(0), 0.5);
  EXPECT_EQ(settings.width, 1280);
  EXPECT_EQ(settings.height, 768);
  EXPECT_EQ(settings.clip_guidance_scale.at(399), 5000);
  EXPECT_EQ(settings.clip_guidance_scale.at(400), 9000);
  EXPECT_EQ(settings.diffusion_sampling_mode, "plms");
  EXPECT_THAT(clip_names(settings), ElementsAre("ViT-B/32", "ViT-B/16", "RN50"));
  // The group lies under the file's own cut_ic_pow.
  EXPECT_EQ(settings.cut_overview.at(0), 14);
  EXPECT_EQ(settings.cut_overview.at(999), 0);
  EXPECT_EQ(settings.cut_icgray_p.at(0), 0.7);
  EXPECT_EQ(settings.cut_ic_pow.at(0), 5);
  EXPECT_THAT(all_notes(imported), HasSubstr("the file's own cut_ic_pow"));
}

TEST(ImportDiscoArt, GroupsAreWholeSchedules) {
  for (const char* group : {"default", "pad_or_pulp", "watercolor", "han_fav"}) {
    const ImportedSettings imported =
        import_document({{"cut_schedules_group", group}, {"text_prompts", {"x"}}}, "file");
    for (const char* key : {"cut_overview", "cut_innercut", "cut_ic_pow", "cut_icgray_p"}) {
      EXPECT_TRUE(imported.values.contains(key)) << group << " " << key;
    }
    settings_of(imported);
  }
  const ImportedSettings han = import_document({{"cut_schedules_group", "han_fav"}, {"text_prompts", {"x"}}}, "file");
  EXPECT_EQ(settings_of(han).clip_models.size(), 5u);
  EXPECT_EQ(settings_of(han).tv_scale.at(0), 60000);
  EXPECT_NE(reason_for(import_document({{"cut_schedules_group", "mine"}, {"text_prompts", {"x"}}}, "file"),
                       "cut_schedules_group"),
            "");
}

TEST(ImportDiscoArt, ShortNamesOfModelsAreCompleted) {
  const ImportedSettings imported = import_settings(fixture("discoart.yml"));
  EXPECT_EQ(settings_of(imported).diffusion_model, "512x512_diffusion_uncond_finetune_008100");
  EXPECT_THAT(all_notes(imported), HasSubstr("is short for"));
}

TEST(ImportDiscoArt, PromptObjectsKeepWeightsSchedulesAndListeners) {
  const Settings settings = settings_of(import_settings(fixture("discoart.json")));
  const std::vector<Prompt>& prompts = settings.text_prompts.at(0);
  ASSERT_EQ(prompts.size(), 3u);
  EXPECT_EQ(prompts[0].weight.at(0), 3);
  EXPECT_EQ(prompts[1].weight.at(499), 1);
  EXPECT_EQ(prompts[1].weight.at(500), 0);
  EXPECT_THAT(prompts[2].clip_models, ElementsAre("ViT-B/32", "RN50::cc12m::quickgelu"));
}

TEST(ImportDiscoArt, ModelsTakeTheCatalogsNamesAndTheirSchedules) {
  const ImportedSettings imported = import_settings(fixture("discoart.json"));
  const Settings settings = settings_of(imported);
  EXPECT_THAT(clip_names(settings), ElementsAre("ViT-B/32", "ViT-L/14@336px", "ViT-B-32::laion2b_e16",
                                                "RN50::cc12m::quickgelu", "ViT-H-14::laion2b_s32b_b79k"));
  EXPECT_EQ(settings.clip_models[0].weight.at(399), 1);
  EXPECT_EQ(settings.clip_models[0].weight.at(400), 0);
  EXPECT_EQ(settings.clip_models[1].weight.at(400), 1);
  EXPECT_THAT(all_notes(imported), HasSubstr("ViT-H-14::laion2b_s32b_b79k is not in the catalog"));
}

TEST(ImportDiscoArt, SchedulesWrittenOutAreShortened) {
  const ImportedSettings imported = import_settings(fixture("discoart.json"));
  EXPECT_EQ(imported.values.at("clip_guidance_scale"), "[8000]*500+[12000]*500");
  EXPECT_EQ(imported.values.at("width"), 1024);
  EXPECT_EQ(settings_of(imported).seed, 3716652573);
}

TEST(ImportDiscoArt, WhatCannotChangeDuringARunHereIsTold) {
  const ImportedSettings imported = import_settings(fixture("discoart.json"));
  const Settings settings = settings_of(imported);
  EXPECT_TRUE(settings.use_secondary_model);
  EXPECT_EQ(settings.cutn_batches, 4);
  EXPECT_THAT(all_notes(imported), HasSubstr("use_secondary_model changes during the run there"));
  EXPECT_THAT(all_notes(imported), HasSubstr("cutn_batches changes during the run there"));
}

TEST(ImportDiscoArt, AClampThatIsOffForAWhileLetsEverythingThrough) {
  const Settings settings = settings_of(import_settings(fixture("discoart.json")));
  EXPECT_TRUE(settings.clamp_grad);
  EXPECT_EQ(settings.clamp_max.at(799), 0.05);
  EXPECT_GE(settings.clamp_max.at(800), 1e6);
}

TEST(ImportDiscoArt, PicturesDrawnTogetherAreCounted) {
  const ImportedSettings imported = import_settings(fixture("discoart.json"));
  EXPECT_EQ(settings_of(imported).n_batches, 6);
  EXPECT_THAT(reason_for(imported, "_status"), HasSubstr("bookkeeping"));
  EXPECT_THAT(reason_for(imported, "fuzzy_prompt"), "");
}

TEST(ImportDiscoArt, AListThatIsTooShortIsNotTaken) {
  const ImportedSettings imported = import_document({{"batch_size", 1}, {"tv_scale", {1, 2, 3}}}, "file");
  EXPECT_THAT(reason_for(imported, "tv_scale"), HasSubstr("1000"));
}

}  // namespace
}  // namespace disco
