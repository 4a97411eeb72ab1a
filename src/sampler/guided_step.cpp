#include "sampler/guided_step.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>

#include "core/error.h"

namespace disco {

StepAlphas::StepAlphas(const NoiseSchedule& schedule, int i)
    : alpha_bar(static_cast<float>(schedule.alphas_cumprod.at(static_cast<std::size_t>(i)))),
      alpha_bar_prev(static_cast<float>(schedule.alphas_cumprod_prev.at(static_cast<std::size_t>(i)))) {}

GuidedEstimate guided_estimate(const SamplerProblem& problem, const at::Tensor& x, int i, int cur) {
  GuidedEstimate estimate;
  // First, so that the network's evaluation for a gradient can serve for ε as well.
  const at::Tensor gradient = problem.guidance ? problem.guidance(x, i, cur) : at::Tensor();
  estimate.x0_shown = predict_x0(problem.schedule, x, problem.epsilon(x, i).detach(), i);
  if (problem.clip_denoised) estimate.x0_shown = estimate.x0_shown.clamp(-1, 1);
  estimate.x0 = estimate.x0_shown;
  if (gradient.defined()) {
    const float share = std::sqrt(1 - StepAlphas(problem.schedule, i).alpha_bar);
    const at::Tensor eps = predict_epsilon(problem.schedule, x, estimate.x0_shown, i) - gradient.detach() * share;
    estimate.x0 = predict_x0(problem.schedule, x, eps, i);
  }
  estimate.eps = predict_epsilon(problem.schedule, x, estimate.x0, i);
  return estimate;
}

double guidance_reach(const NoiseSchedule& schedule, int i) {
  const auto [alpha_bar, alpha_bar_prev] = StepAlphas(schedule, i);
  const double through_x0 = std::sqrt(alpha_bar_prev * (1 - alpha_bar) / alpha_bar);
  return std::abs(through_x0 - std::sqrt(1 - alpha_bar_prev)) * std::sqrt(1 - alpha_bar);
}

void check_step(const SamplerProblem& problem, const SamplerState& state) {
  if (state.i < 0 || state.i >= problem.schedule.steps()) {
    throw Error(fmt::format("the sampler has no step {} (the schedule has {})", state.i, problem.schedule.steps()));
  }
  if (!state.x.defined()) throw Error("the sampler was given no picture to start from");
}

}  // namespace disco
