// An argument of a differentiable function that is not to be differentiated by.
#pragma once

#include <ATen/core/Tensor.h>

namespace disco {

/// Torch takes a tensor argument for something to differentiate by, and an undefined one for a mistake.
struct Constant {
  at::Tensor tensor;
};

}  // namespace disco
