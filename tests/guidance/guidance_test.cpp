// The guidance's gradient, on a prediction that is simple enough to know the answer: pred = a·x.
#include "guidance/guidance.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "guidance/losses.h"
#include "support/golden.h"

namespace disco {
namespace {

Settings bare_settings() {
  Settings settings;
  settings.steps = 10;
  settings.compat = "none";
  settings.animation_mode = "None";
  settings.symmetry_loss = "none";
  settings.cutn_batches = 1;
  settings.guidance_every = 1;
  settings.clip_guidance_scale = 100;
  settings.clamp_max = 0.05;
  settings.cut_overview = 1;
  settings.cut_innercut = 2;
  settings.cut_ic_pow = 1;
  return settings;
}

struct Bench {
  explicit Bench(Settings settings_, double factor = 0.5, std::vector<GuidanceModel> models = {}, int cuts_at_once = 0)
      : settings(settings_) {
    Guidance::Parts parts;
    parts.schedule = &schedule;
    parts.predict = [factor](const at::Tensor& noisy, int) { return noisy * factor; };
    parts.models = std::move(models);
    parts.streams = &streams;
    parts.first_step = schedule.steps() - 1;
    parts.cuts_at_once = cuts_at_once;
    guidance = std::make_unique<Guidance>(settings, std::move(parts));
  }
  at::Tensor gradient(int i) const { return guidance->gradient(x, i, i); }
  /// fac·pred + (1−fac)·x = (fac·a + 1 − fac)·x: the slope of x_in.
  double slope(int i, double factor) const {
    const double fac = std::sqrt(1 - schedule.alphas_cumprod[static_cast<std::size_t>(i)]);
    return fac * factor + 1 - fac;
  }

