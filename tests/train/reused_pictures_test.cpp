// Painted pictures that are shown more than once.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <thread>

#include "support.h"
#include "train/reused_pictures.h"

namespace disco {
namespace {

constexpr int side = 16;

TEST(ReusedPictures, EachIsShownAsOftenAsAskedOnAverage) {
  const ReusedPictures source(7, 4, {});
  constexpr std::uint64_t samples = 4000;
  std::map<std::uint64_t, int> shown;
  for (std::uint64_t i = 0; i < samples; ++i) {
    const std::uint64_t picture = source.picture_of(i, side);
    EXPECT_LE(picture, i / 4);
    ++shown[picture];
  }
  // Every picture has its own turn, and the turns between are drawn from all that came before.
  EXPECT_EQ(shown.size(), samples / 4);
  EXPECT_GT(shown[0], 4);
  std::map<int, int> counts;
  for (const auto& [picture, times] : shown) ++counts[times];
  EXPECT_GT(counts.size(), 3u);
}

TEST(ReusedPictures, NoneOlderThanTheWindowIsShown) {
  const ReusedPictures source(7, 8, {});
  const std::uint64_t window = ReusedPictures::window(512), far = 100 * window;
  std::uint64_t oldest = far;
  for (std::uint64_t i = 8 * far; i < 8 * far + 20000; ++i) oldest = std::min(oldest, source.picture_of(i, 512));
  EXPECT_GT(oldest, far - window);
  EXPECT_LT(oldest, far - window + window / 20);
}

TEST(ReusedPictures, SamplesDependOnSeedAndNumberAlone) {
  const WorldMix mix;
  const ReusedPictures source(3, 4, mix), other(3, 4, mix), stranger(4, 4, mix);
  source.batch(0, 16, side);
  const CaptionedBatch kept = source.batch(16, 16, side), fresh = other.batch(16, 16, side);
  EXPECT_TRUE(kept.pictures.equal(fresh.pictures));
  for (std::size_t k = 0; k < 16; ++k) EXPECT_EQ(kept.captions[k].text, fresh.captions[k].text);
  EXPECT_FALSE(kept.pictures.equal(stranger.batch(16, 16, side).pictures));
}

TEST(ReusedPictures, ShowThePaintersPicturesWithCaptionsOfTheirOwn) {
  const WorldMix mix;
  const ReusedPictures source(3, 4, mix);
  const CaptionedBatch batch = source.batch(0, 64, side), painted = captioned_batch(3, 0, 16, side, mix);
  std::map<std::uint64_t, std::set<std::string>> texts;
  for (std::uint64_t i = 0; i < 64; ++i) {
    const std::uint64_t picture = source.picture_of(i, side);
    EXPECT_TRUE(
        batch.pictures[static_cast<std::int64_t>(i)].equal(painted.pictures[static_cast<std::int64_t>(picture)]));
    const Caption& caption = batch.captions[i];
    EXPECT_TRUE(describes(caption, batch.scenes[i], painted.scenes[picture])) << caption.text;
    texts[picture].insert(caption.text);
  }
  EXPECT_GT(texts[0].size(), 2u);
}

TEST(ReusedPictures, NearMissesStayBesideWhatTheyMiss) {
  const WorldMix mix{.near_misses = 1};
  const ReusedPictures source(3, 4, mix);
  for (std::uint64_t i = 0; i < 400; i += 2) {
    const std::uint64_t picture = source.picture_of(i, side);
    EXPECT_EQ(picture % 2, 0u);
    EXPECT_LE(picture / 2, i / 8);
    EXPECT_EQ(source.picture_of(i + 1, side), picture + 1);
  }
  const CaptionedBatch batch = source.batch(0, 64, side), painted = captioned_batch(3, 0, 16, side, mix);
  const at::Tensor agrees = agreement(batch);
  for (std::int64_t i = 0; i < 64; i += 2) {
    const std::uint64_t picture = source.picture_of(static_cast<std::uint64_t>(i) + 1, side);
    EXPECT_TRUE(batch.pictures[i + 1].equal(painted.pictures[static_cast<std::int64_t>(picture)]));
    EXPECT_FALSE(batch.pictures[i].equal(batch.pictures[i + 1]));
    const Caption& miss = batch.captions[static_cast<std::size_t>(i) + 1];
    if (miss.names_subject && miss.names_sky && miss.names_ground) {
      EXPECT_EQ(agrees[i][i + 1].item<float>(), 0) << miss.text;
    }
  }
}

TEST(ReusedPictures, NearMissesAreAsManyAsAsked) {
  int misses = 0;
  constexpr int pairs = 2000;
  for (std::uint64_t i = 0; i < 2 * pairs; i += 2) {
    const Scene first = sample_scene(5, i, {.near_misses = 0.3}), second = sample_scene(5, i + 1, {.near_misses = 0.3});
    EXPECT_EQ(first.detail, random_scene(sample_seed(5, i)).detail);
    misses += things_apart(first, second) == 1;
  }
  EXPECT_NEAR(misses, 0.3 * pairs, 0.05 * pairs);
}

TEST(ReusedPictures, ThreadsGetWhatOneGets) {
  const ReusedPictures source(5, 4, {}), alone(5, 4, {});
  std::vector<CaptionedBatch> batches(6);
  std::vector<std::thread> threads;
  for (std::size_t k = 0; k < batches.size(); ++k) {
    threads.emplace_back([&, k] { batches[k] = source.batch(32 * k, 32, side); });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t k = 0; k < batches.size(); ++k) {
    EXPECT_TRUE(batches[k].pictures.equal(alone.batch(32 * k, 32, side).pictures)) << k;
  }
}

}  // namespace
}  // namespace disco
