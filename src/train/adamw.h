// AdamW (Loshchilov & Hutter 2019) with an exponential mean of the weights beside it.
#pragma once

#include "models/weights/state_dict.h"

namespace disco {

struct AdamWSettings {
  double beta1 = 0.9, beta2 = 0.99, epsilon = 1e-8;
  double weight_decay = 0.01;  ///< Acts on tensors of two and more dimensions.
  double clip_gradient = 1;    ///< Upper bound of the norm of all gradients together; 0: none.
};

class AdamW {
 public:
  /// `parameters` float32 and dense; updated in place.
  AdamW(StateDict parameters, const AdamWSettings& settings);

  /// One step: m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², θ ← θ − lr·(m̂/(√v̂ + ε) + λθ), with g clipped to the norm, and
  /// m̂, v̂ free of their start at zero. `gradients` in the order of the parameters' names. Returns the norm before
  /// clipping.
  double step(std::vector<at::Tensor> gradients, double learning_rate);

  std::int64_t steps() const { return steps_; }
  const StateDict& first_moments() const { return first_; }
  const StateDict& second_moments() const { return second_; }
  /// Takes up the state of an earlier run; the moments are copied.
  void restore(std::int64_t steps, const StateDict& first, const StateDict& second);

 private:
  AdamWSettings settings_;
  StateDict parameters_, first_, second_;
  std::int64_t steps_ = 0;
};

/// mean ← mean + (1 − decay)·(weights − mean), for all names of `mean`.
void move_mean(const StateDict& mean, const StateDict& weights, double decay);

}  // namespace disco
