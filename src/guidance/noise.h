// Noise by the million, which a step draws for its cutouts and for the sampler.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "tensor/random.h"

namespace disco {

/// Standard normals. On the processor, and in faithful runs, they are the stream's next ones. A GPU in native mode
/// counts: value k of the stream's noise `number` is that of noise_block(stream.seed(), number, k / 4), see
/// tensor/philox.h, and the stream stays where it is. So a GPU's pictures are repeatable, but not the processor's.
at::Tensor draw_noise(RandomStream& stream, std::uint32_t number, at::IntArrayRef sizes, at::Device device,
                      bool faithful);

/// What a GPU counts, computed on the processor.
at::Tensor counter_noise(std::uint64_t seed, std::uint32_t number, at::IntArrayRef sizes);

}  // namespace disco
