// Perlin noise as an init. GUIDED-STEP "Perlin init".
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "tensor/random.h"

namespace disco {

/// (1,3,H,W) in [-1,1]. mode: "mixed", "color" or "gray".
at::Tensor perlin_init(std::int64_t width, std::int64_t height, const std::string& mode, RandomStream& stream);

}  // namespace disco
