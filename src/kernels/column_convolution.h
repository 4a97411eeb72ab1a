// 3×3 convolutions of small pictures as products of matrices (im2col: Chellapilla et al. 2006, "High Performance
// Convolutional Neural Networks for Document Processing"), with their adjoint.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/kept_forms.h"

namespace disco {

/// Whether column_convolution takes these: float32 on the processor, 3×3 filters (in half precision as well) without a
/// gradient, sides that are multiples of the stride (1 or 2), and few enough pixels for the samples' copy.
bool column_convolution_applies(const at::Tensor& x, const at::Tensor& weight, std::int64_t stride = 1);

/// at::conv2d(x, weight, bias, stride, padding 1) for x (N,C,H,W), weight (K,C,3,3), bias (K) or undefined, as one
/// product of the (N·H·W/stride², 9·C) samples under the filters, within 1e-5 of it relative to the largest value.
/// Channels lie innermost in the result. Differentiable by x: for stride 2 by what each output adds to the samples
/// under its filter (col2im). `kept` belongs to this weight and keeps twice its size, or more where the channels are no
/// multiples of 32. The same bits for any number of threads.
at::Tensor column_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                              const KeptFormsPtr& kept, std::int64_t stride = 1);

}  // namespace disco
