// The losses of the guided step. GUIDED-STEP "Guidance gradient". All are differentiable and return (N).
#pragma once

#include <ATen/core/Tensor.h>

namespace disco {

/// 2·asin(‖û−v̂‖/2)², broadcast over leading dimensions; u and v end in the embedding's width and need not be unit.
at::Tensor spherical_distance(const at::Tensor& u, const at::Tensor& v);
/// Squared forward differences, right and bottom edge replicated, mean over channels and pixels.
at::Tensor tv_loss(const at::Tensor& x);
/// Mean (x − clamp(x, −1, 1))².
at::Tensor range_loss(const at::Tensor& x);
/// Mean |x − clamp(x, −1, 1)|.
at::Tensor saturation_loss(const at::Tensor& x);

}  // namespace disco
