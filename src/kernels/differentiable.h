// What kernels that are linear in x share: their gradient by x is their adjoint.
#pragma once

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>
#include <utility>

namespace disco {

/// Computes a layer of x with weight and bias (which may be undefined), or its adjoint by x, without recording a graph.
using LinearKernel = at::Tensor (*)(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                    bool adjoint);
/// The gradients by weight and bias, of by_y by the layer's result.
struct WeightGradients {
  at::Tensor by_weight, by_bias;
};
using WeightKernel = WeightGradients (*)(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& by_y);

/// Float32 on the processor, with a weight that is kept so or, where no gradient by it is wanted, in half precision:
/// the kernel widens it at each call, and only the half is kept for the gradient.
inline bool takes_floats_with(const at::Tensor& x, const at::Tensor& weight) {
  const bool half = weight.scalar_type() == at::kHalf && !weight.requires_grad();
  return x.device().is_cpu() && x.scalar_type() == at::kFloat && (weight.scalar_type() == at::kFloat || half);
}

/// The same for pictures (N,C,H,W) and 3×3 filters (K,C,3,3).
inline bool takes_3x3_filters(const at::Tensor& x, const at::Tensor& weight) {
  return takes_floats_with(x, weight) && x.dim() == 4 && weight.size(2) == 3 && weight.size(3) == 3 &&
         weight.size(1) == x.size(1);
}

/// x is kept for the gradient only where one by weight or bias is wanted.
template <LinearKernel kernel, WeightKernel weight_kernel>
struct LinearLayer : torch::autograd::Function<LinearLayer<kernel, weight_kernel>> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
    const bool wanted = weight.requires_grad() || (bias && bias->requires_grad());
    const at::AutoDispatchBelowAutograd below;
    context->save_for_backward(wanted ? torch::autograd::variable_list{weight, x}
                                      : torch::autograd::variable_list{weight});
    context->saved_data["biased"] = bias.has_value();
    return kernel(x, weight, bias.value_or(at::Tensor()), false);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const at::AutoDispatchBelowAutograd below;
    const torch::autograd::variable_list saved = context->get_saved_variables();
    at::Tensor by_x;
    if (context->needs_input_grad(0)) by_x = kernel(gradients[0], saved[0], {}, true);
    WeightGradients own;
    if (saved.size() > 1) own = weight_kernel(saved[1], saved[0], gradients[0]);
    if (!context->saved_data["biased"].toBool()) own.by_bias.reset();  // Torch insists.
    return {std::move(by_x), std::move(own.by_weight), std::move(own.by_bias)};
  }
};

/// The kernel's result, differentiable by x, weight and bias.
template <LinearKernel kernel, WeightKernel weight_kernel>
at::Tensor linear_layer(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const bool recorded = at::GradMode::is_enabled() &&
                        (x.requires_grad() || weight.requires_grad() || (bias.defined() && bias.requires_grad()));
  if (!recorded) return kernel(x, weight, bias, false);
  return LinearLayer<kernel, weight_kernel>::apply(x, weight, bias.defined() ? std::optional(bias) : std::nullopt);
}

}  // namespace disco
