#include "guidance/losses.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <numbers>

#include "support/golden.h"
#include "support/gradient.h"

namespace disco {
namespace {

using Loss = at::Tensor (*)(const at::Tensor&);

TEST(Losses, MatchTheReference) {
  const auto expected = golden::tensors("ops.safetensors");
  const at::Tensor x = golden::unit("input.loss", {1, 3, 48, 80}) * 1.2;
  const std::vector<std::pair<std::string, Loss>> losses = {
      {"tv_loss", tv_loss}, {"range_loss", range_loss}, {"sat_loss", saturation_loss}};
  for (const auto& [name, loss] : losses) {
    SCOPED_TRACE(name);
    EXPECT_LT(golden::relative_error(loss(x), expected.at(name + ".y")), 1e-5);
    EXPECT_LT(golden::relative_error(gradient(loss, x), expected.at(name + ".dx")), 1e-5);
  }
}

TEST(Losses, AreComputedPictureByPicture) {
  const at::Tensor x = golden::unit("losses.batch", {2, 3, 5, 7}) * 2;
  for (const Loss loss : {tv_loss, range_loss, saturation_loss}) {
    const at::Tensor both = loss(x);
    ASSERT_EQ(both.sizes(), at::IntArrayRef({2}));
    EXPECT_TRUE(at::allclose(both[1], loss(x.narrow(0, 1, 1))[0]));
  }
}

TEST(TvLoss, CountsEachStepBetweenPixelsOnce) {
  // One step of 3 along four rows of five pixels.
  at::Tensor x = at::zeros({1, 1, 4, 5});
  x.narrow(3, 2, 3).fill_(3);
  EXPECT_NEAR(tv_loss(x).item<double>(), 9.0 * 4 / 20, 1e-6);
  EXPECT_EQ(tv_loss(at::full({1, 3, 4, 5}, .7)).item<double>(), 0);
}

RC_GTEST_PROP(RangeAndSaturationLoss, AreZeroInsideTheRange, ()) {
  const at::Tensor x = golden::unit("losses.inside", {1, 3, 4, 4}).clamp(-1, 1);
  const double excess = *rc::gen::inRange(1, 50) * .1;
  RC_ASSERT(range_loss(x).item<double>() == 0);
  RC_ASSERT(saturation_loss(x).item<double>() == 0);
  const at::Tensor outside = at::full({1, 3, 2, 2}, -1 - excess);
  RC_ASSERT(std::abs(range_loss(outside).item<double>() - excess * excess) < 1e-4);
  RC_ASSERT(std::abs(saturation_loss(outside).item<double>() - excess) < 1e-5);
}

TEST(SphericalDistance, MatchesTheReference) {
  const auto expected = golden::tensors("ops.safetensors");
  const at::Tensor e = golden::unit("input.sph.e", {6, 1, 64}), t = golden::unit("input.sph.t", {1, 3, 64});
  const auto distance = [&t](const at::Tensor& u) { return spherical_distance(u, t); };
  EXPECT_LT(golden::relative_error(distance(e), expected.at("spherical.y")), 1e-5);
  EXPECT_LT(golden::relative_error(gradient(distance, e), expected.at("spherical.de")), 1e-4);
}

RC_GTEST_PROP(SphericalDistance, IsHalfTheSquaredAngle, ()) {
  const double angle = *rc::gen::inRange(1, 310) * .01;
  const at::Tensor u = at::tensor({2.f, 0.f}), v = at::tensor({std::cos(angle), std::sin(angle)}, at::kFloat) * 5;
  RC_ASSERT(std::abs(spherical_distance(u, v).item<double>() - angle * angle / 2) < 1e-3);
}

TEST(SphericalDistance, HasFiniteGradientsAtBothEnds) {
  const at::Tensor u = golden::unit("losses.u", {1, 64});
  for (const double factor : {1.0, -1.0, 3.0, 0.0}) {
    const at::Tensor target = u * factor;
    const auto distance = [&target](const at::Tensor& v) { return spherical_distance(v, target); };
    EXPECT_TRUE(at::isfinite(distance(u)).all().item<bool>()) << factor;
    EXPECT_TRUE(at::isfinite(gradient(distance, u)).all().item<bool>()) << factor;
  }
  EXPECT_NEAR(spherical_distance(u, u).item<double>(), 0, 1e-6);
  EXPECT_NEAR(spherical_distance(u, -u).item<double>(), std::numbers::pi * std::numbers::pi / 2, 5e-3);
}

}  // namespace
}  // namespace disco
