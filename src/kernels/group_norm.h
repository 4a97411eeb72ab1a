// Group normalisation in two passes over the picture, with the modulation and the SiLU that follow it in a UNet.
#pragma once

#include <ATen/core/Tensor.h>

namespace disco {

/// Whether fused_group_norm takes x: float32 on the processor, float32 or half on a GPU, and widths that fill vectors.
bool fused_group_norm_applies(const at::Tensor& x);

/// With u = at::group_norm(x, 32 groups) for x (N,C,H,W), and gain and shift (N,C): u·gain + shift, then through SiLU
/// if `silu`; within 1e-4 relative to the largest value. The result lies with channels innermost; an x that already
/// does is not copied, and is all of its size that is kept for the gradient. Differentiable by x, gain and shift. (On
/// a GPU by x alone.) The same bits for any number of threads. (Wu & He 2018; the modulation is Dhariwal & Nichol's
/// AdaGN, 2021, section 3.1.)
at::Tensor fused_group_norm(const at::Tensor& x, const at::Tensor& gain, const at::Tensor& shift, bool silu);

}  // namespace disco
