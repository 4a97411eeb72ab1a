#include "train/adamw.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/error.h"

namespace disco {
namespace {

std::vector<at::Tensor> values(const StateDict& tensors, bool matrices) {
  std::vector<at::Tensor> list;
  for (const auto& [name, tensor] : tensors) {
    if ((tensor.dim() >= 2) == matrices) list.push_back(tensor);
  }
  return list;
}

}  // namespace

AdamW::AdamW(StateDict parameters, const AdamWSettings& settings)
    : settings_(settings), parameters_(std::move(parameters)) {
  for (const auto& [name, tensor] : parameters_) {
    if (tensor.scalar_type() != at::kFloat || !tensor.is_non_overlapping_and_dense()) {
      throw Error("only dense float32 tensors can be trained", name);
    }
    first_[name] = at::zeros_like(tensor, tensor.options().requires_grad(false));
    second_[name] = at::zeros_like(tensor, tensor.options().requires_grad(false));
  }
}

double AdamW::step(std::vector<at::Tensor> gradients, double learning_rate) {
  const at::NoGradGuard no_grad;
  std::size_t place = 0;
  for (const auto& [name, tensor] : parameters_) {
    // The fused operator reads memory in order, so that both must lie alike.
    at::Tensor& gradient = gradients[place++];
    if (gradient.strides() != tensor.strides()) gradient = at::empty_like(tensor).copy_(gradient);
  }
  // One number comes from the device, not one for each tensor.
  const double norm = at::stack(at::_foreach_norm(gradients, 2)).to(at::kDouble).norm().item<double>();
  if (settings_.clip_gradient > 0 && norm > settings_.clip_gradient) {
    at::_foreach_mul_(gradients, at::Scalar(settings_.clip_gradient / norm));
  }
  ++steps_;
  for (const bool matrices : {false, true}) {
    std::vector<at::Tensor> parameters = values(parameters_, matrices), chosen;
    std::size_t i = 0;
    for (const auto& [name, tensor] : parameters_) {
      if ((tensor.dim() >= 2) == matrices) chosen.push_back(gradients[i]);
      ++i;
    }
    if (parameters.empty()) continue;
    // The operator adds nothing to the count itself.
    const at::Tensor count = at::full({}, static_cast<float>(steps_), parameters.front().options());
    const std::vector<at::Tensor> counts(parameters.size(), count);
    at::_fused_adamw_(parameters, chosen, values(first_, matrices), values(second_, matrices), {}, counts,
                      learning_rate, settings_.beta1, settings_.beta2, matrices ? settings_.weight_decay : 0.0,
                      settings_.epsilon,
                      /*amsgrad=*/false, /*maximize=*/false);
  }
  return norm;
}

void AdamW::restore(std::int64_t steps, const StateDict& first, const StateDict& second) {
  steps_ = steps;
  for (auto& [name, tensor] : first_) tensor.copy_(first.at(name));
  for (auto& [name, tensor] : second_) tensor.copy_(second.at(name));
}

void move_mean(const StateDict& mean, const StateDict& weights, double decay) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> to, from;
  for (const auto& [name, tensor] : mean) {
    to.push_back(tensor);
    from.push_back(weights.at(name));
  }
  at::_foreach_lerp_(to, from, at::Scalar(1 - decay));
}

}  // namespace disco
