// Pictures without a subject that have a subject's colours: what a judge must not be taken in by.
#pragma once

#include <ATen/core/Tensor.h>

#include <span>

#include "tensor/random.h"
#include "train/world/scene.h"

namespace disco {

/// (N,3,side,side) in [-1,1]: each scene's picture with its subject smeared into a shapeless blob, or replaced by a few
/// soft ellipses of its colours. A scene without a subject stays as it is. All are to be labelled Subject::nothing.
/// `pictures` (N,3,side,side) in [-1,1] are the scenes as painted.
at::Tensor decoys(std::span<const Scene> scenes, const at::Tensor& pictures, RandomStream& draws);

}  // namespace disco
