#include "train/variational.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "diffusion/noise_schedule.h"

namespace disco {
namespace {

/// Coefficients of q(x_{t−1}|x_t,x_0) by time (Ho 2020, eq. 6 and 7), float32 on the CPU.
struct Posterior {
  at::Tensor of_x0, of_x, log_beta, log_variance;
};

const Posterior& posterior() {
  static const Posterior all = [] {
    const NoiseSchedule schedule = NoiseSchedule::linear(1000);
    const auto count = static_cast<std::size_t>(schedule.steps());
    std::vector<double> of_x0(count), of_x(count), log_beta(count), log_variance(count);
    for (std::size_t t = 0; t < count; ++t) {
      const double bar = schedule.alphas_cumprod[t], before = schedule.alphas_cumprod_prev[t];
      const double beta = 1 - bar / before;
      of_x0[t] = std::sqrt(before) * beta / (1 - bar);
      of_x[t] = std::sqrt(1 - beta) * (1 - before) / (1 - bar);
      log_beta[t] = std::log(beta);
      log_variance[t] = std::log((1 - before) / (1 - bar) * beta);
    }
    // The first variance is zero; ADM takes the second's.
    log_variance[0] = log_variance[1];
    const auto tensor = [](const std::vector<double>& values) { return at::tensor(values, at::kFloat); };
    return Posterior{tensor(of_x0), tensor(of_x), tensor(log_beta), tensor(log_variance)};
  }();
  return all;
}

/// The Gaussian's distribution function by tanh (Page 1977), as ADM has it.
at::Tensor distribution(const at::Tensor& x) {
  return 0.5 * (1 + at::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x.pow(3))));
}

}  // namespace

at::Tensor normal_kl(const at::Tensor& mean1, const at::Tensor& log_variance1, const at::Tensor& mean2,
                     const at::Tensor& log_variance2) {
  return 0.5 * (log_variance2 - log_variance1 - 1 + (log_variance1 - log_variance2).exp() +
                (mean1 - mean2).square() * (-log_variance2).exp());
}

at::Tensor discretised_log_likelihood(const at::Tensor& x, const at::Tensor& mean, const at::Tensor& log_deviation) {
  // Half the distance of neighbouring values; the outermost bins reach to infinity.
  constexpr double half = 1.0 / 255, least = 1e-12, outermost = 0.999;
  const at::Tensor off = x - mean, inverse = (-log_deviation).exp();
  const at::Tensor upper = distribution(inverse * (off + half)), lower = distribution(inverse * (off - half));
  const auto log = [](const at::Tensor& share) { return share.clamp_min(least).log(); };
  return at::where(x < -outermost, log(upper), at::where(x > outermost, log(1 - lower), log(upper - lower)));
}

at::Tensor bound_terms(const at::Tensor& x0, const at::Tensor& x, const at::Tensor& t, const at::Tensor& predicted,
                       const at::Tensor& variance) {
  const Posterior& all = posterior();
  const at::Tensor steps = t.to(at::kLong);
  const auto of_step = [&](const at::Tensor& table) {
    return table.to(steps.device()).index_select(0, steps).view({-1, 1, 1, 1});
  };
  const at::Tensor of_x0 = of_step(all.of_x0), seen = of_step(all.of_x) * x;
  const at::Tensor true_mean = of_x0 * x0 + seen, mean = of_x0 * predicted + seen;
  const at::Tensor true_variance = of_step(all.log_variance), share = (variance + 1) / 2;
  const at::Tensor log_variance = share * of_step(all.log_beta) + (1 - share) * true_variance;
  const at::Tensor divergence = normal_kl(true_mean, true_variance, mean, log_variance);
  const at::Tensor surprise = -discretised_log_likelihood(x0, mean, 0.5 * log_variance);
  return at::where(steps.view({-1, 1, 1, 1}) == 0, surprise, divergence).mean({1, 2, 3}) / std::numbers::ln2;
}

}  // namespace disco
