#include "run/watchdog.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

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
    EXPECT_FALSE(watchdog.judge(x0, x0, previous)) << k;
    watchdog.accept(x0, previous);
    previous = x0;
  }
  return watchdog;
}

TEST(Watchdog, NumbersThatAreNotFinite) {
  at::Tensor x = picture(0.3);
  x[0][0][0][0] = NAN;
  EXPECT_TRUE(Watchdog().judge(picture(0.3), x, {}));
  EXPECT_TRUE(Watchdog().judge(x, picture(0.3), {}));
}

TEST(Watchdog, ALossOfVariance) { EXPECT_TRUE(after_steps(3).judge(picture(0.3), picture(0.001), picture(0.3))); }

TEST(Watchdog, AJumpOnlyAgainstCalmSteps) {
  EXPECT_TRUE(after_steps(12).judge(picture(0.3), picture(0.9, 2), picture(0.3)));
  EXPECT_FALSE(after_steps(3).judge(picture(0.3), picture(0.6, 2), picture(0.3)));
}

TEST(Watchdog, APosterisedPicture) {
  const at::Tensor posterised = at::where(picture(0.3) > 0, at::ones({1}), -at::ones({1}));
  EXPECT_TRUE(after_steps(3).judge(posterised, posterised, picture(0.3)));
}

TEST(Watchdog, RemembersAcrossACheckpoint) {
  Watchdog restored;
  restored.restore(after_steps(12).memory());
  EXPECT_TRUE(restored.judge(picture(0.3), picture(0.9, 2), picture(0.3)));
}

}  // namespace
}  // namespace disco
