#include "guidance/augment.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "kernels/choice.h"
#include "kernels/cut_colours.h"
#include "support/golden.h"
#include "support/gradient.h"

namespace disco {
namespace {

double largest_difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

const at::Tensor& test_cuts() {
  static const at::Tensor cuts = golden::unit("augment.cuts", {2, 3, 12, 16}) * .2 + .5;
  return cuts;
}

TEST(Affine, NothingChangesNothing) {
  for (const auto interpolation : {Interpolation::nearest, Interpolation::bilinear}) {
    EXPECT_LT(largest_difference(apply_affine(test_cuts(), {}, interpolation, true), test_cuts()), 1e-5);
  }
}

TEST(Affine, AShiftMovesPixelsAndLeavesZeros) {
  for (const auto interpolation : {Interpolation::nearest, Interpolation::bilinear}) {
    const at::Tensor y = apply_affine(test_cuts(), {.degrees = 0, .right = 3, .down = -2}, interpolation, false);
    EXPECT_LT(largest_difference(y.narrow(3, 3, 13).narrow(2, 0, 10), test_cuts().narrow(3, 0, 13).narrow(2, 2, 10)),
              1e-5);
    EXPECT_LT(y.narrow(3, 0, 3).abs().max().item<double>(), 1e-5);
    EXPECT_LT(y.narrow(2, 10, 2).abs().max().item<double>(), 1e-5);
  }
}

TEST(Affine, AQuarterTurnIsClockwise) {
  const at::Tensor square = test_cuts().narrow(3, 0, 12);
  const at::Tensor turned = apply_affine(square, {.degrees = 90}, Interpolation::bilinear, false);
  EXPECT_LT(largest_difference(turned, at::rot90(square, -1, {2, 3})), 1e-4);
}

TEST(Affine, TheMaskOfTheFillCountsTwiceOnlyOnTheEdge) {
  const at::Tensor ones = at::ones({1, 3, 20, 20});
  const Affine affine{.degrees = 8};
  const at::Tensor once = apply_affine(ones, affine, Interpolation::bilinear, false);
  const at::Tensor twice = apply_affine(ones, affine, Interpolation::bilinear, true);
  EXPECT_LT(largest_difference(twice, once * once), 1e-6);
  EXPECT_GT(largest_difference(twice, once), .1);
  // Nearest pixels are inside or outside, so there is nothing to count twice.
  EXPECT_TRUE(at::equal(apply_affine(ones, affine, Interpolation::nearest, true),
                        apply_affine(ones, affine, Interpolation::nearest, false)));
}

RC_GTEST_PROP(Affine, DrawsStayInTheirRanges, ()) {
  RandomStream stream(*rc::gen::arbitrary<std::uint32_t>());
  const Affine affine = draw_affine(100, 60, 10, .05, stream);
  RC_ASSERT(std::abs(affine.degrees) <= 10);
  RC_ASSERT(std::abs(affine.right) <= 5);
  RC_ASSERT(std::abs(affine.down) <= 3);
}

TEST(Perspective, UnmovedCornersChangeNothingButTheHalfPixel) {
  // The homography is of pixel indices, applied at pixel centres: for the identity both are the same.
  const Corners corners = {{{0, 0}, {15, 0}, {15, 11}, {0, 11}}};
  EXPECT_LT(largest_difference(apply_perspective(test_cuts(), corners, true), test_cuts()), 1e-4);
}

TEST(Perspective, CornersMoveToWhereTheyWereDrawn) {
  // A bright picture drawn into a smaller quadrangle: inside it is bright, outside there is nothing.
  const Corners corners = {{{6, 4}, {25, 2}, {28, 27}, {3, 29}}};
  const at::Tensor y = apply_perspective(at::ones({1, 1, 32, 32}), corners, false)[0][0];
  EXPECT_NEAR(y[6][8].item<double>(), 1, 1e-4);
  EXPECT_NEAR(y[26][26].item<double>(), 1, 1e-4);
  EXPECT_NEAR(y[27][5].item<double>(), 1, 1e-4);
  EXPECT_NEAR(y[4][24].item<double>(), 1, 1e-4);
  EXPECT_EQ(y[1][16].item<double>(), 0);
  EXPECT_EQ(y[16][1].item<double>(), 0);
  EXPECT_EQ(y[16][30].item<double>(), 0);
  EXPECT_EQ(y[31][16].item<double>(), 0);
}

RC_GTEST_PROP(Perspective, CornersAreDrawnInTheirQuarters, ()) {
  RandomStream stream(*rc::gen::arbitrary<std::uint32_t>());
  const auto width = *rc::gen::inRange<std::int64_t>(10, 300), height = *rc::gen::inRange<std::int64_t>(10, 300);
  const Corners corners = draw_corners(width, height, .4, stream);
  for (std::size_t i = 0; i < corners.size(); ++i) {
    const bool right = i == 1 || i == 2, low = i >= 2;
    const std::int64_t from_side = right ? width - 1 - corners[i][0] : corners[i][0];
    const std::int64_t from_end = low ? height - 1 - corners[i][1] : corners[i][1];
    RC_ASSERT(from_side >= 0 && from_side <= width / 5);
    RC_ASSERT(from_end >= 0 && from_end <= height / 5);
  }
}

TEST(ColourJitter, NeutralFactorsChangeNothing) {
  const at::Tensor x = test_cuts().clamp(0, 1);
  EXPECT_LT(largest_difference(apply_colour_jitter(x, {.order = {3, 0, 2, 1}}), x), 1e-5);
}

TEST(ColourJitter, AThirdOfATurnMovesEveryChannelOn) {
  ColourJitter jitter{.order = {0, 1, 2, 3}};
  jitter.hue = 1. / 3;
  const at::Tensor x = test_cuts().clamp(0, 1);
  EXPECT_LT(largest_difference(apply_colour_jitter(x, jitter), x.roll({1}, {1})), 1e-4);
}

TEST(ColourJitter, GreyHasNoHue) {
  const at::Tensor x = at::linspace(0, 1, 48).view({1, 1, 6, 8}).expand({1, 3, -1, -1});
  ColourJitter jitter{.order = {3, 0, 1, 2}};
  jitter.hue = .2;
  const auto turn = [&jitter](const at::Tensor& t) { return apply_colour_jitter(t, jitter); };
  EXPECT_LT(largest_difference(turn(x), x), 1e-6);
  EXPECT_TRUE(at::isfinite(gradient(turn, x)).all().item<bool>());
}

TEST(ColourJitter, ContrastTurnsAboutTheMeanGreyOfEachCut) {
  ColourJitter jitter{.order = {0, 1, 2, 3}};
  jitter.contrast = 0;
  const at::Tensor y = apply_colour_jitter(test_cuts(), jitter);
  for (int n = 0; n < 2; ++n) {
    const double mean = grey(test_cuts().narrow(0, n, 1)).mean().item<double>();
    EXPECT_LT(largest_difference(y[n], at::full_like(y[n], mean)), 1e-5);
  }
}

TEST(ColourJitter, SaturationZeroIsGrey) {
  ColourJitter jitter{.order = {0, 1, 2, 3}};
  jitter.saturation = 0;
  EXPECT_LT(largest_difference(apply_colour_jitter(test_cuts(), jitter), grey(test_cuts()).expand_as(test_cuts())),
            1e-5);
}

TEST(ColourJitter, FollowsTheDrawnOrder) {
  ColourJitter jitter{.order = {0, 1, 2, 3}, .brightness = 1.1, .contrast = .9, .saturation = 1.1};
  jitter.hue = .1;
  ColourJitter other = jitter;
  other.order = {3, 2, 1, 0};
  EXPECT_GT(largest_difference(apply_colour_jitter(test_cuts(), jitter), apply_colour_jitter(test_cuts(), other)),
            1e-3);
}

TEST(Augment, NativeModeKeepsTheDrawsAndBrightensTheEdgesOnly) {
  const at::Tensor ones = at::ones({1, 3, 64, 64});
  const auto run = [&](bool faithful) {
    RandomStream stream(12);
    return augment(ones, AugmentationList::three_d, stream, faithful);
  };
  const at::Tensor gain = run(false) - run(true);
  EXPECT_GT(gain.max().item<double>(), .05);
  EXPECT_LT(gain.narrow(2, 24, 16).narrow(3, 24, 16).abs().max().item<double>(), .02);
}

/// Equal channels, black, white and what lies just outside: where a largest channel, a clamp or a hue is ambiguous, the
/// kernel must decide as LibTorch's operators do.
TEST(ColourJitter, TheKernelDecidesTiesAlike) {
  at::manual_seed(11);
  const at::Tensor levels = at::tensor({-.25f, 0.f, .25f, .5f, 1.f, 1.25f});
  const at::Tensor cuts = levels.index({at::randint(0, 6, {4, 3, 17, 19})});
  const at::Tensor none = at::zeros(cuts.sizes()), by = at::randn(cuts.sizes());
  RandomStream stream(5);
  for (int k = 0; k < 24; ++k) {
    const ColourJitter jitter = draw_colour_jitter(.1, .3, stream);
    const auto fused = [&](const at::Tensor& x) {
      return fused_cut_colours(x, none, none, 0, false, colour_steps(jitter));
    };
    const auto plain = [&](const at::Tensor& x) { return apply_colour_jitter(x, jitter); };
    // Where the largest channel is 0 and another below, the original divides by 0.
    EXPECT_TRUE(at::allclose(fused(cuts), plain(cuts), 1e-4, 1e-5, /*equal_nan=*/true)) << k;
    const at::Tensor a = gradient(fused, cuts, by), b = gradient(plain, cuts, by);
    const at::Tensor off = ((a - b).abs() > 1e-3 * (1 + b.abs())).logical_or(a.isnan() != b.isnan());
    // A value that rounding moves over a clamp's end has another gradient.
    EXPECT_LT(off.to(at::kDouble).mean().item<double>(), 1e-3) << k;
  }
}

class AugmentTwins : public ::testing::TestWithParam<AugmentationList> {
 protected:
  ~AugmentTwins() override { choose_kernels(Kernels::fast); }
};

TEST_P(AugmentTwins, TheKernelsEqualLibTorchsOperatorsWithTheirGradients) {
  for (std::uint64_t seed = 0; seed < 24; ++seed) {
    at::manual_seed(static_cast<std::int64_t>(seed));
    const std::int64_t side = 5 + static_cast<std::int64_t>(seed) * 3;
    // Values on both sides of the clamps.
    const at::Tensor cuts = at::rand({3, 3, side, side}) * 1.3 - .15, by = at::randn(cuts.sizes());
    std::vector<at::Tensor> values, gradients;
    for (const Kernels kernels : {Kernels::plain, Kernels::fast}) {
      choose_kernels(kernels);
      const auto augmented = [&](const at::Tensor& x) {
        RandomStream stream(seed);
        return augment(x, GetParam(), stream, seed % 2 == 0);
      };
      values.push_back(augmented(cuts));
      gradients.push_back(gradient(augmented, cuts, by));
    }
    EXPECT_LT(golden::relative_error(values[1], values[0]), 1e-5) << seed;
    EXPECT_LT(golden::relative_error(gradients[1], gradients[0]), 1e-4) << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(, AugmentTwins,
                         ::testing::Values(AugmentationList::still, AugmentationList::video,
                                           AugmentationList::three_d));

TEST(Augment, EachStageOfAListAddsItsNoise) {
  // Where a black picture stays black but for the noise, its variances add up: three stages, or four for video.
  const auto deviation = [](AugmentationList list) {
    RandomStream stream(3);
    return augment(at::full({1, 3, 200, 200}, .5), list, stream, true).narrow(2, 80, 40).narrow(3, 80, 40).std();
  };
  EXPECT_GT(deviation(AugmentationList::video).item<double>(), .01);
  EXPECT_LT(deviation(AugmentationList::video).item<double>(), .021);
  EXPECT_LT(deviation(AugmentationList::still).item<double>(), .02);
}

}  // namespace
}  // namespace disco
