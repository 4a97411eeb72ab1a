#include "diffusion/denoiser.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/golden.h"

namespace disco {
namespace {

class DenoiserTest : public ::testing::Test {
 protected:
  NoiseSchedule schedule_ = NoiseSchedule::linear(50);
  at::Tensor x0_ = golden::unit("denoiser.x0", {1, 3, 4, 5}) * 0.5;
  at::Tensor noise_ = golden::unit("denoiser.noise", {1, 3, 4, 5});
};

TEST_F(DenoiserTest, TheNoiseIsFoundAgainAtEveryStep) {
  for (const int i : {0, 1, 10, 25, 49}) {
    SCOPED_TRACE(i);
    const at::Tensor x = add_noise(schedule_, x0_, noise_, i);
    EXPECT_EQ(x.scalar_type(), at::kFloat);
    // Where there is little noise ε is lost in the rounding of x, and where there is little picture x̂0 is.
    const double alpha_bar = schedule_.alphas_cumprod[static_cast<std::size_t>(i)];
    EXPECT_LT(golden::relative_error(predict_epsilon(schedule_, x, x0_, i), noise_), 1e-6 / std::sqrt(1 - alpha_bar));
    EXPECT_LT(golden::relative_error(predict_x0(schedule_, x, noise_, i), x0_), 3e-6 / std::sqrt(alpha_bar));
  }
}

TEST_F(DenoiserTest, TheFormulasHoldInDoublePrecision) {
  const int i = 30;
  const double alpha_bar = schedule_.alphas_cumprod[30];
  const at::Tensor x = noise_.to(at::kDouble), other = x0_.to(at::kDouble);
  EXPECT_LT(golden::relative_error(predict_x0(schedule_, noise_, x0_, i),
                                   (x - std::sqrt(1 - alpha_bar) * other) / std::sqrt(alpha_bar)),
            1e-6);
  EXPECT_LT(golden::relative_error(predict_epsilon(schedule_, noise_, x0_, i),
                                   (x - std::sqrt(alpha_bar) * other) / std::sqrt(1 - alpha_bar)),
            1e-6);
  EXPECT_LT(golden::relative_error(add_noise(schedule_, noise_, x0_, i),
                                   std::sqrt(alpha_bar) * x + std::sqrt(1 - alpha_bar) * other),
            1e-6);
}

TEST_F(DenoiserTest, AStepOutsideTheScheduleIsAnError) {
  EXPECT_THROW((void)predict_x0(schedule_, x0_, noise_, 50), std::out_of_range);
  EXPECT_THROW((void)add_noise(schedule_, x0_, noise_, -1), std::out_of_range);
}

}  // namespace
}  // namespace disco
