#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>

#include "core/error.h"
#include "sampler/guided_step.h"

namespace disco {
namespace {

/// A DDIM step with eta 0 from x at step i, along ε.
at::Tensor move_along(const SamplerProblem& problem, const at::Tensor& x0, const at::Tensor& eps, int i) {
  const float alpha_bar_prev = StepAlphas(problem.schedule, i).alpha_bar_prev;
  return x0 * std::sqrt(alpha_bar_prev) + eps * std::sqrt(1 - alpha_bar_prev);
}

/// Adams–Bashforth over the newest `count` estimates (Liu 2022, eq. 9).
at::Tensor multistep(const std::vector<at::Tensor>& eps, std::size_t count) {
  const auto back = [&](std::size_t k) { return eps[eps.size() - 1 - k]; };
  switch (count) {
    case 1:
      return back(0);
    case 2:
      return (3 * back(0) - back(1)) / 2;
    case 3:
      return (23 * back(0) - 16 * back(1) + 5 * back(2)) / 12;
    default:
      return (55 * back(0) - 59 * back(1) + 37 * back(2) - 9 * back(3)) / 24;
  }
}

}  // namespace

at::Tensor plms_step(const SamplerProblem& problem, SamplerState& state, int order) {
  check_step(problem, state);
  if (order < 1 || order > 4) {
    throw RequestError(fmt::format("the order of PLMS is {}, outside 1 to 4", order), "plms_order",
                       "set it to a whole number from 1 to 4");
  }
  const int i = state.i;
  const at::Tensor x = state.x;
  const GuidedEstimate estimate = guided_estimate(problem, x, i, i);
  std::vector<at::Tensor> history = state.old_eps;
  history.push_back(estimate.eps);
  if (i == 0) {
    // No step follows whose noise level could be predicted or reached.
    state.x = estimate.x0;
  } else {
    at::Tensor eps;
    if (order > 1 && history.size() == 1) {
      const at::Tensor predicted = move_along(problem, estimate.x0, estimate.eps, i);
      eps = (estimate.eps + guided_estimate(problem, predicted, i - 1, i).eps) / 2;
    } else {
      eps = multistep(history, std::min(static_cast<std::size_t>(order), history.size()));
    }
    state.x = move_along(problem, predict_x0(problem.schedule, x, eps, i), eps, i);
  }
  const auto kept = static_cast<std::size_t>(order - 1);
  if (history.size() > kept) history.erase(history.begin(), history.end() - static_cast<std::ptrdiff_t>(kept));
  state.old_eps = std::move(history);
  state.i = i - 1;
  return estimate.x0_shown;
}

}  // namespace disco
