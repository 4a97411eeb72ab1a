// Pictures made worse, as small diffusion models leave them: soft, blotched, with noise in their colours.
#pragma once

#include <ATen/core/Tensor.h>

#include "tensor/random.h"

namespace disco {

/// (N,C,H,W) under a Gaussian of its own deviation (N), in pixels; 0 leaves a picture as it is. At the borders the
/// weights that lie inside are made to sum to 1.
at::Tensor blurred(const at::Tensor& pictures, const at::Tensor& deviations);

/// Of mean 0 and a deviation of about 1, with blotches `grain` pixels wide: (N,channels,H,H) for pictures (N,3,H,H).
at::Tensor smooth_noise(const at::Tensor& pictures, std::int64_t channels, double grain, RandomStream& draws);

/// pictures (N,3,H,H) in [-1,1] → each blurred, blurred in places, blotched and noisy by draws of its own; about a
/// quarter of them stay clean.
at::Tensor degraded(const at::Tensor& pictures, RandomStream& draws);

}  // namespace disco