  Settings settings;
  NoiseSchedule schedule = NoiseSchedule::linear(10);
  RandomStreams streams = RandomStreams::independent(3);
  at::Tensor x = golden::unit("guidance.x", {1, 3, 64, 64}) * 1.5;
  std::unique_ptr<Guidance> guidance;
};

GuidanceModel small_model(const std::string& name = "vit32") {
  GuidanceModel model;
  model.name = name;
  model.clip = std::make_shared<const Clip>(golden::network("clip." + name), "quick_gelu");
  model.weight = 1.0;
  model.targets.embeddings = golden::unit("guidance.target", {1, model.clip->config().embedding});
  model.targets.weights = {1.0};
  return model;
}

at::Tensor gradient_of(const std::function<at::Tensor(const at::Tensor&)>& loss, const at::Tensor& at) {
  const at::Tensor leaf = at.detach().requires_grad_(true);
  return torch::autograd::grad({loss(leaf)}, {leaf})[0];
}

TEST(Guidance, ThePictureLossesGoThroughThePrediction) {
  Settings settings = bare_settings();
  settings.tv_scale = 7;
  settings.sat_scale = 3;
  const Bench bench(settings);
  const int i = 6;
  const double slope = bench.slope(i, 0.5);
  const at::Tensor expected =
      -slope *
      gradient_of([](const at::Tensor& x_in) { return 7 * tv_loss(x_in).sum() + 3 * saturation_loss(x_in).sum(); },
                  bench.x * slope);
  EXPECT_LT(golden::relative_error(bench.gradient(i), expected), 1e-4);
}

TEST(Guidance, RangeActsInNativeModeAndNotInFaithfulMode) {
  Settings settings = bare_settings();
  settings.range_scale = 150;
  settings.clip_guidance_scale = 0;
  const Bench native(settings, /*factor=*/1);
  const at::Tensor expected =
      -gradient_of([](const at::Tensor& pred) { return 150 * range_loss(pred).sum(); }, native.x);
  EXPECT_LT(golden::relative_error(native.gradient(5), expected), 1e-4);
  settings.compat = "disco-5.7";
  EXPECT_EQ(Bench(settings, 1).gradient(5).abs().max().item<float>(), 0);
}

TEST(Guidance, TheClampHoldsTheSizeAndKeepsTheDirection) {
  Settings settings = bare_settings();
  settings.tv_scale = 1e6;
  const at::Tensor free = Bench(settings).gradient(6);
  settings.clamp_grad = true;
  const Bench clamped(settings);
  const at::Tensor gradient = clamped.gradient(6);
  EXPECT_NEAR(gradient.square().mean().sqrt().item<double>(), 0.05, 1e-5);
  EXPECT_TRUE(clamped.guidance->report().clamped);
  EXPECT_LT(golden::relative_error(gradient / gradient.norm(), free / free.norm()), 1e-4);
}

TEST(Guidance, NoGuidanceIsZeroAndNotANumber) {
  Settings settings = bare_settings();
  settings.clip_guidance_scale = 0;
  settings.clamp_grad = true;
  EXPECT_EQ(Bench(settings).gradient(6).abs().max().item<float>(), 0);
}

TEST(Guidance, LossesAreLoggedAModelAndBatch) {
  Settings settings = bare_settings();
  settings.cutn_batches = 3;
  std::vector<GuidanceModel> models = {small_model("vit32"), small_model("vit16")};
  const Bench bench(settings, 0.5, models);
  EXPECT_GT(bench.gradient(6).abs().max().item<float>(), 0);
  EXPECT_EQ(bench.guidance->report().losses.size(), 6u);
}

TEST(Guidance, HowManyCutsAreSeenTogetherDoesNotMatter) {
  Settings settings = bare_settings();
  settings.cut_overview = 5;
  settings.cut_innercut = 6;
  for (const char* name : {"vit32", "vit16", "rn50"}) {
    const auto look = [&](int cuts_at_once) {
      const Bench bench(settings, 0.5, {small_model(name)}, cuts_at_once);
      const at::Tensor gradient = bench.gradient(6);
      return std::pair{gradient, bench.guidance->report().losses.at(0)};
    };
    const auto [gradient, loss] = look(0);
    for (const int together : {1, 4, 11, 20}) {
      const auto [same_gradient, same_loss] = look(together);
      EXPECT_LT(golden::relative_error(same_gradient, gradient), 1e-5) << name << " " << together;
      EXPECT_NEAR(same_loss, loss, 1e-6 * std::abs(loss)) << name << " " << together;
    }
  }
}

TEST(Guidance, ThreadsThatLookSideBySideSeeTheSame) {
  Settings settings = bare_settings();
  settings.cut_overview = 5;
  settings.cut_innercut = 8;
  const int threads = at::get_num_threads();
  for (const char* name : {"vit32", "rn50"}) {
    const auto look = [&](int on_threads) {
      at::set_num_threads(on_threads);
      const Bench bench(settings, 0.5, {small_model(name)});
      const at::Tensor gradient = bench.gradient(6);
      return std::pair{gradient, bench.guidance->report().losses.at(0)};
    };
    const auto [gradient, loss] = look(1);
    for (const int several : {2, 3}) {
      const auto [same_gradient, same_loss] = look(several);
      EXPECT_LT(golden::relative_error(same_gradient, gradient), 1e-5) << name << " " << several;
      EXPECT_NEAR(same_loss, loss, 1e-6 * std::abs(loss)) << name << " " << several;
    }
  }
  at::set_num_threads(threads);
}

TEST(Guidance, AModelOfWeightZeroRests) {
  Settings settings = bare_settings();
  std::vector<GuidanceModel> models = {small_model()};
  models[0].weight = Schedule::parse("[0]*500+[1]*500");
  const Bench bench(settings, 0.5, models);
  bench.gradient(8);  // early: entry below 500
  EXPECT_TRUE(bench.guidance->report().losses.empty());
  bench.gradient(1);
  EXPECT_EQ(bench.guidance->report().losses.size(), 1u);
}

TEST(Guidance, AModelsDrawsDoNotDependOnTheOtherModels) {
  const Settings settings = bare_settings();
  const Bench alone(settings, 0.5, {small_model("vit16")});
  const Bench both(settings, 0.5, {small_model("vit32"), small_model("vit16")});
  alone.gradient(6);
  both.gradient(6);
  EXPECT_EQ(alone.guidance->report().losses.at(0), both.guidance->report().losses.at(1));
}

TEST(Guidance, EveryNthStepReusesTheLastGradient) {
  Settings settings = bare_settings();
  settings.guidance_every = 3;
  settings.tv_scale = 10;
  const Bench bench(settings);
  const at::Tensor first = bench.gradient(9);
  EXPECT_TRUE(first.equal(bench.gradient(8)));
  EXPECT_TRUE(first.equal(bench.gradient(7)));
  EXPECT_FALSE(first.equal(bench.gradient(6)));
}

TEST(Guidance, NaNMakesNoGuidanceAndIsReported) {
  Settings settings = bare_settings();
  settings.tv_scale = 10;
  Bench bench(settings);
  bench.x[0][0][0][0] = NAN;
  EXPECT_EQ(bench.gradient(6).abs().max().item<float>(), 0);
  EXPECT_TRUE(bench.guidance->report().not_finite);
}

TEST(Guidance, ScheduleEntriesFollowTheTimestep) {
  const NoiseSchedule schedule = NoiseSchedule::linear(250);
  EXPECT_EQ(schedule_entry(schedule, 249), 1000 - 997);
  EXPECT_EQ(schedule_entry(schedule, 0), 999);
}

}  // namespace
}  // namespace disco
