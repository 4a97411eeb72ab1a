// What layers with kept forms of their weights share: differentiable by x alone.
#pragma once

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>

#include "kernels/kept_forms.h"

namespace disco {

/// Whether neither wants a gradient; the bias may be undefined.
inline bool is_frozen(const at::Tensor& weight, const at::Tensor& bias) {
  return !weight.requires_grad() && !(bias.defined() && bias.requires_grad());
}

/// Computes a layer of x, or its adjoint by x, without recording a graph.
using FrozenKernel = at::Tensor (*)(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, bool adjoint,
                                    KeptForms* kept);

template <FrozenKernel kernel>
struct FrozenLayer : torch::autograd::Function<FrozenLayer<kernel>> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias, const KeptFormsPtr& kept) {
    const at::AutoDispatchBelowAutograd below;
    context->save_for_backward({weight});
    context->saved_data["kept"] = c10::IValue::make_capsule(kept);
    return kernel(x, weight, bias.value_or(at::Tensor()), false, kept.get());
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const at::AutoDispatchBelowAutograd below;
    const auto kept = c10::static_intrusive_pointer_cast<KeptForms>(context->saved_data["kept"].toCapsule());
    return {kernel(gradients[0], context->get_saved_variables()[0], {}, true, kept.get()), {}, {}, {}};
  }
};

/// The kernel's result, of a weight and a bias that are frozen.
template <FrozenKernel kernel>
at::Tensor frozen_layer(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                        const KeptFormsPtr& kept) {
  if (!at::GradMode::is_enabled() || !x.requires_grad()) return kernel(x, weight, bias, false, kept.get());
  return FrozenLayer<kernel>::apply(x, weight, bias.defined() ? std::optional(bias) : std::nullopt, kept);
}

}  // namespace disco
