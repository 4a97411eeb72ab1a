// Gradients whose bits do not depend on the order in which a GPU's threads come.
#pragma once

#include <ATen/Context.h>

namespace disco {

/// Attention's gradient on a GPU sums in one order only where LibTorch is told to refuse everything else. It is told so
/// where attention is, as it would refuse some operators of the plain twins, too.
class StrictlyDeterministic {
 public:
  StrictlyDeterministic()
      : before_(at::globalContext().deterministicAlgorithms()),
        warned_(at::globalContext().deterministicAlgorithmsWarnOnly()) {
    at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
  }
  ~StrictlyDeterministic() { at::globalContext().setDeterministicAlgorithms(before_, warned_); }
  StrictlyDeterministic(const StrictlyDeterministic&) = delete;
  StrictlyDeterministic& operator=(const StrictlyDeterministic&) = delete;

 private:
  bool before_, warned_;
};

}  // namespace disco
