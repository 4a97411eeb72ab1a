// LPIPS (Zhang 2018) on VGG-16: the perceptual distance of the init loss and the symmetry loss.
#pragma once

#include "models/weights/state_dict.h"

namespace disco {

class Lpips {
 public:
  /// Tensors as the lpips package names them (net.slice1.0.weight …, lin0.model.1.weight …, scaling_layer.*).
  explicit Lpips(StateDict tensors);
  /// x, z (N,3,H,W) in [-1,1] → (N). Differentiable by both.
  at::Tensor distance(const at::Tensor& x, const at::Tensor& z) const;

 private:
  StateDict tensors_;
};

}  // namespace disco
