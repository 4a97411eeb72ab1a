// What DDIM and PLMS share: one guided evaluation, and the move to the next noise level.
#pragma once

#include "sampler/sampler.h"

namespace disco {

/// ᾱ of a step and of the one after it in the run, rounded to float32 as the reference extracts them.
struct StepAlphas {
  float alpha_bar = 0, alpha_bar_prev = 0;

  StepAlphas(const NoiseSchedule& schedule, int i);
};

struct GuidedEstimate {
  at::Tensor x0_shown;  ///< x̂0 of the network alone, clamped when clip_denoised.
  at::Tensor x0;        ///< x̂0′, guided.
  at::Tensor eps;       ///< ε re-derived from x̂0′.
};

/// Evaluates the network at step i, and the guidance there with its own network at `cur` (Song 2020, score
/// conditioning: ε′ = ε − sqrt(1−ᾱ)·gradient).
GuidedEstimate guided_estimate(const SamplerProblem& problem, const at::Tensor& x, int i, int cur);

/// Throws Error when no step is left to do, or the state holds no picture.
void check_step(const SamplerProblem& problem, const SamplerState& state);

}  // namespace disco
