// Perlin noise as an init (Perlin 1985, with the gradients drawn from a normal distribution). GUIDED-STEP "Perlin
// init".
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "tensor/random.h"

namespace disco {

/// (1,3,H,W) float32 in [-1,1], the mean of two 8-bit pictures. mode: "mixed", "color" or "gray"; another throws
/// RequestError. Draws 11 million normals for a grey picture of twelve octaves, three times as many for a coloured one,
/// whatever the size.
at::Tensor perlin_init(std::int64_t width, std::int64_t height, const std::string& mode, RandomStream& stream);

}  // namespace disco
