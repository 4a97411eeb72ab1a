// LPIPS (Zhang 2018) on VGG-16: the perceptual distance of the init loss and the symmetry loss.
#pragma once

#include <memory>
#include <vector>

#include "models/weights/state_dict.h"

namespace disco {

class Lpips {
 public:
  /// Tensors as the lpips package names them (net.slice1.0.weight …, lin0.model.1.weight …, scaling_layer.*), or
  /// torchvision's VGG-16 (features.0.weight …) with the package's heads; without scaling_layer its constants are used.
  /// Throws FormatError naming what is missing.
  explicit Lpips(StateDict tensors);
  /// x, z (N,3,H,W) in [-1,1], sides of 16 or more → (N). Differentiable by both.
  at::Tensor distance(const at::Tensor& x, const at::Tensor& z) const;

  /// relu1_2, 2_2, 3_3, 4_3 and 5_3 of (N,3,H,W), each of unit length over its channels: what stays the same of a
  /// picture that many are compared with.
  using Features = std::vector<at::Tensor>;
  Features features(const at::Tensor& x) const;
  at::Tensor distance(const Features& x, const Features& z) const;

  static std::vector<TensorInfo> manifest();

 private:
  struct Layers;

  std::shared_ptr<const Layers> layers_;
};

}  // namespace disco
