#include "sampler/sampler.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <utility>

#include "core/error.h"
#include "sampler/analytic.h"
#include "support/golden.h"

namespace disco {
namespace {

using analytic::GaussianData;
using Step = std::function<at::Tensor(const SamplerProblem&, SamplerState&)>;

/// Noise that depends on the step alone, so that a run can be cut anywhere.
NoiseFunction noise_by_step(const at::IntArrayRef shape) {
  return [size = shape.vec()](int i) {
    at::manual_seed(1000 + static_cast<std::uint64_t>(i));
    return at::randn(size);
  };
}

Step ddim(double eta) {
  return [eta](const SamplerProblem& problem, SamplerState& state) {
    return ddim_step(problem, state, eta, noise_by_step(state.x.sizes()));
  };
}

Step plms(int order) {
  return [order](const SamplerProblem& problem, SamplerState& state) { return plms_step(problem, state, order); };
}

at::Tensor run(const SamplerProblem& problem, SamplerState state, const Step& step) {
  while (state.i >= 0) step(problem, state);
  return state.x;
}

SamplerState start(const NoiseSchedule& schedule, const std::vector<std::int64_t>& shape = {1, 3, 8, 8}) {
  at::manual_seed(5);
  return {at::randn(shape), schedule.steps() - 1, {}};
}

/// Root mean square distance of a run on Gaussian data from the exact flow, in deviations of the data.
double flow_error(int steps, const Step& step) {
  const NoiseSchedule schedule = NoiseSchedule::linear(steps);
  const GaussianData data{0.3, 0.4};
  const SamplerProblem problem{schedule, data.epsilon(schedule), {}, false};
  const SamplerState state = start(schedule);
  const at::Tensor exact = data.flow_end(state.x, schedule.alphas_cumprod.back());
  return std::sqrt((run(problem, state, step) - exact).pow(2).mean().item<double>()) / data.deviation;
}

TEST(Ddim, ConvergesToTheFlowWithFirstOrder) {
  const double coarse = flow_error(100, ddim(0)), fine = flow_error(500, ddim(0));
  EXPECT_LT(fine, 0.01);
  EXPECT_GT(coarse / fine, 3.5);
  EXPECT_LT(coarse / fine, 7);
}

TEST(Plms, EulerIsDdimWithoutNoise) {
  const NoiseSchedule schedule = NoiseSchedule::linear(25);
  const SamplerProblem problem{schedule, GaussianData{0.1, 0.7}.epsilon(schedule), {}, true};
  EXPECT_LT(golden::relative_error(run(problem, start(schedule), plms(1)), run(problem, start(schedule), ddim(0))),
            1e-5);
}

TEST(Plms, IsNearerToTheFlowThanDdim) {
  const double euler = flow_error(100, ddim(0));
  for (const int order : {2, 3, 4}) {
    EXPECT_LT(flow_error(100, plms(order)), euler / 4) << "order " << order;
  }
}

TEST(Ddim, NoiseOfAnySignKeepsTheDistributionOfTheData) {
  const NoiseSchedule schedule = NoiseSchedule::linear(200);
  const GaussianData data{-0.2, 0.5};
  const SamplerProblem problem{schedule, data.epsilon(schedule), {}, false};
  for (const double eta : {-1.0, 0.5, 1.0}) {
    const at::Tensor x = run(problem, start(schedule, {1, 3, 64, 64}), ddim(eta));
    EXPECT_NEAR(x.mean().item<double>(), data.mean, 0.03) << eta;
    EXPECT_NEAR(x.std().item<double>(), data.deviation, 0.03) << eta;
  }
}

TEST(Ddim, TheSignOfEtaIsTheSignOfTheNoise) {
  const NoiseSchedule schedule = NoiseSchedule::linear(10);
  const SamplerProblem problem{schedule, GaussianData{}.epsilon(schedule), {}, false};
  SamplerState plus = start(schedule), minus = plus, none = plus;
  ddim(0.5)(problem, plus);
  ddim(-0.5)(problem, minus);
  // The mean of the two is the step without noise whose direction has the same σ.
  ddim_step(problem, none, 0.5, [&](int) { return at::zeros_like(none.x); });
  EXPECT_LT(golden::relative_error((plus.x + minus.x) / 2, none.x), 1e-6);
  EXPECT_GT(golden::relative_error(plus.x, minus.x), 0.05);
}

TEST(Ddim, TheLastStepDrawsNoiseButAddsNone) {
  const NoiseSchedule schedule = NoiseSchedule::linear(10);
  const SamplerProblem problem{schedule, GaussianData{}.epsilon(schedule), {}, true};
  SamplerState state = start(schedule);
  state.i = 0;
  int drawn = 0;
  const at::Tensor shown = ddim_step(problem, state, 1, [&](int i) {
    EXPECT_EQ(i, 0);
    ++drawn;
    return at::full_like(state.x, 1e6);
  });
  EXPECT_EQ(drawn, 1);
  EXPECT_EQ(state.i, -1);
  EXPECT_LT(golden::relative_error(state.x, shown), 1e-6);
}

TEST(Samplers, ClippingKeepsWhatIsShownInRange) {
  const NoiseSchedule schedule = NoiseSchedule::linear(15);
  // Data far outside the range, so that every estimate has to be cut.
  const GaussianData data{3, 0.1};
  for (const bool clip : {true, false}) {
    const SamplerProblem problem{schedule, data.epsilon(schedule), {}, clip};
    for (const Step& step : {ddim(0.8), plms(2)}) {
      SamplerState state = start(schedule);
      while (state.i >= 0) {
        const double largest = step(problem, state).abs().max().item<double>();
        if (clip) {
          ASSERT_LE(largest, 1);
        } else {
          ASSERT_GT(largest, 2);
        }
      }
      EXPECT_NEAR(state.x.mean().item<double>(), clip ? 1 : 3, 0.2);
    }
  }
}

TEST(Samplers, GuidancePullsTheEndButNotWhatIsShown) {
  const NoiseSchedule schedule = NoiseSchedule::linear(50);
  const GaussianData data{0, 0.5};
  const auto pull = [](const at::Tensor& x, int, int) { return at::full_like(x, 0.4); };
  for (const Step& step : {ddim(0.3), plms(2)}) {
    const SamplerProblem free{schedule, data.epsilon(schedule), {}, true};
    const SamplerProblem guided{schedule, data.epsilon(schedule), pull, true};
    SamplerState a = start(schedule), b = a;
    EXPECT_TRUE(at::equal(step(free, a), step(guided, b)));
    EXPECT_FALSE(at::equal(a.x, b.x));
    EXPECT_GT((run(guided, b, step) - run(free, a, step)).mean().item<double>(), 0.05);
  }
}

TEST(Samplers, TheReachOfGuidanceIsHowFarItMovesTheState) {
  const NoiseSchedule schedule = NoiseSchedule::linear(20);
  const GaussianData data{0, 0.5};
  const auto pull = [](const at::Tensor& x, int, int) { return at::full_like(x, 0.4); };
  for (const int i : {19, 10, 1, 0}) {
    const SamplerProblem free{schedule, data.epsilon(schedule), {}, false};
    const SamplerProblem guided{schedule, data.epsilon(schedule), pull, false};
    SamplerState a = start(schedule);
    a.i = i;
    SamplerState b = a;
    ddim(0)(free, a);
    ddim(0)(guided, b);
    const double moved = (b.x - a.x).abs().mean().item<double>();
    EXPECT_NEAR(0.4 * guidance_reach(schedule, i), moved, 1e-3 * moved + 1e-6) << i;
  }
}

TEST(Samplers, AnUndefinedGuidanceIsNoGuidance) {
  const NoiseSchedule schedule = NoiseSchedule::linear(8);
  const auto none = [](const at::Tensor&, int, int) { return at::Tensor(); };
  for (const Step& step : {ddim(0.8), plms(3)}) {
    const SamplerProblem empty{schedule, GaussianData{}.epsilon(schedule), {}, true};
    const SamplerProblem undefined{schedule, GaussianData{}.epsilon(schedule), none, true};
    EXPECT_TRUE(at::equal(run(empty, start(schedule), step), run(undefined, start(schedule), step)));
  }
}

/// Notes which steps the network and the guidance were asked for.
struct Recorder {
  NoiseSchedule schedule = NoiseSchedule::linear(6);
  std::vector<int> network;
  std::vector<std::pair<int, int>> guidance;
  std::string order;
  SamplerProblem problem{schedule,
                         [this](const at::Tensor& x, int i) {
                           network.push_back(i);
                           order += 'e';
                           return at::tanh(x);
                         },
                         [this](const at::Tensor& x, int i, int cur) {
                           guidance.emplace_back(i, cur);
                           order += 'g';
                           return at::zeros_like(x);
                         },
                         true};
};

TEST(Plms, TheFirstStepLooksAheadAtTheNextOne) {
  Recorder recorder;
  SamplerState state = start(recorder.schedule);
  state.i = 4;
  run(recorder.problem, state, plms(2));
  EXPECT_EQ(recorder.network, (std::vector<int>{4, 3, 3, 2, 1, 0}));
  EXPECT_EQ(recorder.guidance, (std::vector<std::pair<int, int>>{{4, 4}, {3, 4}, {3, 3}, {2, 2}, {1, 1}, {0, 0}}));
}

TEST(Plms, ARunOfOneStepEndsAtTheGuidedEstimate) {
  Recorder recorder;
  SamplerState state = start(recorder.schedule);
  state.i = 0;
  const at::Tensor shown = plms_step(recorder.problem, state, 2);
  EXPECT_EQ(recorder.network, std::vector<int>{0});
  EXPECT_EQ(state.i, -1);
  EXPECT_LT(golden::relative_error(state.x, shown), 1e-5);
}

TEST(Ddim, AsksTheGuidanceThenTheNetworkThenForNoise) {
  Recorder recorder;
  SamplerState state = start(recorder.schedule);
  ddim_step(recorder.problem, state, 0.5, [&](int) {
    recorder.order += 'n';
    return at::zeros_like(state.x);
  });
  EXPECT_EQ(recorder.order, "gen");
}

TEST(Plms, KeepsNoMoreThanTheNextStepNeeds) {
  for (int order = 1; order <= 4; ++order) {
    Recorder recorder;
    SamplerState state = start(recorder.schedule);
    std::size_t done = 0;
    while (state.i >= 0) {
      plms_step(recorder.problem, state, order);
      ++done;
      EXPECT_EQ(state.old_eps.size(), std::min(done, static_cast<std::size_t>(order - 1)));
    }
  }
}

TEST(Samplers, ACutRunContinuesWithTheSameBits) {
  const NoiseSchedule schedule = NoiseSchedule::linear(9);
  const at::Tensor target = golden::unit("sampler.cut", {1, 3, 8, 8});
  const SamplerProblem problem{schedule, GaussianData{0.2, 0.6}.epsilon(schedule),
                               [&](const at::Tensor& x, int i, int cur) { return (target - x) * (0.01 * (i + cur)); },
                               true};
  const std::map<std::string, Step> steps = {
      {"ddim", ddim(0.8)}, {"plms1", plms(1)}, {"plms2", plms(2)}, {"plms3", plms(3)}, {"plms4", plms(4)}};
  for (const auto& [name, step] : steps) {
    const at::Tensor whole = run(problem, start(schedule), step);
    for (int cut = 1; cut < schedule.steps(); ++cut) {
      SamplerState state = start(schedule);
      for (int k = 0; k < cut; ++k) step(problem, state);
      SamplerState restored{state.x.clone(), state.i, {}};
      for (const at::Tensor& eps : state.old_eps) restored.old_eps.push_back(eps.clone());
      // Nothing of the first part may be used any more.
      state.x.zero_();
      for (at::Tensor& eps : state.old_eps) eps.zero_();
      EXPECT_TRUE(at::equal(run(problem, restored, step), whole)) << name << " cut after " << cut;
    }
  }
}

TEST(Samplers, DdimForgetsTheHistoryOfPlms) {
  Recorder recorder;
  SamplerState state = start(recorder.schedule);
  plms_step(recorder.problem, state, 4);
  ASSERT_EQ(state.old_eps.size(), 1u);
  ddim_step(recorder.problem, state, 0, [&](int) { return at::zeros_like(state.x); });
  EXPECT_TRUE(state.old_eps.empty());
}

TEST(Samplers, TheResultCarriesNoGradient) {
  const NoiseSchedule schedule = NoiseSchedule::linear(4);
  const at::Tensor weight = at::ones({}).requires_grad_();
  const SamplerProblem problem{schedule, [&](const at::Tensor& x, int) { return at::tanh(x) * weight; },
                               [&](const at::Tensor& x, int, int) { return x * weight; }, true};
  for (const Step& step : {ddim(0.5), plms(2)}) {
    SamplerState state = start(schedule);
    EXPECT_FALSE(step(problem, state).requires_grad());
    EXPECT_FALSE(state.x.requires_grad());
  }
}

TEST(Samplers, BadRequestsAreRefusedBeforeAnyWork) {
  Recorder recorder;
  const auto no_noise = [](int) { return at::Tensor(); };
  SamplerState state = start(recorder.schedule);
  EXPECT_THROW(ddim_step(recorder.problem, state, 1.01, no_noise), RequestError);
  EXPECT_THROW(ddim_step(recorder.problem, state, std::nan(""), no_noise), RequestError);
  EXPECT_THROW(plms_step(recorder.problem, state, 0), RequestError);
  EXPECT_THROW(plms_step(recorder.problem, state, 5), RequestError);
  state.i = -1;
  EXPECT_THROW(ddim_step(recorder.problem, state, 0, no_noise), Error);
  EXPECT_THROW(plms_step(recorder.problem, state, 2), Error);
  SamplerState empty;
  EXPECT_THROW(plms_step(recorder.problem, empty, 2), Error);
  EXPECT_TRUE(recorder.network.empty());
}

}  // namespace
}  // namespace disco
