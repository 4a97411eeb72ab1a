// Gradients by LibTorch's autograd, for tests.
#pragma once

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <functional>

namespace disco {

/// The gradient of <f(x), c> by x; c is ones when it is not given.
inline at::Tensor gradient(const std::function<at::Tensor(const at::Tensor&)>& f, const at::Tensor& x,
                           const at::Tensor& c = {}) {
  const at::Tensor leaf = x.detach().clone().requires_grad_(true);
  const at::Tensor y = f(leaf);
  return torch::autograd::grad({y}, {leaf}, {c.defined() ? c : at::ones_like(y)})[0];
}

}  // namespace disco
