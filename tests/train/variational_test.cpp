// The variational bound against numbers worked out by hand.
#include "train/variational.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <numbers>

#include "tensor/random.h"
#include "train/noising.h"

namespace disco {
namespace {

at::Tensor number(double x) { return at::tensor({static_cast<float>(x)}); }

TEST(Variational, TheDivergenceOfTwoGaussians) {
  const auto kl = [](double m1, double s1, double m2, double s2) {
    return normal_kl(number(m1), number(2 * std::log(s1)), number(m2), number(2 * std::log(s2))).item<double>();
  };
  EXPECT_NEAR(kl(0.3, 0.7, 0.3, 0.7), 0, 1e-6);
  // log(σ₂/σ₁) + (σ₁² + (μ₁−μ₂)²)/(2σ₂²) − 1/2
  EXPECT_NEAR(kl(0, 1, 1, 1), 0.5, 1e-6);
  EXPECT_NEAR(kl(0, 1, 0, 2), std::log(2) + 1.0 / 8 - 0.5, 1e-6);
  EXPECT_NEAR(kl(1, 2, 3, 0.5), std::log(0.25) + (4 + 4) / 0.5 - 0.5, 1e-5);
}

TEST(Variational, TheLikelihoodOfAValueIsThatOfItsBin) {
  const auto likelihood = [](double x, double mean, double deviation) {
    return discretised_log_likelihood(number(x), number(mean), number(std::log(deviation))).item<double>();
  };
  const auto exact = [](double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); };
  const double half = 1.0 / 255;
  // The tanh is within 3e-4 of the distribution function.
  EXPECT_NEAR(std::exp(likelihood(0.1, 0.0, 0.02)), exact((0.1 + half) / 0.02) - exact((0.1 - half) / 0.02), 3e-4);
  EXPECT_NEAR(std::exp(likelihood(0, 0, 0.01)), exact(half / 0.01) - exact(-half / 0.01), 6e-4);
  // The bins at the ends reach to infinity.
  EXPECT_NEAR(likelihood(-1, -1, 0.001), 0, 1e-4);
  EXPECT_NEAR(std::exp(likelihood(1, 1, 10)), exact(half / 10), 1e-3);
  // All bins together make a whole.
  const at::Tensor values = at::arange(256, at::kFloat) / 127.5 - 1;
  const double sum = discretised_log_likelihood(values, at::full({256}, 0.3), at::full({256}, std::log(0.2)))
                         .exp()
                         .sum()
                         .item<double>();
  EXPECT_NEAR(sum, 1, 1e-4);
  EXPECT_TRUE(std::isfinite(likelihood(0.5, -0.5, 1e-4)));
}

TEST(Variational, TheTermsOfATime) {
  // Two steps from the end of a linear schedule of 1000: β, ᾱ as Ho 2020 has them.
  const auto beta = [](int t) { return 1e-4 + t * (0.02 - 1e-4) / 999; };
  const auto bar = [&](int t) {
    double product = 1;
    for (int i = 0; i <= t; ++i) product *= 1 - beta(i);
    return product;
  };
  const int t = 400;
  const double x0 = 0.2, x = -0.4, guess = 0.3, v = 0.5;
  const double small = (1 - bar(t - 1)) / (1 - bar(t)) * beta(t);
  const double of_x0 = std::sqrt(bar(t - 1)) * beta(t) / (1 - bar(t));
  const double log_variance = 0.75 * std::log(beta(t)) + 0.25 * std::log(small);
  const double off = of_x0 * (x0 - guess);
  const double nats = 0.5 * (log_variance - std::log(small) - 1 + (small + off * off) / std::exp(log_variance));
  const auto picture = [](double value) { return at::full({1, 3, 2, 2}, value); };
  const at::Tensor term = bound_terms(picture(x0), picture(x), number(t), picture(guess), picture(v));
  ASSERT_EQ(term.sizes(), at::IntArrayRef({1}));
  EXPECT_NEAR(term.item<double>(), nats / std::numbers::ln2, 1e-3 * nats);

  // At time 0 the mean is the guess itself, and the variance of v = −1 is the second step's β̃.
  const double deviation = std::sqrt((1 - bar(0)) / (1 - bar(1)) * beta(1));
  const at::Tensor last = bound_terms(picture(x0), picture(x), number(0), picture(guess), picture(-1));
  const double expected =
      -discretised_log_likelihood(number(x0), number(guess), number(std::log(deviation))).item<double>();
  EXPECT_NEAR(last.item<double>(), expected / std::numbers::ln2, 1e-3 * expected);
}

TEST(Variational, TheRightVarianceOfAPerfectGuessIsTheSmallOne) {
  RandomStream draws(2);
  const at::Tensor x0 = (draws.randn({6, 3, 4, 4}) / 3).clamp(-1, 1);
  const Noised noised = add_random_noise(x0, 1000, draws);
  const auto term = [&](const at::Tensor& v) { return bound_terms(x0, noised.x, noised.t, x0, v).mean(); };
  EXPECT_LT(term(at::full_like(x0, -1)).item<double>(), term(at::zeros_like(x0)).item<double>());
  const at::Tensor v = at::zeros_like(x0).requires_grad_();
  EXPECT_GT(torch::autograd::grad({term(v)}, {v})[0].sum().item<double>(), 0);
}

}  // namespace
}  // namespace disco
