// DDIM and PLMS as GUIDED-STEP "Sampler" states them. A sampler is a function of the state; it knows no CLIP.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "diffusion/denoiser.h"

namespace disco {

/// Everything that a sampler carries from step to step (all of it goes into checkpoints).
struct SamplerState {
  at::Tensor x;                     ///< (1,3,H,W) float32, the noisy picture before step i.
  int i = 0;                        ///< The step to do next; −1 when done.
  std::vector<at::Tensor> old_eps;  ///< PLMS: guided ε′ of earlier steps, newest last, at most order − 1.
};

struct SamplerProblem {
  const NoiseSchedule& schedule;
  EpsilonFunction epsilon;
  GuidanceFunction guidance;  ///< May be empty.
  bool clip_denoised = true;
};

/// How far a gradient of size 1 at step i moves x in that step, without the noise that eta adds (DDIM of eta 0; PLMS of
/// any order is within its coefficients of it).
double guidance_reach(const NoiseSchedule& schedule, int i);

/// Standard normal noise of x's shape for step i (drawn at every DDIM step, used or not).
using NoiseFunction = std::function<at::Tensor(int i)>;

/// One DDIM step (Song 2020, eq. 12). eta in [−1, 1]; a negative one is the same σ with the noise's sign turned. Moves
/// the state and returns the unguided x̂0 that is shown (1,3,H,W). Calls guidance, then epsilon, then noise. Throws
/// RequestError for an eta outside, Error when no step is left.
at::Tensor ddim_step(const SamplerProblem& problem, SamplerState& state, double eta, const NoiseFunction& noise);

/// One PLMS step (Liu 2022) of order 1 to 4. Of order 2 and above the first step of a run is pseudo improved Euler: a
/// second evaluation at i − 1, with the guidance's own network still at i. A run whose first step is i = 0 has no i − 1
/// and takes x̂0′ of the one evaluation, which is where the reference ends too. The steps after the first gain an order
/// each until `order` is reached. Throws RequestError for another order, Error when no step is left.
at::Tensor plms_step(const SamplerProblem& problem, SamplerState& state, int order);

}  // namespace disco
