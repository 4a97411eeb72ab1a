// The secondary model: a small v-prediction network (Crowson 2021) that estimates the clean picture for the guidance.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "models/weights/state_dict.h"

namespace disco {

class SecondaryModel {
 public:
  /// Throws FormatError naming what is missing. The width is read off the tensors (64 in the published model).
  explicit SecondaryModel(StateDict tensors);

  struct Output {
    at::Tensor v, pred, eps;  ///< (N,3,H,W), in x's dtype.
  };
  /// x (N,3,H,W) with H and W multiples of 32; t′ = atan2(σ, α)·2/π, (N). Differentiable by x.
  /// pred = x·cos(t′π/2) − v·sin(t′π/2), eps = x·sin(t′π/2) + v·cos(t′π/2).
  Output forward(const at::Tensor& x, const at::Tensor& t) const;
  const StateDict& parameters() const { return tensors_; }
  static std::vector<TensorInfo> manifest(std::int64_t width = 64);

 private:
  struct Level;

  at::Tensor predict_v(const at::Tensor& x, const at::Tensor& t) const;

  StateDict tensors_;
  std::shared_ptr<const std::vector<Level>> levels_;
};

/// Freshly initialised weights, seeded: Fourier frequencies of deviation 1 as the original's, convolutions uniform so
/// that ReLUs keep the variance (He 2015), no biases, and a last layer of zeros.
StateDict initial_secondary(std::int64_t width, std::uint64_t seed);

}  // namespace disco
