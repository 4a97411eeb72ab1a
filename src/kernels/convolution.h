// 3×3 convolutions by Winograd's algorithm F(4×4, 3×3), with their adjoint.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/kept_forms.h"

namespace disco {

/// Whether winograd_convolution takes these and is likely the faster way: float32 on the processor, 3×3 filters, and
/// enough pixels to be worth the transform of the filters.
bool winograd_applies(const at::Tensor& x, const at::Tensor& weight);

/// at::conv2d(x, weight, bias, stride 1, padding 1) for x (N,C,H,W), weight (K,C,3,3), bias (K) or undefined, within
/// 1e-4 of it relative to the largest value. The result is (N,K,H,W) with channels innermost in memory; an x that
/// already lies so is not copied. Differentiable by x, weight and bias. Works on memory of about 6 MiB (more for wide
/// layers) besides the transformed filters (4 times the filters' size). The same bits for any number of threads.
at::Tensor winograd_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

/// The same with filters that are transformed once: `kept` belongs to this weight, which wants no gradient, and keeps
/// eight times its size. Where they are, fewer pixels are worth it.
bool kept_winograd_applies(const at::Tensor& x, const at::Tensor& weight);
at::Tensor kept_winograd_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                     const KeptFormsPtr& kept);

}  // namespace disco
