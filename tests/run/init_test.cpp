#include "run/init.h"

#include <ATen/ATen.h>

#include "picture/picture.h"
#include "support.h"
#include "tensor/picture_tensor.h"

namespace disco {
namespace {

/// Left half black, right half white, 40 × 20.
Picture halves() {
  Picture picture(40, 20, 3);
  for (int y = 0; y < 20; ++y) {
    for (int x = 20; x < 40; ++x) {
      for (int c = 0; c < 3; ++c) picture.at(x, y, c) = 255;
    }
  }
  return picture;
}

class Init : public testing::Test {
 protected:
  void SetUp() override { write_picture(path(), halves()); }
  std::string path() const { return (folder_.path() / "init.png").string(); }
  TemporaryFolder folder_;
};

TEST_F(Init, StretchFillsCropCutsPadKeeps) {
  const at::Tensor stretched = read_init(path(), 64, 64, "stretch");
  EXPECT_EQ(stretched.sizes(), (at::IntArrayRef{1, 3, 64, 64}));
  EXPECT_NEAR(stretched[0][0][32][5].item<float>(), -1, 0.02);
  EXPECT_NEAR(stretched[0][0][32][58].item<float>(), 1, 0.02);
  const at::Tensor cropped = read_init(path(), 64, 64, "crop");
  EXPECT_EQ(cropped.sizes(), stretched.sizes());
  EXPECT_NEAR(cropped.mean().item<float>(), 0, 0.02);
  const at::Tensor padded = read_init(path(), 64, 64, "pad");
  EXPECT_EQ(padded.sizes(), stretched.sizes());
  EXPECT_EQ(padded[0][0][2][5].item<float>(), 0);
  EXPECT_NEAR(padded[0][0][32][5].item<float>(), -1, 0.02);
}

TEST_F(Init, MasksAreZeroToOne) {
  const at::Tensor mask = read_mask(path(), 64, 64, "stretch");
  EXPECT_EQ(mask.sizes(), (at::IntArrayRef{1, 1, 64, 64}));
  EXPECT_NEAR(mask[0][0][32][5].item<float>(), 0, 0.02);
  EXPECT_NEAR(mask[0][0][32][58].item<float>(), 1, 0.02);
}

TEST_F(Init, FlatAreasAreFoundAwayFromTheEdge) {
  const at::Tensor flat = flat_areas(read_init(path(), 64, 64, "stretch"));
  EXPECT_GT(flat[0][0][32][8].item<float>(), 0.95);
  EXPECT_LT(flat[0][0][32][32].item<float>(), 0.05);
}

TEST_F(Init, NoiseGoesWhereTheMaskSays) {
  Settings settings =
      quick_settings({{"init_image", path()}, {"init_noise", 0.5}, {"init_noise_mask", "flat"}}).settings;
  RandomStreams streams = RandomStreams::independent(1);
  const at::Tensor noisy = make_init(settings, streams);
  settings.init_noise = 0;
  const at::Tensor plain = make_init(settings, streams);
  const at::Tensor difference = (noisy - plain).abs().mean(1)[0];
  EXPECT_GT(difference.narrow(1, 4, 16).mean().item<float>(), 0.1);
  EXPECT_LT(difference.narrow(1, 31, 2).mean().item<float>(), 0.1);
  EXPECT_LE(noisy.abs().max().item<float>(), 1);
}

TEST(Mirror, TheFirstHalfGoesToTheSecond) {
  const at::Tensor x = at::arange(2 * 4, at::kFloat).reshape({1, 1, 2, 4}).expand({1, 3, 2, 4});
  const at::Tensor across = mirrored(x, true, false);
  EXPECT_TRUE(across.equal(across.flip({3})));
  EXPECT_TRUE(across.narrow(3, 0, 2).equal(x.narrow(3, 0, 2)));
  const at::Tensor down = mirrored(x, false, true);
  EXPECT_TRUE(down.equal(down.flip({2})));
  EXPECT_TRUE(down.narrow(2, 0, 1).equal(x.narrow(2, 0, 1)));
}

}  // namespace
}  // namespace disco
