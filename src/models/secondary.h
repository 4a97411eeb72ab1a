// The secondary model: a small v-prediction network (Crowson 2021) that estimates the clean picture for the guidance.
#pragma once

#include "models/weights/state_dict.h"

namespace disco {

class SecondaryModel {
 public:
  explicit SecondaryModel(StateDict tensors);

  struct Output {
    at::Tensor v, pred, eps;  ///< (N,3,H,W)
  };
  /// x (N,3,H,W) with H and W multiples of 32; t′ = atan2(σ, α)·2/π, (N). Differentiable by x.
  Output forward(const at::Tensor& x, const at::Tensor& t) const;
  const StateDict& parameters() const { return tensors_; }
  static std::vector<TensorInfo> manifest();

 private:
  StateDict tensors_;
};

}  // namespace disco
