#include "train/world/raster.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace disco {
namespace {

std::uint8_t byte(float value) { return static_cast<std::uint8_t>(std::clamp(value * 255 + 0.5f, 0.0f, 255.0f)); }

void add(float& sum, float value, float sign) { sum += sign * value; }
void add(Pixel& sum, const Pixel& value, float sign) {
  for (std::size_t c = 0; c < 3; ++c) sum[c] += sign * value[c];
}
float times(float value, float by) { return value * by; }
Pixel times(const Pixel& value, float by) { return {value[0] * by, value[1] * by, value[2] * by}; }

/// A running sum along each row, then along each column.
template <typename Value>
Field<Value> box_blurred(const Field<Value>& field, int radius) {
  if (radius < 1) return field;
  const int side = field.side;
  const float weight = 1.0f / static_cast<float>(2 * radius + 1);
  Field<Value> rows(side), result(side);
  for (int y = 0; y < side; ++y) {
    Value sum{};
    for (int x = -radius; x <= radius; ++x) add(sum, field.near(x, y), 1);
    for (int x = 0; x < side; ++x) {
      rows.at(x, y) = times(sum, weight);
      add(sum, field.near(x + radius + 1, y), 1);
      add(sum, field.near(x - radius, y), -1);
    }
  }
  std::vector<Value> sums(static_cast<std::size_t>(side));
  for (int y = -radius; y <= radius; ++y) {
    for (int x = 0; x < side; ++x) add(sums[static_cast<std::size_t>(x)], rows.near(x, y), 1);
  }
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      Value& sum = sums[static_cast<std::size_t>(x)];
      result.at(x, y) = times(sum, weight);
      add(sum, rows.near(x, y + radius + 1), 1);
      add(sum, rows.near(x, y - radius), -1);
    }
  }
  return result;
}

}  // namespace

float step_between(float from, float to, float value) {
  const float t = std::clamp((value - from) / (to - from), 0.0f, 1.0f);
  return t * t * (3 - 2 * t);
}

Raster raster_of(const Picture& picture) {
  Raster raster(picture.width);
  for (std::size_t i = 0; i < raster.values.size(); ++i) {
    for (std::size_t c = 0; c < 3; ++c) raster.values[i][c] = static_cast<float>(picture.samples[3 * i + c]) / 255;
  }
  return raster;
}

void store(const Raster& raster, Picture& picture) {
  for (std::size_t i = 0; i < raster.values.size(); ++i) {
    for (std::size_t c = 0; c < 3; ++c) picture.samples[3 * i + c] = byte(raster.values[i][c]);
  }
}

Raster blurred(const Raster& raster, int radius) { return box_blurred(raster, radius); }
Plane blurred(const Plane& plane, int radius) { return box_blurred(plane, radius); }

Plane noise(int side, int cells, Dice& dice) {
  const int corners = cells + 2;
  std::vector<float> heights(static_cast<std::size_t>(corners * corners));
  for (float& height : heights) height = static_cast<float>(dice.uniform());
  Plane plane(side);
  const auto height = [&](int x, int y) {
    return heights[static_cast<std::size_t>(y) * static_cast<std::size_t>(corners) + static_cast<std::size_t>(x)];
  };
  for (int y = 0; y < side; ++y) {
    const float v = static_cast<float>(y) * static_cast<float>(cells) / static_cast<float>(side);
    const int j = static_cast<int>(v);
    const float t = step_between(0, 1, v - static_cast<float>(j));
    for (int x = 0; x < side; ++x) {
      const float u = static_cast<float>(x) * static_cast<float>(cells) / static_cast<float>(side);
      const int i = static_cast<int>(u);
      const float s = step_between(0, 1, u - static_cast<float>(i));
      const float top = std::lerp(height(i, j), height(i + 1, j), s);
      plane.at(x, y) = std::lerp(top, std::lerp(height(i, j + 1), height(i + 1, j + 1), s), t);
    }
  }
  return plane;
}

Plane edges(const Raster& raster) {
  Plane plane(raster.side);
  for (int y = 0; y < raster.side; ++y) {
    for (int x = 0; x < raster.side; ++x) {
      const float across = squared_distance(raster.near(x + 1, y), raster.near(x - 1, y));
      const float down = squared_distance(raster.near(x, y + 1), raster.near(x, y - 1));
      plane.at(x, y) = std::sqrt((across + down) / 3);
    }
  }
  return plane;
}

Plane flow(const Raster& raster, Dice& dice) {
  const int side = raster.side, reach = std::max(1, side / 64);
  // Directions are averaged as doubled angles: a slope up and a slope down lie along the same edge.
  Plane cosine(side), sine(side);
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const float dx = brightness(raster.near(x + 1, y)) - brightness(raster.near(x - 1, y));
      const float dy = brightness(raster.near(x, y + 1)) - brightness(raster.near(x, y - 1));
      cosine.at(x, y) = dx * dx - dy * dy;
      sine.at(x, y) = 2 * dx * dy;
    }
  }
  cosine = blurred(blurred(cosine, reach), 2 * reach);
  sine = blurred(blurred(sine, reach), 2 * reach);
  const Plane swirl = noise(side, 4, dice);
  Plane angles(side);
  constexpr float pi = std::numbers::pi_v<float>;
  for (std::size_t i = 0; i < angles.values.size(); ++i) {
    const float slow = 1.4f * pi * (swirl.values[i] - 0.5f), weak = 0.002f;
    // Edges are drawn along, so slopes are turned by a right angle, a half turn of the doubled angle.
    angles.values[i] =
        0.5f * std::atan2(-sine.values[i] + weak * std::sin(2 * slow), -cosine.values[i] + weak * std::cos(2 * slow));
  }
  return angles;
}

std::vector<Pixel> few_colours(const Raster& raster, std::size_t count) {
  std::vector<Pixel> sample;
  const int step = std::max(1, raster.side / 40);
  for (int y = step / 2; y < raster.side; y += step) {
    for (int x = step / 2; x < raster.side; x += step) sample.push_back(raster.at(x, y));
  }
  // Each further colour starts as the one that the colours so far stand for worst; then Lloyd's iteration.
  std::vector<Pixel> colours = {sample.front()};
  std::vector<float> worst(sample.size(), 1e9f);
  while (colours.size() < count) {
    for (std::size_t i = 0; i < sample.size(); ++i)
      worst[i] = std::min(worst[i], squared_distance(sample[i], colours.back()));
    colours.push_back(sample[static_cast<std::size_t>(std::ranges::max_element(worst) - worst.begin())]);
  }
  for (int round = 0; round < 4; ++round) {
    std::vector<Pixel> sums(count, Pixel{});
    std::vector<float> members(count, 0);
    for (const Pixel& p : sample) {
      std::size_t best = 0;
      for (std::size_t k = 1; k < count; ++k) {
        if (squared_distance(p, colours[k]) < squared_distance(p, colours[best])) best = k;
      }
      add(sums[best], p, 1);
      members[best] += 1;
    }
    for (std::size_t k = 0; k < count; ++k) {
      if (members[k] > 0) colours[k] = times(sums[k], 1 / members[k]);
    }
  }
  return colours;
}

Field<int> nearest_colours(const Raster& raster, const std::vector<Pixel>& colours) {
  Field<int> nearest(raster.side);
  for (std::size_t i = 0; i < raster.values.size(); ++i) {
    float best = 1e9f;
    for (std::size_t k = 0; k < colours.size(); ++k) {
      const float d = squared_distance(raster.values[i], colours[k]);
      if (d < best) best = d, nearest.values[i] = static_cast<int>(k);
    }
  }
  return nearest;
}

}  // namespace disco
