#include "train/batches.h"

#include <ATen/ATen.h>

#include <cstring>

#include "core/hash.h"
#include "train/reused_pictures.h"
#include "train/world/dice.h"
#include "train/world/paint.h"

namespace disco {

std::uint64_t sample_seed(std::uint64_t seed, std::uint64_t index) { return splitmix64(splitmix64(seed) + index); }

std::uint64_t step_seed(std::uint64_t seed, std::int64_t step) {
  return splitmix64(splitmix64(seed ^ 0x5354455053ull) + static_cast<std::uint64_t>(step));
}

Scene sample_scene(std::uint64_t seed, std::uint64_t index, const WorldMix& mix) {
  const std::uint64_t sample = sample_seed(seed, index);
  if (index % 2 == 1 && Dice(sample, DicePurpose::batch).chance(mix.near_misses)) {
    return near_miss(random_scene(sample_seed(seed, index - 1), mix), sample, mix);
  }
  return random_scene(sample, mix);
}

at::Tensor paint_batch(std::span<const Scene> scenes, int side) {
  const auto n = static_cast<std::int64_t>(scenes.size());
  at::Tensor rows = at::empty({n, side, side, 3}, at::kByte);
  auto* out = rows.mutable_data_ptr<std::uint8_t>();
  for (const Scene& scene : scenes) {
    const Picture picture = paint(scene, side);
    std::memcpy(out, picture.samples.data(), picture.samples.size());
    out += picture.samples.size();
  }
  return rows.permute({0, 3, 1, 2}).contiguous();
}

at::Tensor to_signed(const at::Tensor& pictures) { return pictures.to(at::kFloat).mul_(1 / 127.5).sub_(1); }

CaptionedBatch captioned_batch(std::uint64_t seed, std::uint64_t first, std::int64_t count, int side,
                               const WorldMix& mix) {
  CaptionedBatch batch;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(count); ++i) {
    batch.scenes.push_back(sample_scene(seed, first + i, mix));
    batch.captions.push_back(caption(batch.scenes.back(), sample_seed(seed, first + i)));
  }
  batch.pictures = paint_batch(batch.scenes, side);
  return batch;
}

WorldMix world_mix(const TrainRequest& request) {
  return {request.variety, request.styled, request.coloured, request.near_misses};
}

namespace {

class Painter final : public PictureSource {
 public:
  explicit Painter(const TrainRequest& request) : seed_(request.seed), mix_(world_mix(request)) {}
  CaptionedBatch batch(std::uint64_t first, std::int64_t count, int side) const override {
    return captioned_batch(seed_, first, count, side, mix_);
  }
  std::vector<std::string> texts() const override { return caption_phrases(); }

 private:
  std::uint64_t seed_;
  WorldMix mix_;
};

}  // namespace

std::shared_ptr<const PictureSource> picture_source(const TrainRequest& request) {
  if (request.pictures) return request.pictures;
  if (request.reuse > 1) return std::make_shared<ReusedPictures>(request.seed, request.reuse, world_mix(request));
  return std::make_shared<Painter>(request);
}

std::unique_ptr<Ahead<at::Tensor>> pictures_ahead(const TrainRequest& request, std::int64_t first, std::int64_t count,
                                                  std::int64_t side, std::size_t depth) {
  return batches_ahead<at::Tensor>(request, first, count, side, depth,
                                   [](const CaptionedBatch& batch, std::uint64_t) { return batch.pictures; });
}

at::Tensor agreement(const CaptionedBatch& batch) {
  const auto n = static_cast<std::int64_t>(batch.captions.size());
  at::Tensor matrix = at::zeros({n, n});
  auto cells = matrix.accessor<float, 2>();
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      const auto row = static_cast<std::size_t>(i), column = static_cast<std::size_t>(j);
      const bool holds = batch.scenes.empty()
                             ? batch.captions[column].text == batch.captions[row].text
                             : describes(batch.captions[column], batch.scenes[column], batch.scenes[row]);
      if (holds) cells[i][j] = 1;
    }
  }
  return matrix;
}

}  // namespace disco
