// Linear layers by matrix products of our own, with their adjoint.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/kept_forms.h"

namespace disco {

/// Whether panel_linear takes these and is likely the faster way: float32 on the processor, widths that are multiples
/// of 32, and enough rows to be worth laying out the weights, unless `laid_out` says that they are kept.
bool panel_linear_applies(const at::Tensor& x, const at::Tensor& weight, bool laid_out = false);

/// at::linear(x, weight, bias) for x (…, in), weight (out, in), bias (out) or undefined, within 1e-4 of it relative to
/// the largest value. Differentiable by x, weight and bias. Works on a copy of the weights, which is kept where `kept`
/// is given and neither they nor the bias want a gradient. The same bits for any number of threads, kept or not.
at::Tensor panel_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                        const KeptFormsPtr& kept = {});

}  // namespace disco
