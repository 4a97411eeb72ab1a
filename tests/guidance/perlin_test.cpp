#include "guidance/perlin.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "support/golden.h"

namespace disco {
namespace {

at::Tensor noise(const std::string& mode, std::uint64_t seed = 11) {
  RandomStream stream(seed);
  return perlin_init(192, 128, mode, stream);
}

class PerlinMode : public ::testing::TestWithParam<const char*> {};

TEST_P(PerlinMode, MatchesTheReference) {
  const at::Tensor expected = golden::tensors("ops.safetensors").at(std::string("perlin.") + GetParam());
  const at::Tensor difference = (noise(GetParam()) - expected).abs();
  ASSERT_EQ(difference.sizes(), expected.sizes());
  // A level of 8 bits is 2/255, and half of that in the mean of two pictures.
  EXPECT_LT(difference.max().item<double>(), 2.1 / 255);
  EXPECT_LT((difference > 1e-6).to(at::kFloat).mean().item<double>(), 1e-3);
}

INSTANTIATE_TEST_SUITE_P(All, PerlinMode, ::testing::Values("mixed", "color", "gray"),
                         [](const auto& mode) { return std::string(mode.param); });

TEST(Perlin, GreyNoiseHasEqualChannelsThatFillTheRange) {
  const at::Tensor grey = noise("gray", 3);
  EXPECT_TRUE(at::equal(grey.select(1, 0), grey.select(1, 2)));
  EXPECT_LE(grey.abs().max().item<double>(), 1);
  EXPECT_GT(grey.std().item<double>(), .1);
  EXPECT_FALSE(at::equal(noise("gray", 4), grey));
}

TEST(Perlin, ReadsTheStreamAlikeForEverySize) {
  RandomStream small(5), large(5);
  perlin_init(16, 8, "gray", small);
  perlin_init(80, 120, "gray", large);
  EXPECT_EQ(small.rand(), large.rand());
}

TEST(Perlin, RefusesUnknownModesAndEmptySizes) {
  RandomStream stream(1);
  EXPECT_THROW(perlin_init(8, 8, "grey", stream), RequestError);
  EXPECT_THROW(perlin_init(0, 8, "gray", stream), Error);
}

}  // namespace
}  // namespace disco
