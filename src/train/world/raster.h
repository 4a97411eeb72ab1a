// Pixels as floats, and what filters are made of.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "picture/picture.h"
#include "train/world/dice.h"

namespace disco {

using Pixel = std::array<float, 3>;  ///< RGB, 0 … 1.

inline float brightness(const Pixel& p) { return 0.299f * p[0] + 0.587f * p[1] + 0.114f * p[2]; }
inline Pixel blend(const Pixel& a, const Pixel& b, float share) {
  return {a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share};
}
/// Away from (above 1) or towards its own grey, then brighter by `lift`.
inline Pixel saturated(const Pixel& p, float by, float lift = 0) {
  const float grey = brightness(p);
  return {grey + (p[0] - grey) * by + lift, grey + (p[1] - grey) * by + lift, grey + (p[2] - grey) * by + lift};
}
inline float squared_distance(const Pixel& a, const Pixel& b) {
  const float r = a[0] - b[0], g = a[1] - b[1], c = a[2] - b[2];
  return r * r + g * g + c * c;
}
/// 0 below `from`, 1 above `to`, smooth between.
float step_between(float from, float to, float value);

/// One value for each pixel of a square picture, rows from the top.
template <typename Value>
struct Field {
  int side;
  std::vector<Value> values;

  explicit Field(int side_, Value value = {})
      : side(side_), values(static_cast<std::size_t>(side_) * static_cast<std::size_t>(side_), value) {}
  Value& at(int x, int y) {
    return values[static_cast<std::size_t>(y) * static_cast<std::size_t>(side) + static_cast<std::size_t>(x)];
  }
  const Value& at(int x, int y) const {
    return values[static_cast<std::size_t>(y) * static_cast<std::size_t>(side) + static_cast<std::size_t>(x)];
  }
  /// The nearest pixel inside.
  const Value& near(int x, int y) const { return at(clamped(x), clamped(y)); }

 private:
  int clamped(int v) const { return v < 0 ? 0 : v >= side ? side - 1 : v; }
};

using Raster = Field<Pixel>;
using Plane = Field<float>;

Raster raster_of(const Picture& picture);
void store(const Raster& raster, Picture& picture);

/// Means over (2·radius + 1)² pixels, in time independent of the radius.
Raster blurred(const Raster& raster, int radius);
Plane blurred(const Plane& plane, int radius);
/// Smooth noise, 0 … 1, with `cells` hills along each side.
Plane noise(int side, int cells, Dice& dice);
/// How sharply brightness or colour changes at each pixel; 1 is black against white.
Plane edges(const Raster& raster);
/// The direction along edges, in radians; where there are none, along a slow swirl.
Plane flow(const Raster& raster, Dice& dice);
/// `count` colours that stand for all of a picture, small bright things included.
std::vector<Pixel> few_colours(const Raster& raster, std::size_t count);
/// The index of the nearest of `colours` at each pixel.
Field<int> nearest_colours(const Raster& raster, const std::vector<Pixel>& colours);

}  // namespace disco
