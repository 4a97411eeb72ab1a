#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "sampler/guided_step.h"

namespace disco {

at::Tensor ddim_step(const SamplerProblem& problem, SamplerState& state, double eta, const NoiseFunction& noise) {
  check_step(problem, state);
  if (!(std::abs(eta) <= 1)) {
    throw RequestError(fmt::format("eta is {}, outside -1 to 1", eta), "eta", "set eta to a number from -1 to 1");
  }
  const int i = state.i;
  const GuidedEstimate estimate = guided_estimate(problem, state.x, i, i);
  // In float32, as the reference computes it: the differences of nearly equal ᾱ are visible in σ.
  const auto [alpha_bar, alpha_bar_prev] = StepAlphas(problem.schedule, i);
  const float sigma = static_cast<float>(eta) * std::sqrt((1 - alpha_bar_prev) / (1 - alpha_bar)) *
                      std::sqrt(1 - alpha_bar / alpha_bar_prev);
  const float direction = std::sqrt(std::max(0.f, 1 - alpha_bar_prev - sigma * sigma));
  // Drawn even where it goes unused, so that the random stream does not depend on eta.
  const at::Tensor drawn = noise(i);
  at::Tensor next = estimate.x0 * std::sqrt(alpha_bar_prev) + estimate.eps * direction;
  if (i > 0) next = next + drawn * sigma;
  state.x = next;
  state.i = i - 1;
  state.old_eps.clear();
  return estimate.x0_shown;
}

}  // namespace disco
