#include "train/reused_pictures.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <exception>

#include "core/hash.h"

namespace disco {
namespace {

constexpr std::uint64_t kept_bytes = std::uint64_t{256} << 20;
constexpr std::uint64_t fewest_kept = 256;

}  // namespace

ReusedPictures::ReusedPictures(std::uint64_t seed, int reuse, const WorldMix& mix)
    : seed_(seed), reuse_(static_cast<std::uint64_t>(reuse)), together_(mix.near_misses > 0 ? 2 : 1), mix_(mix) {}

std::uint64_t ReusedPictures::window(int side) {
  const auto bytes = 3 * static_cast<std::uint64_t>(side) * static_cast<std::uint64_t>(side);
  return std::max(kept_bytes / bytes, fewest_kept);
}

std::uint64_t ReusedPictures::picture_of(std::uint64_t sample, int side) const {
  const std::uint64_t group = sample / together_;
  std::uint64_t shown = group / reuse_;
  if (!is_new(sample)) {
    shown -= splitmix64(sample_seed(~seed_, group)) % std::min(shown + 1, window(side) / together_);
  }
  return shown * together_ + sample % together_;
}

CaptionedBatch ReusedPictures::batch(std::uint64_t first, std::int64_t count, int side) const {
  const std::uint64_t end = first + static_cast<std::uint64_t>(count);
  // New pictures first: others may be waiting for them, and nobody waits while painting.
  for (std::uint64_t i = first; i < end; ++i) {
    if (is_new(i)) painted(picture_of(i, side), side);
  }
  CaptionedBatch batch;
  std::vector<at::Tensor> pixels;
  for (std::uint64_t i = first; i < end; ++i) {
    const Painted shown = painted(picture_of(i, side), side);
    batch.scenes.push_back(shown.scene);
    batch.captions.push_back(caption(shown.scene, sample_seed(seed_, i)));
    pixels.push_back(shown.pixels);
  }
  batch.pictures = at::cat(pixels);
  forget_old(first / reuse_, side);
  return batch;
}

std::vector<std::string> ReusedPictures::texts() const { return caption_phrases(); }

ReusedPictures::Painted ReusedPictures::painted(std::uint64_t picture, int side) const {
  std::promise<Painted> promise;
  std::shared_future<Painted> result;
  bool is_new = false;
  {
    const std::lock_guard lock(mutex_);
    const auto [place, added] = kept_.try_emplace({side, picture});
    if (added) place->second = promise.get_future().share();
    result = place->second;
    is_new = added;
  }
  if (is_new) {
    try {
      const Scene scene = sample_scene(seed_, picture, mix_);
      promise.set_value({scene, paint_batch({&scene, 1}, side)});
    } catch (...) {
      promise.set_exception(std::current_exception());
    }
  }
  return result.get();
}

void ReusedPictures::forget_old(std::uint64_t newest, int side) const {
  // Batches are made side by side and not quite in order: twice the window is kept.
  const std::uint64_t room = 2 * window(side);
  if (newest < room) return;
  const std::lock_guard lock(mutex_);
  kept_.erase(kept_.lower_bound({side, 0}), kept_.lower_bound({side, newest - room}));
}

}  // namespace disco
