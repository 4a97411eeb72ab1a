#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <limits>

#include "kernels/cut_colours.h"
#include "kernels/cut_warp.h"
#include "support/golden.h"

namespace disco {
namespace {

at::Tensor gradient(const at::Tensor& y, const at::Tensor& x, const at::Tensor& by) {
  return torch::autograd::grad({y}, {x}, {by})[0];
}

TEST(FusedCutWarp, EqualsGridSamplerWithItsGradient) {
  at::manual_seed(5);
  for (const bool nearest : {false, true}) {
    for (const bool mirrored : {false, true}) {
      for (const auto& [height, width] : {std::pair{9, 14}, {16, 16}, {33, 7}}) {
        const at::Tensor cuts = at::rand({3, 3, height, width}).requires_grad_();
        const at::Tensor noise = at::randn(cuts.sizes()), by = at::randn(cuts.sizes());
        // A quarter of the places lie outside.
        const at::Tensor places = at::rand({1, height, width, 2}) * 2.4 - 1.2;
        const at::Tensor mask = at::grid_sampler(at::ones({1, 1, height, width}), places, 0, 0, false);
        for (const bool fade : {false, true}) {
          const at::Tensor before = (mirrored ? cuts.flip({3}) : cuts) + noise * .01;
          const at::Tensor once = at::grid_sampler(before, places.expand({3, -1, -1, -1}), nearest ? 1 : 0, 0, false);
          const at::Tensor plain = fade && !nearest ? once * mask : once;
          const at::Tensor fused = fused_cut_warp(cuts, noise, .01, places, {mirrored, nearest, fade});
          EXPECT_LT(golden::relative_error(fused, plain), 1e-5);
          EXPECT_LT(golden::relative_error(gradient(fused, cuts, by), gradient(plain, cuts, by)), 1e-5);
        }
      }
    }
  }
}

TEST(FusedCutColours, NoiseAndGreyAlone) {
  at::manual_seed(6);
  const at::Tensor cuts = at::rand({2, 3, 5, 7}).requires_grad_();
  const at::Tensor first = at::randn(cuts.sizes()), second = at::randn(cuts.sizes()), by = at::randn(cuts.sizes());
  const at::Tensor shares = at::tensor({.2989f, .587f, .114f}).view({1, 3, 1, 1});
  for (const bool is_grey : {false, true}) {
    at::Tensor plain = cuts + first * .01;
    if (is_grey) plain = (plain * shares).sum({1}, true).expand_as(plain);
    plain = plain + second * .01;
    const at::Tensor fused = fused_cut_colours(cuts, first, second, .01, is_grey, std::nullopt);
    EXPECT_LT(golden::relative_error(fused, plain), 1e-6);
    EXPECT_LT(golden::relative_error(gradient(fused, cuts, by), gradient(plain, cuts, by)), 1e-6);
  }
}

/// The mean grey joins all pixels of a cut, so numbers alone would not show a wrong sum: the gradient is set beside
/// differences of the operator itself, in every order of the steps.
TEST(FusedCutColours, TheGradientIsThatOfItsValues) {
  at::manual_seed(7);
  std::array<int, 4> order = {0, 1, 2, 3};
  const std::array<ColourStep, 4> all = {{{ColourStep::brightness, 1.07f},
                                          {ColourStep::contrast, .93f},
                                          {ColourStep::saturation, 1.06f},
                                          {ColourStep::hue, .02f}}};
  const at::Tensor none = at::zeros({1, 3, 3, 3});
  do {
    ColourSteps steps;
    for (std::size_t k = 0; k < 4; ++k) steps[k] = all[static_cast<std::size_t>(order[k])];
    // Inside [0,1], and away from equal channels, where the hue has a corner.
    const at::Tensor base = at::tensor({.2f, .45f, .7f}).index_select(0, at::randperm(3)).view({1, 3, 1, 1});
    const at::Tensor cuts = (base + at::rand({1, 3, 3, 3}) * .1).requires_grad_();
    const at::Tensor by = at::randn(cuts.sizes());
    const at::Tensor way = at::randn(cuts.sizes());
    const auto value = [&](const at::Tensor& x) {
      return (fused_cut_colours(x, none, none, 0, false, steps).detach().to(at::kDouble) * by).sum().item<double>();
    };
    constexpr double step = 1e-3;
    const double measured = (value(cuts.detach() + way * step) - value(cuts.detach() - way * step)) / (2 * step);
    const at::Tensor slope = gradient(fused_cut_colours(cuts, none, none, 0, false, steps), cuts, by);
    EXPECT_NEAR((slope * way).sum().item<double>(), measured, 2e-2 + .01 * std::abs(measured));
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(FusedCutColours, NaNStaysNaN) {
  at::Tensor cuts = at::rand({1, 3, 4, 4});
  cuts[0][1][2][2] = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor none = at::zeros(cuts.sizes());
  const ColourSteps steps = {{{ColourStep::brightness, 1.1f},
                              {ColourStep::contrast, .9f},
                              {ColourStep::saturation, 1.1f},
                              {ColourStep::hue, .1f}}};
  EXPECT_TRUE(fused_cut_colours(cuts, none, none, 0, false, steps).isnan().any().item<bool>());
}

}  // namespace
}  // namespace disco
