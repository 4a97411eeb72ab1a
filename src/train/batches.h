// Painted pictures as tensors.
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <vector>

#include "train/world/captions.h"
#include "train/world/scene.h"

namespace disco {

/// The seed of sample `index` of a training.
std::uint64_t sample_seed(std::uint64_t seed, std::uint64_t index);
/// The seed of all other draws of a training's step.
std::uint64_t step_seed(std::uint64_t seed, std::int64_t step);

/// (N,3,side,side) uint8.
at::Tensor paint_batch(std::span<const Scene> scenes, int side);
/// uint8 → float32 in [-1,1].
at::Tensor to_signed(const at::Tensor& pictures);

struct CaptionedBatch {
  at::Tensor pictures;  ///< (N,3,side,side) uint8.
  std::vector<Scene> scenes;
  std::vector<Caption> captions;
};
/// Samples first … first + count − 1 of a training.
CaptionedBatch captioned_batch(std::uint64_t seed, std::uint64_t first, std::int64_t count, int side, double variety);

/// (N,N) float32: row i, column j is 1 when caption j is true of picture i.
at::Tensor agreement(const CaptionedBatch& batch);

}  // namespace disco
