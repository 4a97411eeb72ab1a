// The samplers against the reference's numbers, step by step.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "sampler/sampler.h"
#include "support/golden.h"

namespace disco {
namespace {

struct Variant {
  std::string name;
  std::optional<double> eta;  ///< Of DDIM; PLMS without.
  int order = 0;
  int skip = 0;
  bool init = false;
};

class SamplerGolden : public ::testing::TestWithParam<Variant> {};

TEST_P(SamplerGolden, EveryStepMatchesTheReference) {
  const Variant& variant = GetParam();
  const auto expected = golden::tensors("ops.safetensors");
  const at::Tensor samples = expected.at("sampler." + variant.name + ".sample");
  const at::Tensor shown = expected.at("sampler." + variant.name + ".pred_xstart");

  const NoiseSchedule schedule = NoiseSchedule::linear(20);
  const std::vector<std::int64_t> shape = {1, 3, 8, 8};
  const at::Tensor target = golden::unit("input.sampler.target", shape);
  const SamplerProblem problem{
      schedule,
      [&](const at::Tensor& x, int i) { return at::tanh(x) * std::sin(schedule.model_time(i) / 300); },
      [&](const at::Tensor& x, int, int) { return (target - x) * 0.01; },
      false,
  };
  at::manual_seed(3);
  SamplerState state;
  state.x = at::randn(shape);
  state.i = schedule.steps() - 1 - variant.skip;
  if (variant.init || variant.skip > 0) {
    const at::Tensor init = variant.init ? golden::unit("input.sampler.init", shape) : at::zeros(shape);
    state.x = add_noise(schedule, init, state.x, state.i);
  }
  ASSERT_EQ(samples.size(0), state.i + 1);
  for (std::int64_t step = 0; step < samples.size(0); ++step) {
    const at::Tensor x0 = variant.eta ? ddim_step(problem, state, *variant.eta, [&](int) { return at::randn(shape); })
                                      : plms_step(problem, state, variant.order);
    EXPECT_LT(golden::relative_error(state.x[0], samples[step]), 2e-6) << "x after step " << step;
    EXPECT_LT(golden::relative_error(x0[0], shown[step]), 2e-6) << "x0 of step " << step;
  }
  EXPECT_EQ(state.i, -1);
}

INSTANTIATE_TEST_SUITE_P(Variants, SamplerGolden,
                         ::testing::Values(Variant{"ddim_eta0", 0.0}, Variant{"ddim_eta08", 0.8},
                                           Variant{"ddim_eta1_skip", 1.0, 0, 5}, Variant{"ddim_init", 0.5, 0, 8, true},
                                           Variant{"plms2", {}, 2}, Variant{"plms4", {}, 4},
                                           Variant{"plms2_skip", {}, 2, 5}),
                         [](const auto& variant) { return variant.param.name; });

}  // namespace
}  // namespace disco
