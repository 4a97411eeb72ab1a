#include "diffusion/noise_schedule.h"

#include <cmath>
#include <numbers>
#include <string>

#include "core/error.h"

namespace disco {
namespace {

/// ᾱ of T linear betas from 1e-4·(1000/T) to 2e-2·(1000/T), Ho 2020 extended to any T.
std::vector<double> linear_alphas_cumprod(std::int64_t count) {
  const double scale = 1000.0 / static_cast<double>(count);
  const double first = scale * 0.0001, last = scale * 0.02;
  const double step = (last - first) / static_cast<double>(count - 1);
  std::vector<double> cumprod(static_cast<std::size_t>(count));
  double product = 1;
  for (std::int64_t k = 0; k < count; ++k) {
    const double beta = k == count - 1 ? last : static_cast<double>(k) * step + first;
    product *= 1 - beta;
    cumprod[static_cast<std::size_t>(k)] = product;
  }
  return cumprod;
}

}  // namespace

NoiseSchedule NoiseSchedule::linear(std::int64_t steps) {
  if (steps < 1) {
    throw RequestError("a run needs at least one step, not " + std::to_string(steps), "steps",
                       "set steps to 1 or more");
  }
  NoiseSchedule schedule;
  schedule.original_steps = steps < 1000 ? 1000 / steps * steps : steps;
  // T is a multiple of the steps, so that this is the first stride which keeps exactly `steps` entries.
  const std::int64_t stride = schedule.original_steps / steps;
  const std::vector<double> original = linear_alphas_cumprod(schedule.original_steps);
  double kept = 1, product = 1;
  for (std::int64_t k = 0; k < schedule.original_steps; k += stride) {
    // Through the new betas and back, which rounds as the reference does.
    const double alpha_bar = original[static_cast<std::size_t>(k)];
    const double beta = 1 - alpha_bar / kept;
    kept = alpha_bar;
    schedule.timestep_map.push_back(k);
    schedule.alphas_cumprod_prev.push_back(product);
    product *= 1 - beta;
    schedule.alphas_cumprod.push_back(product);
  }
  return schedule;
}

double NoiseSchedule::model_time(int i) const {
  // The factor is rounded to double first and the product to float, as the reference's networks see it.
  const double factor = 1000.0 / static_cast<double>(original_steps);
  const auto entry = static_cast<float>(timestep_map.at(static_cast<std::size_t>(i)));
  return entry * static_cast<float>(factor);
}

double NoiseSchedule::secondary_time(int i) const {
  const double alpha_bar = alphas_cumprod.at(static_cast<std::size_t>(i));
  return std::atan2(std::sqrt(1 - alpha_bar), std::sqrt(alpha_bar)) * 2 / std::numbers::pi;
}

}  // namespace disco
