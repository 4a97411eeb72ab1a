#include "kernels/cut_map.h"

#include <gtest/gtest.h>

#include <random>

namespace disco {
namespace {

/// A turn about the middle with a shift, or with `tilt` a homography, and its inverse.
CutMap draw_map(std::mt19937& dice, int width, int height, double tilt) {
  const auto uniform = [&](double limit) { return std::uniform_real_distribution<double>(-limit, limit)(dice); };
  const double angle = uniform(.3), c = std::cos(angle), s = std::sin(angle), x = width / 2.0 + uniform(4),
               y = height / 2.0 + uniform(4), a = uniform(tilt) / width, b = uniform(tilt) / height;
  const double m[9] = {c, s, width / 2.0 - c * x - s * y, -s, c, height / 2.0 + s * x - c * y, a, b, 1};
  const auto minor = [&](int i, int j, int k, int l) { return m[i] * m[l] - m[j] * m[k]; };
  const double determinant = m[0] * minor(4, 5, 7, 8) - m[1] * minor(3, 5, 6, 8) + m[2] * minor(3, 4, 6, 7);
  const double inverse[9] = {minor(4, 5, 7, 8),  -minor(1, 2, 7, 8), minor(1, 2, 4, 5),
                             -minor(3, 5, 6, 8), minor(0, 2, 6, 8),  -minor(0, 2, 3, 5),
                             minor(3, 4, 6, 7),  -minor(0, 1, 6, 7), minor(0, 1, 3, 4)};
  CutMap map{};
  for (int k = 0; k < 9; ++k) {
    map.to_source[k] = static_cast<float>(m[k]);
    map.to_result[k] = static_cast<float>(inverse[k] / determinant);
  }
  return map;
}

TEST(CutMap, AllThatTakesAPixelIsWithinItsReach) {
  std::mt19937 dice(8);
  constexpr int width = 31, height = 23;
  for (int k = 0; k < 40; ++k) {
    const CutMap map = draw_map(dice, width, height, k % 2 == 0 ? 0 : .4);
    const bool nearest = k % 3 == 0;
    for (int row = 0; row < height; ++row) {
      for (int column = 0; column < width; ++column) {
        const Reach reach = reach_of(map, column, row, width, height);
        for (int y = 0; y < height; ++y) {
          for (int x = 0; x < width; ++x) {
            const PixelPlace place = mapped(map.to_source, static_cast<float>(x), static_cast<float>(y));
            if (tap_weight(place, column, row, nearest) == 0) continue;
            ASSERT_TRUE(x >= reach.left && x <= reach.right && y >= reach.top && y <= reach.bottom)
                << "case " << k << ": " << x << ", " << y << " takes " << column << ", " << row;
          }
        }
      }
    }
  }
}

TEST(CutMap, AReachIsSmall) {
  std::mt19937 dice(9);
  const CutMap map = draw_map(dice, 224, 224, 0);
  const Reach reach = reach_of(map, 100, 120, 224, 224);
  EXPECT_LE((reach.right - reach.left + 1) * (reach.bottom - reach.top + 1), 16);
}

TEST(CutMap, TheShareInsideIsTheSumOfTheWeights) {
  std::mt19937 dice(10);
  constexpr int width = 5, height = 4;
  std::uniform_real_distribution<float> draw(-3, 8);
  for (int k = 0; k < 2000; ++k) {
    const PixelPlace place{k % 7 == 0 ? std::floor(draw(dice)) : draw(dice), draw(dice)};
    float sum = 0;
    for (int row = 0; row < height; ++row) {
      for (int column = 0; column < width; ++column) sum += tap_weight(place, column, row, false);
    }
    ASSERT_NEAR(share_inside(place, width, height), sum, 1e-5) << place.x << ", " << place.y;
  }
}

}  // namespace
}  // namespace disco
