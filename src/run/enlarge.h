// A finished picture, enlarged by an upscaling network.
#pragma once

#include <ATen/core/Tensor.h>

#include "models/upscaler.h"

namespace disco {

/// picture (1,3,H,W) in [-1,1] → (1,3,factor·H,factor·W) in [-1,1], float32 on the CPU. Works in tiles of `tile` pixels
/// that see as much of their surroundings as the network can use: the same picture as in one piece, in memory that does
/// not grow with its size. tile ≥ 1.
at::Tensor enlarged(const Upscaler& upscaler, const at::Tensor& picture, std::int64_t tile = 192);

}  // namespace disco
