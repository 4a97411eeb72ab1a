#include "tensor/philox.h"

#include <gtest/gtest.h>

#include <cmath>

namespace disco {
namespace {

void expect_words(FourWords counter, std::uint64_t key, FourWords expected) {
  const FourWords found = philox(counter, key);
  for (int k = 0; k < 4; ++k) EXPECT_EQ(found.word[k], expected.word[k]) << k;
}

TEST(Philox, GivesTheAuthorsKnownAnswers) {  // kat_vectors of Random123.
  expect_words({{0, 0, 0, 0}}, 0, {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}});
  expect_words({{~0u, ~0u, ~0u, ~0u}}, ~std::uint64_t{0}, {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}});
  expect_words({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0x299f31d0a4093822,
               {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}});
}

TEST(Philox, NoiseIsStandardNormal) {
  constexpr int blocks = 100000;
  double sum = 0, squares = 0, fourth = 0;
  for (int block = 0; block < blocks; ++block) {
    for (const float value : noise_block(7, 1, static_cast<std::uint64_t>(block)).value) {
      ASSERT_TRUE(std::isfinite(value));
      sum += value;
      squares += static_cast<double>(value) * value;
      fourth += std::pow(static_cast<double>(value), 4);
    }
  }
  constexpr double count = 4.0 * blocks;
  EXPECT_NEAR(sum / count, 0, .01);
  EXPECT_NEAR(squares / count, 1, .01);
  EXPECT_NEAR(fourth / count, 3, .1);
}

TEST(Philox, TheExtremeWordsGiveFiniteNoise) {
  for (const std::uint32_t a : {0u, ~0u}) {
    for (const std::uint32_t b : {0u, ~0u}) {
      for (const float value : normals({{a, b, a, b}}).value) EXPECT_TRUE(std::isfinite(value)) << a << " " << b;
    }
  }
}

TEST(Philox, StreamsAndNumbersDiffer) {
  EXPECT_NE(noise_block(1, 0, 0).value[0], noise_block(2, 0, 0).value[0]);
  EXPECT_NE(noise_block(1, 0, 0).value[0], noise_block(1, 1, 0).value[0]);
  EXPECT_NE(noise_block(1, 0, 0).value[0], noise_block(1, 0, std::uint64_t{1} << 32).value[0]);
}

}  // namespace
}  // namespace disco
