// The losses of the guided step. GUIDED-STEP "Guidance gradient". All are differentiable; those of a picture
// (N,3,H,W) return (N).
#pragma once

#include <ATen/core/Tensor.h>

namespace disco {

/// 2·asin(‖û−v̂‖/2)² (Crowson 2021: half the squared angle), broadcast over leading dimensions; u and v end in the
/// embedding's width and need not be unit. The gradient is finite everywhere, at equal and at opposite vectors too.
at::Tensor spherical_distance(const at::Tensor& u, const at::Tensor& v);
/// Squared forward differences, right and bottom edge replicated, mean over channels and pixels.
at::Tensor tv_loss(const at::Tensor& x);
/// Mean (x − clamp(x, −1, 1))².
at::Tensor range_loss(const at::Tensor& x);
/// Mean |x − clamp(x, −1, 1)|.
at::Tensor saturation_loss(const at::Tensor& x);

}  // namespace disco
