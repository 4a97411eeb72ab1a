// The sheets of what settings do.
#include "bench/effects.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "models/weights/state_dict.h"
#include "run/support.h"
#include "settings/table.h"
#include "train/judge.h"

namespace disco {
namespace {

TEST(Effects, EveryVariantIsOfSettingsThatExist) {
  Settings settings = default_settings();
  const std::vector<Variant> variants = effect_variants(settings, "secondary_model_imagenet_2");
  EXPECT_GT(variants.size(), 30u);
  for (const Variant& variant : variants) {
    for (const auto& [key, value] : variant.values.items()) {
      Settings changed = settings;
      EXPECT_NO_THROW(set_value(changed, require_setting(key, "test"), value, key)) << key;
    }
  }
  const auto of = [](const std::vector<Variant>& all, const std::string& group) {
    return std::count_if(all.begin(), all.end(), [&](const Variant& variant) { return variant.group == group; });
  };
  EXPECT_EQ(of(variants, "clip_models"), 3);
  EXPECT_EQ(of(variants, "use_secondary_model"), 2);
  EXPECT_EQ(of(effect_variants(settings, ""), "use_secondary_model"), 1);
}

TEST(Effects, AChangedSettingIsMeasuredAgainstTheUnchangedOnes) {
  const TemporaryFolder place;
  save_safetensors(place.path() / "models/a-judge.safetensors", initial_judge({{4, 8}, {1, 1}}, 1));
  write_file(place.path() / "models/a-judge.model.json",
             R"({"name": "a-judge", "role": "judge", "file": "a-judge.safetensors"})");
  EffectsRequest request;
  request.engine.model_folders = {place.path() / "models", golden::models_folder()};
  request.engine.device = "cpu";
  request.engine.threads = 1;
  request.settings = quick_settings({{"steps", 3}, {"eta", 0.8}}).settings;
  request.settings.text_prompts.clear();
  request.out = place.path() / "out";
  request.judge = "a-judge";
  request.prompts = 2;
  request.only = "eta";
  BenchEvents silent;
  const EffectsResult result = measure_effects(request, silent);
  ASSERT_EQ(result.effects.size(), 6u);
  EXPECT_EQ(result.effects[0].change, 0);
  EXPECT_EQ(result.effects[4].change, 0) << "eta 0.8 is what the settings say";
  EXPECT_GT(result.effects[2].change, 0) << result.effects[2].variant.label;
  for (const Effect& effect : result.effects) {
    EXPECT_GT(effect.contrast, 0);
    EXPECT_GT(effect.judged, 0);
    EXPECT_LT(effect.judged, 1);
  }
  for (const fs::path& sheet : result.sheets) EXPECT_TRUE(fs::exists(sheet)) << sheet;
  EXPECT_TRUE(fs::exists(request.out / "effects.json"));
  request.only = "no such group";
  EXPECT_THROW(measure_effects(request, silent), RequestError);
}

}  // namespace
}  // namespace disco
