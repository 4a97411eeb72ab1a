// What kernels that are linear in x share: their gradient is their adjoint, and only x is differentiated by.
#pragma once

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/error.h"

namespace disco {

/// Computes a layer of x with weight and bias (which may be undefined), or its adjoint by x, without recording a graph.
using LinearKernel = at::Tensor (*)(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                    bool adjoint);

/// Whether a gradient by the layer's own numbers is being recorded.
inline bool wants_weight_gradient(const at::Tensor& weight, const at::Tensor& bias) {
  return at::GradMode::is_enabled() && (weight.requires_grad() || (bias.defined() && bias.requires_grad()));
}

template <LinearKernel kernel>
struct LinearInX : torch::autograd::Function<LinearInX<kernel>> {
  /// Torch takes a tensor argument for something to differentiate by, and an undefined one for a mistake.
  struct Constant {
    at::Tensor tensor;
  };

  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const Constant& bias) {
    const at::AutoDispatchBelowAutograd below;
    context->save_for_backward({weight});
    return kernel(x, weight, bias.tensor, false);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const at::AutoDispatchBelowAutograd below;
    return {kernel(gradients[0], context->get_saved_variables()[0], {}, true), at::Tensor(), at::Tensor()};
  }
};

/// The kernel's result, differentiable by x. Throws Error when a gradient by weight or bias is wanted; `instead` says
/// what gives one.
template <LinearKernel kernel>
at::Tensor differentiable_by_x(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                               const char* instead) {
  if (wants_weight_gradient(weight, bias)) throw Error("this kernel gives no gradient by its weights", "", instead);
  if (!at::GradMode::is_enabled() || !x.requires_grad()) return kernel(x, weight, bias, false);
  return LinearInX<kernel>::apply(x, weight, typename LinearInX<kernel>::Constant{bias});
}

}  // namespace disco
