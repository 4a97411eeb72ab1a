#include "run/watchdog.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "picture/picture.h"
#include "support.h"

namespace disco {
namespace {

at::Tensor picture(double deviation, int seed = 1) {
  const at::Tensor x = at::sin(at::arange(3 * 16 * 16, at::kFloat) * (0.37 + seed)).reshape({1, 3, 16, 16});
  return (x - x.mean()) / x.std() * deviation;
}

Watchdog after_steps(int steps) {
  Watchdog watchdog;
  at::Tensor previous;
  for (int k = 0; k < steps; ++k) {
    const at::Tensor x0 = picture(0.3) + 0.001 * k;
    EXPECT_FALSE(watchdog.judge({x0, x0, previous})) << k;
    watchdog.accept(x0, previous);
    previous = x0;
  }
  return watchdog;
}

TEST(Watchdog, NumbersThatAreNotFinite) {
  at::Tensor x = picture(0.3);
  x[0][0][0][0] = NAN;
  EXPECT_TRUE(Watchdog().judge({picture(0.3), x, {}}));
  EXPECT_TRUE(Watchdog().judge({x, picture(0.3), {}}));
}

TEST(Watchdog, ALossOfVariance) { EXPECT_TRUE(after_steps(3).judge({picture(0.3), picture(0.001), picture(0.3)})); }

TEST(Watchdog, AJumpOnlyAgainstCalmSteps) {
  EXPECT_TRUE(after_steps(12).judge({picture(0.3), picture(0.9, 2), picture(0.3)}));
  EXPECT_FALSE(after_steps(3).judge({picture(0.3), picture(0.6, 2), picture(0.3)}));
}

TEST(Watchdog, APosterisedPicture) {
  const at::Tensor posterised = at::where(picture(0.3) > 0, at::ones({1}), -at::ones({1}));
  EXPECT_TRUE(after_steps(3).judge({posterised, posterised, picture(0.3)}));
}

TEST(Watchdog, GuidanceThatSwampsThePicture) {
  EXPECT_TRUE(Watchdog().judge({picture(0.3), picture(0.3), {}, 1.5}));
  EXPECT_FALSE(Watchdog().judge({picture(0.3), picture(0.3), {}, 0.5}));
}

TEST(Watchdog, RemembersAcrossACheckpoint) {
  Watchdog restored;
  restored.restore(after_steps(12).memory());
  EXPECT_TRUE(restored.judge({picture(0.3), picture(0.9, 2), picture(0.3)}));
}

/// Draws without the clamp, so that the guidance is as strong as its scale says.
Picture draw_unclamped(double scale, Recorder& listener) {
  const TemporaryFolder out;
  const auto settings = quick_settings(
      {{"clamp_grad", false}, {"clip_guidance_scale", scale}, {"tv_scale", 0}, {"range_scale", 0}, {"sat_scale", 0}});
  return read_picture(make_engine()->run(request_in(out.path(), settings), listener).pictures.at(0));
}

TEST(Watchdog, RunawayGuidanceIsLeftOutOfThePicture) {
  Recorder runaway, none;
  EXPECT_EQ(draw_unclamped(1e12, runaway).samples, draw_unclamped(0, none).samples);
  EXPECT_TRUE(std::any_of(runaway.warnings.begin(), runaway.warnings.end(), [](const std::string& text) {
    return text.find("done again with less guidance") != std::string::npos;
  })) << runaway.warnings.size();
  EXPECT_TRUE(none.warnings.empty());
}

}  // namespace
}  // namespace disco
