// What the GPU's kernels compute of a pixel, beside the processor's vectors.
#include "cuda/cut_pixel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

namespace disco {
namespace {

constexpr std::int64_t plane = 301;

std::vector<float> draw(std::mt19937& dice, float low, float high) {
  std::vector<float> values(3 * plane);
  for (float& value : values) value = std::uniform_real_distribution<float>(low, high)(dice);
  return values;
}

pixel::Rgb at(const std::vector<float>& planes, std::int64_t i) {
  const float* from = planes.data() + i;
  return {from[0], from[plane], from[2 * plane]};
}

void expect_near(pixel::Rgb found, const std::vector<float>& expected, std::int64_t i, float allowed) {
  const pixel::Rgb value = at(expected, i);
  EXPECT_NEAR(found.r, value.r, allowed) << i;
  EXPECT_NEAR(found.g, value.g, allowed) << i;
  EXPECT_NEAR(found.b, value.b, allowed) << i;
}

TEST(CutPixel, StepsAndTheirGradientEqualTheVectors) {
  std::mt19937 dice(4);
  std::array<int, 4> order = {0, 1, 2, 3};
  const std::array<ColourStep, 4> all = {{{ColourStep::brightness, 1.09f},
                                          {ColourStep::contrast, .92f},
                                          {ColourStep::saturation, 1.08f},
                                          {ColourStep::hue, -.13f}}};
  do {
    ColourSteps steps;
    pixel::Steps own{};
    for (std::size_t k = 0; k < 4; ++k) {
      steps[k] = own.step[k] = all[static_cast<std::size_t>(order[k])];
      if (steps[k].kind == ColourStep::contrast) own.contrast = static_cast<int>(k);
    }
    std::vector<float> x = draw(dice, -.1f, 1.1f);
    // Some pixels without colour.
    for (std::int64_t i = 0; i < 20; ++i)
      x[static_cast<std::size_t>(plane + i)] = x[static_cast<std::size_t>(2 * plane + i)] =
          x[static_cast<std::size_t>(i)];
    const std::vector<float> by_y = draw(dice, -1, 1);
    std::vector<float> y(x.size()), by_x(x.size());
    const float mean = mean_grey(steps, {x.data(), plane});
    apply_steps(steps, {x.data(), plane}, mean, y.data());
    apply_steps_backward(steps, {x.data(), plane}, mean, by_y.data(), by_x.data());

    double own_mean = 0, by_mean = 0;
    for (std::int64_t i = 0; i < plane; ++i) {
      own_mean += pixel::grey_before_contrast(own, at(x, i));
      by_mean += pixel::by_mean_grey(own, at(x, i), mean, at(by_y, i));
    }
    EXPECT_NEAR(own_mean / plane, mean, 1e-5);
    const float largest = std::abs(
        *std::max_element(by_x.begin(), by_x.end(), [](float a, float b) { return std::abs(a) < std::abs(b); }));
    for (std::int64_t i = 0; i < plane; ++i) {
      expect_near(pixel::apply_all(own, at(x, i), mean), y, i, 1e-5f);
      expect_near(pixel::apply_all_backward(own, at(x, i), mean, static_cast<float>(by_mean / plane), at(by_y, i)),
                  by_x, i, 1e-4f * largest);
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

}  // namespace
}  // namespace disco
