// Painted pictures as tensors.
#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "train/ahead.h"
#include "train/train.h"
#include "train/world/captions.h"
#include "train/world/scene.h"

namespace disco {

/// The seed of sample `index` of a training.
std::uint64_t sample_seed(std::uint64_t seed, std::uint64_t index);
/// The seed of all other draws of a training's step.
std::uint64_t step_seed(std::uint64_t seed, std::int64_t step);

/// What picture `index` of a training shows: random_scene(), or a near miss of the picture before.
Scene sample_scene(std::uint64_t seed, std::uint64_t index, const WorldMix& mix);

/// (N,3,side,side) uint8.
at::Tensor paint_batch(std::span<const Scene> scenes, int side);
/// uint8 → float32 in [-1,1].
at::Tensor to_signed(const at::Tensor& pictures);

struct CaptionedBatch {
  at::Tensor pictures;        ///< (N,3,side,side) uint8.
  std::vector<Scene> scenes;  ///< Empty when the pictures were not painted.
  std::vector<Caption> captions;
};
/// Samples first … first + count − 1 of a training.
CaptionedBatch captioned_batch(std::uint64_t seed, std::uint64_t first, std::int64_t count, int side,
                               const WorldMix& mix);

/// Where a training's pictures come from: the painter, or a folder of images.
class PictureSource {
 public:
  virtual ~PictureSource() = default;
  /// Samples first … first + count − 1, at side × side pixels: a function of the request and the indices alone. Called
  /// from several threads at once.
  virtual CaptionedBatch batch(std::uint64_t first, std::int64_t count, int side) const = 0;
  /// What captions are put together from: all words that a model trained on them can know.
  virtual std::vector<std::string> texts() const = 0;
};
/// The world that a training's pictures show.
WorldMix world_mix(const TrainRequest& request);
/// request.pictures, or the painter.
std::shared_ptr<const PictureSource> picture_source(const TrainRequest& request);

/// What the steps of a training take, made of batches of `count` pictures by request.painters threads, at most `depth`
/// batches ahead, or two for each thread where that is more; `make` gets batch number `first`, first + 1, … and its
/// number.
template <typename Item>
std::unique_ptr<Ahead<Item>> batches_ahead(const TrainRequest& request, std::int64_t first, std::int64_t count,
                                           std::int64_t side, std::size_t depth,
                                           std::function<Item(CaptionedBatch, std::uint64_t)> make) {
  return std::make_unique<Ahead<Item>>(
      [source = picture_source(request), count, side, make = std::move(make)](std::uint64_t index) {
        const std::uint64_t sample = index * static_cast<std::uint64_t>(count);
        return make(source->batch(sample, count, static_cast<int>(side)), index);
      },
      static_cast<std::uint64_t>(first), std::max(depth, 2 * static_cast<std::size_t>(request.painters)),
      request.painters);
}
/// The pictures alone.
std::unique_ptr<Ahead<at::Tensor>> pictures_ahead(const TrainRequest& request, std::int64_t first, std::int64_t count,
                                                  std::int64_t side, std::size_t depth);

/// (N,N) float32: row i, column j is 1 when caption j is true of picture i; of pictures that were not painted, when
/// their captions are the same.
at::Tensor agreement(const CaptionedBatch& batch);

}  // namespace disco
