// Where the pixels of a cutout come from, and which pixels of the result a pixel goes to. No torch here: GPU kernels
// include it.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/host_device.h"

namespace disco {

/// A homography of pixel coordinates (column, row): those of the result to those of the source, and back. Rows of the
/// matrices one after the other.
struct CutMap {
  float to_source[9], to_result[9];
};

struct CutWarp {
  bool mirrored = false;
  bool nearest = false;     ///< Nearest pixels; else bilinear.
  bool fade_twice = false;  ///< Bilinear only: times the share of each pixel that lies inside, once more.
};

struct PixelPlace {
  float x, y;
};

DISCO_HOST_DEVICE inline PixelPlace mapped(const float* m, float x, float y) {
  const float below = m[6] * x + m[7] * y + m[8];
  return {(m[0] * x + m[1] * y + m[2]) / below, (m[3] * x + m[4] * y + m[5]) / below};
}

/// The weight with which a value of the result, sampled at `place`, takes the pixel of this column and row; both lie
/// inside.
DISCO_HOST_DEVICE inline float tap_weight(PixelPlace place, int column, int row, bool nearest) {
  if (nearest) return std::nearbyint(place.x) == column && std::nearbyint(place.y) == row ? 1 : 0;
  const float away_x = 1 - std::abs(place.x - static_cast<float>(column));
  const float away_y = 1 - std::abs(place.y - static_cast<float>(row));
  return away_x > 0 && away_y > 0 ? away_x * away_y : 0;
}

/// The share of a bilinear sample at `place` that lies inside a picture of width × height.
DISCO_HOST_DEVICE inline float share_inside(PixelPlace place, int width, int height) {
  const auto along = [](float at, int side) {
    const float low = std::floor(at), rest = at - low;
    const auto last = static_cast<float>(side - 1);
    return (low >= 0 && low <= last ? 1 - rest : 0) + (low >= -1 && low <= last - 1 ? rest : 0);
  };
  return along(place.x, width) * along(place.y, height);
}

/// Columns and rows of the result that may take the pixel of this column and row.
struct Reach {
  int left, top, right, bottom;
};
DISCO_HOST_DEVICE inline Reach reach_of(const CutMap& map, int column, int row, int width, int height) {
  constexpr float beside = 1, rounding = .02f;
  float left = 1e9f, top = 1e9f, right = -1e9f, bottom = -1e9f, first_below = 0;
  const float* m = map.to_result;
  for (int corner = 0; corner < 4; ++corner) {
    const float x = static_cast<float>(column) + (corner % 2 == 0 ? -beside : beside);
    const float y = static_cast<float>(row) + (corner / 2 == 0 ? -beside : beside);
    const float below = m[6] * x + m[7] * y + m[8];
    if (corner == 0) first_below = below;
    // Where the square crosses the horizon its image is no quadrangle: everything is looked at.
    if (!(below * first_below > 1e-6f * first_below * first_below)) return {0, 0, width - 1, height - 1};
    const PixelPlace place = mapped(m, x, y);
    left = left < place.x ? left : place.x;
    right = right > place.x ? right : place.x;
    top = top < place.y ? top : place.y;
    bottom = bottom > place.y ? bottom : place.y;
  }
  const auto within = [](float at, int side) {
    return static_cast<int>(at < -1 ? -1 : at > static_cast<float>(side) ? static_cast<float>(side) : at);
  };
  const int first_column = within(std::ceil(left - rounding), width),
            last_column = within(std::floor(right + rounding), width);
  const int first_row = within(std::ceil(top - rounding), height),
            last_row = within(std::floor(bottom + rounding), height);
  return {first_column < 0 ? 0 : first_column, first_row < 0 ? 0 : first_row,
          last_column > width - 1 ? width - 1 : last_column, last_row > height - 1 ? height - 1 : last_row};
}

/// A square of the picture on its way to a cutout. Its first column and row may lie outside, where the picture is zero.
struct CutSquare {
  enum Flag : std::int32_t { plain = 0, greyed = 1, mirrored = 2 };
  std::int32_t x, y, side, flags;
};

}  // namespace disco
