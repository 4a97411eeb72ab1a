// Denoisers with a known answer: the data is Gaussian, so that ε and the whole path of x are given in closed form.
#pragma once

#include <ATen/ATen.h>

#include <cmath>

#include "sampler/sampler.h"

namespace disco::analytic {

/// Independent pixels of this mean and standard deviation.
struct GaussianData {
  double mean = 0, deviation = 1;

  /// Variance of x where the cumulative alpha is alpha_bar.
  double variance(double alpha_bar) const { return alpha_bar * deviation * deviation + 1 - alpha_bar; }

  /// The exact ε = −sqrt(1−ᾱ)·∇ log p(x).
  EpsilonFunction epsilon(const NoiseSchedule& schedule) const {
    return [data = *this, &schedule](const at::Tensor& x, int i) {
      const double alpha_bar = schedule.alphas_cumprod.at(static_cast<std::size_t>(i));
      return (x - std::sqrt(alpha_bar) * data.mean) * (std::sqrt(1 - alpha_bar) / data.variance(alpha_bar));
    };
  }

  /// Where the probability flow takes x of cumulative alpha `from` at cumulative alpha 1.
  at::Tensor flow_end(const at::Tensor& x, double from) const {
    return mean + (x.to(at::kDouble) - std::sqrt(from) * mean) * (deviation / std::sqrt(variance(from)));
  }
};

}  // namespace disco::analytic
