// What samplers know of networks: a denoiser, and a guidance that is handed to them as a function.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "diffusion/noise_schedule.h"

namespace disco {

/// ε of x at sampling step i: (1,3,H,W) → (1,3,H,W), float32, without gradient.
using EpsilonFunction = std::function<at::Tensor(const at::Tensor& x, int i)>;

/// The guidance's gradient at x. `i` is the step whose t the schedules are read at; `cur` is the step whose network
/// time, fac and ᾱ the guidance uses (they differ only in PLMS's first, predicted evaluation). Returns (1,3,H,W), or an
/// undefined tensor for no guidance.
using GuidanceFunction = std::function<at::Tensor(const at::Tensor& x, int i, int cur)>;

/// x̂0 = (x − sqrt(1−ᾱ)·ε)/sqrt(ᾱ) and back (DDIM, Song 2020, eq. 9). The double coefficients are applied as float32
/// factors, as the original's extract-into-tensor does.
at::Tensor predict_x0(const NoiseSchedule& schedule, const at::Tensor& x, const at::Tensor& eps, int i);
at::Tensor predict_epsilon(const NoiseSchedule& schedule, const at::Tensor& x, const at::Tensor& x0, int i);
/// x0 noised to step i: sqrt(ᾱ)·x0 + sqrt(1−ᾱ)·noise.
at::Tensor add_noise(const NoiseSchedule& schedule, const at::Tensor& x0, const at::Tensor& noise, int i);

}  // namespace disco
