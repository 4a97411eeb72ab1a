#include "tensor/picture_tensor.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"

namespace disco {
namespace {

/// The picture of a case of make_lanczos.py.
Picture noise(int width, int height, int channels, std::uint64_t number) {
  Picture picture(width, height, channels);
  for (std::size_t i = 0; i < picture.samples.size(); ++i) {
    picture.samples[i] = static_cast<std::uint8_t>(splitmix64((number << 32) + i) >> 56);
  }
  return picture;
}

std::uint32_t checksum(const Picture& picture) {
  return crc32({reinterpret_cast<const char*>(picture.samples.data()), picture.samples.size()});
}

TEST(ResizeLanczos, MatchesPillowToTheBit) {
  const fs::path path = fs::path(DISCO_SOURCE_DIR) / "tests" / "tensor" / "lanczos.json";
  const auto cases = nlohmann::json::parse(read_file(path));
  ASSERT_GT(cases.size(), 60u);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(cases[i].dump());
    const auto from = cases[i]["from"].get<std::vector<int>>(), to = cases[i]["to"].get<std::vector<int>>();
    const Picture resized = resize_lanczos(noise(from[0], from[1], cases[i]["channels"].get<int>(), i), to[0], to[1]);
    EXPECT_EQ(resized.width, to[0]);
    EXPECT_EQ(resized.height, to[1]);
    EXPECT_EQ(checksum(resized), cases[i]["crc32"].get<std::uint32_t>());
  }
}

RC_GTEST_PROP(ResizeLanczos, AConstantStaysConstant, ()) {
  const auto side = rc::gen::inRange(1, 60);
  const auto value = *rc::gen::arbitrary<std::uint8_t>();
  Picture picture(*side, *side, 3);
  std::fill(picture.samples.begin(), picture.samples.end(), value);
  for (const std::uint8_t sample : resize_lanczos(picture, *side, *side).samples) RC_ASSERT(sample == value);
}

TEST(ResizeLanczos, RefusesEmptySizes) {
  EXPECT_THROW(resize_lanczos(Picture(4, 4, 3), 0, 4), Error);
  EXPECT_THROW(resize_lanczos(Picture(0, 4, 3), 4, 4), Error);
}

TEST(ToTensor, SpreadsThe255LevelsOverMinusOneToOne) {
  Picture picture(2, 1, 3);
  picture.samples = {0, 51, 255, 102, 204, 0};
  const at::Tensor x = to_tensor(picture);
  ASSERT_EQ(x.sizes(), at::IntArrayRef({1, 3, 1, 2}));
  EXPECT_TRUE(at::allclose(x.flatten(), at::tensor({-1.f, -.2f, -.6f, .6f, 1.f, -1.f})));
}

TEST(ToTensor, SpreadsGreyAndDropsAlpha) {
  Picture grey(1, 1, 1), with_alpha(1, 1, 4);
  grey.samples = {255};
  with_alpha.samples = {0, 255, 0, 7};
  EXPECT_TRUE(at::equal(to_tensor(grey).flatten(), at::tensor({1.f, 1.f, 1.f})));
  EXPECT_TRUE(at::equal(to_tensor(with_alpha).flatten(), at::tensor({-1.f, 1.f, -1.f})));
}

TEST(ToPicture, RoundsDownAndClamps) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  // 127.99 of 255 is still 127.
  const at::Tensor x = at::tensor({-7.f, 7.f, 2 * 127.99f / 255 - 1, 0.f, nan, 1.f}).reshape({1, 3, 1, 2});
  const Picture picture = to_picture(x);
  EXPECT_EQ(picture.width, 2);
  EXPECT_EQ(picture.height, 1);
  EXPECT_EQ(picture.samples, (std::vector<std::uint8_t>{0, 127, 0, 255, 127, 255}));
  EXPECT_EQ(to_picture(x[0]).samples, picture.samples);
}

RC_GTEST_PROP(ToPicture, NeverStraysMoreThanALevelFromThePictureItCameFrom, ()) {
  const Picture picture = noise(*rc::gen::inRange(1, 9), *rc::gen::inRange(1, 9), 3, *rc::gen::inRange(0, 1000));
  const Picture again = to_picture(to_tensor(picture));
  for (std::size_t i = 0; i < picture.samples.size(); ++i) {
    RC_ASSERT(picture.samples[i] - again.samples[i] >= 0);
    RC_ASSERT(picture.samples[i] - again.samples[i] <= 1);
  }
}

TEST(ToPicture, RefusesOtherShapes) {
  EXPECT_THROW(to_picture(at::zeros({2, 3, 4, 4})), Error);
  EXPECT_THROW(to_picture(at::zeros({4, 4})), Error);
}

}  // namespace
}  // namespace disco
