#include "diffusion/denoiser.h"

#include <ATen/ATen.h>

#include <cmath>

namespace disco {
namespace {

double alpha_bar(const NoiseSchedule& schedule, int i) {
  return schedule.alphas_cumprod.at(static_cast<std::size_t>(i));
}

/// A coefficient computed in double and applied in float32, which is how the reference extracts it into a tensor.
at::Scalar factor(double value) { return static_cast<float>(value); }

}  // namespace

at::Tensor predict_x0(const NoiseSchedule& schedule, const at::Tensor& x, const at::Tensor& eps, int i) {
  const double inverse = 1 / alpha_bar(schedule, i);
  return x * factor(std::sqrt(inverse)) - eps * factor(std::sqrt(inverse - 1));
}

at::Tensor predict_epsilon(const NoiseSchedule& schedule, const at::Tensor& x, const at::Tensor& x0, int i) {
  const double inverse = 1 / alpha_bar(schedule, i);
  // A tensor on x's device: on CUDA, dividing by a number multiplies by its reciprocal, which rounds otherwise.
  const at::Tensor divisor = at::full({}, factor(std::sqrt(inverse - 1)), x.options());
  return (x * factor(std::sqrt(inverse)) - x0) / divisor;
}

at::Tensor add_noise(const NoiseSchedule& schedule, const at::Tensor& x0, const at::Tensor& noise, int i) {
  const double kept = alpha_bar(schedule, i);
  return x0 * factor(std::sqrt(kept)) + noise * factor(std::sqrt(1 - kept));
}

}  // namespace disco
