#include "diffusion/noise_schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "core/error.h"
#include "support/golden.h"

namespace disco {
namespace {

TEST(NoiseSchedule, MatchesTheReferenceAtEveryStepCount) {
  const auto tensors = golden::tensors("ops.safetensors");
  int schedules = 0;
  const auto golden_json = golden::json("ops.json");
  for (const auto& [key, entry] : golden_json.items()) {
    if (!key.starts_with("schedule.")) continue;
    SCOPED_TRACE(key);
    const NoiseSchedule schedule = NoiseSchedule::linear(std::stoll(key.substr(9)));
    EXPECT_EQ(schedule.steps(), entry["num_timesteps"].get<int>());
    EXPECT_EQ(schedule.original_steps, entry["original_num_steps"].get<std::int64_t>());
    const at::Tensor map = tensors.at(key + ".timestep_map"), alphas = tensors.at(key + ".alphas_cumprod");
    ASSERT_EQ(map.numel(), schedule.steps());
    for (int i = 0; i < schedule.steps(); ++i) {
      const auto k = static_cast<std::size_t>(i);
      ASSERT_EQ(schedule.timestep_map[k], map[i].item<std::int64_t>()) << i;
      // Equal to the last bit: the same operations in the same order.
      ASSERT_EQ(schedule.alphas_cumprod[k], alphas[i].item<double>()) << i;
      ASSERT_EQ(schedule.alphas_cumprod_prev[k], i == 0 ? 1 : alphas[i - 1].item<double>()) << i;
    }
    ++schedules;
  }
  EXPECT_EQ(schedules, 11);
}

TEST(NoiseSchedule, EveryStepCountReachesCleanNoiseAtBothEnds) {
  for (const int steps : {1, 2, 7, 50, 77, 250, 333, 501, 750, 999, 1000, 1001, 1700}) {
    SCOPED_TRACE(steps);
    const NoiseSchedule schedule = NoiseSchedule::linear(steps);
    ASSERT_EQ(schedule.steps(), steps);
    EXPECT_EQ(schedule.original_steps % steps, 0);
    if (steps >= 1000) {
      EXPECT_EQ(schedule.original_steps, steps);
    }
    EXPECT_EQ(schedule.timestep_map.front(), 0);
    EXPECT_GT(schedule.alphas_cumprod.front(), 0.9997);
    for (int i = 1; i < steps; ++i) {
      const auto k = static_cast<std::size_t>(i);
      ASSERT_LT(schedule.alphas_cumprod[k], schedule.alphas_cumprod[k - 1]);
      ASSERT_GT(schedule.timestep_map[k], schedule.timestep_map[k - 1]);
    }
    if (steps >= 50) {
      EXPECT_LT(schedule.alphas_cumprod.back(), 1e-4);
    }
  }
}

TEST(NoiseSchedule, TheModelsSeeTimesOfAThousand) {
  const NoiseSchedule even = NoiseSchedule::linear(250);
  EXPECT_EQ(even.model_time(0), 0);
  EXPECT_EQ(even.model_time(249), 996);
  const NoiseSchedule uneven = NoiseSchedule::linear(334);  // T = 668
  EXPECT_FLOAT_EQ(static_cast<float>(uneven.model_time(333)), 666 * 1000.f / 668);
}

TEST(NoiseSchedule, TheSecondaryTimeIsTheAngleOfTheNoise) {
  const NoiseSchedule schedule = NoiseSchedule::linear(100);
  for (int i = 0; i < schedule.steps(); ++i) {
    const double angle = schedule.secondary_time(i) * std::numbers::pi / 2;
    EXPECT_NEAR(std::cos(angle) * std::cos(angle), schedule.alphas_cumprod[static_cast<std::size_t>(i)], 1e-12);
    EXPECT_GT(std::sin(angle), 0);
  }
}

TEST(NoiseSchedule, RefusesARunOfNoSteps) {
  for (const int steps : {0, -5}) {
    try {
      (void)NoiseSchedule::linear(steps);
      ADD_FAILURE() << "accepted " << steps;
    } catch (const RequestError& error) {
      EXPECT_EQ(error.where(), "steps");
      EXPECT_NE(error.problem().find(std::to_string(steps)), std::string::npos);
      EXPECT_FALSE(error.fix().empty());
    }
  }
}

}  // namespace
}  // namespace disco
