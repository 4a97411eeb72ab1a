// 3×3 convolutions of small pictures as products of matrices (im2col: Chellapilla et al. 2006, "High Performance
// Convolutional Neural Networks for Document Processing"), with their adjoint.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/kept_filters.h"

namespace disco {

/// Whether column_convolution takes these: float32 on the processor, 3×3 filters (in half precision as well) without a
/// gradient, and multiples of 32 channels on both sides.
bool column_convolution_applies(const at::Tensor& x, const at::Tensor& weight);

/// at::conv2d(x, weight, bias, stride 1, padding 1) for x (N,C,H,W), weight (K,C,3,3), bias (K) or undefined, as one
/// product of the (N·H·W, 9·C) samples under the filters, within 1e-5 of it relative to the largest value. Channels lie
/// innermost in the result. Differentiable by x. `kept` belongs to this weight: it keeps twice the weight's size. The
/// same bits for any number of threads.
at::Tensor column_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                              const KeptFiltersPtr& kept);

}  // namespace disco
