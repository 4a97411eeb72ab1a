// Painted pictures that are shown more than once: what a GPU learns from in a second takes a processor many to paint.
#pragma once

#include <future>
#include <map>
#include <mutex>

#include "train/batches.h"

namespace disco {

/// Sample i is picture i / reuse when i is a multiple of `reuse`, and else one of the `window` pictures up to there,
/// drawn by a hash of i: each picture is shown `reuse` times on average, every time with a caption of its own. Which
/// picture and caption a sample has depends on the seed and its number alone; pictures that are no longer kept, as
/// after an interruption, are painted again. Where there are near misses, all this holds of pairs: samples 2i and 2i +
/// 1 show pictures 2k and 2k + 1.
class ReusedPictures final : public PictureSource {
 public:
  ReusedPictures(std::uint64_t seed, int reuse, const WorldMix& mix);

  /// Each picture is painted once, whichever thread asks first.
  CaptionedBatch batch(std::uint64_t first, std::int64_t count, int side) const override;
  std::vector<std::string> texts() const override;

  /// How many pictures of this side are kept.
  static std::uint64_t window(int side);
  /// The number of the picture that sample i shows.
  std::uint64_t picture_of(std::uint64_t sample, int side) const;

 private:
  struct Painted {
    Scene scene;
    at::Tensor pixels;  ///< (1,3,side,side) uint8.
  };
  using Key = std::pair<int, std::uint64_t>;  ///< Side and number.

  bool is_new(std::uint64_t sample) const { return sample / together_ % reuse_ == 0; }
  Painted painted(std::uint64_t picture, int side) const;
  void forget_old(std::uint64_t newest, int side) const;

  std::uint64_t seed_;
  std::uint64_t reuse_;
  std::uint64_t together_;  ///< Pictures that are shown side by side: 2, or 1.
  WorldMix mix_;
  mutable std::mutex mutex_;
  mutable std::map<Key, std::shared_future<Painted>> kept_;
};

}  // namespace disco
