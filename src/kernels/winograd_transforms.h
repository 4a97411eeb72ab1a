// The transforms of F(4×4, 3×3) (Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural Networks"), on arrays in
// which channels lie innermost. No torch here: these files are compiled once for each instruction set.
#pragma once

#include <cstdint>

namespace disco {

/// How a picture (N,H,W,C) is cut into tiles of 4×4 outputs, numbered picture by picture, row by row. Each reads 6×6
/// samples, zero outside the picture.
struct WinogradTiles {
  std::int64_t pictures = 0, height = 0, width = 0;

  static constexpr std::int64_t side = 4;  ///< Outputs of a tile, each way.
  static constexpr std::int64_t points = 36;

  std::int64_t rows() const { return (height + side - 1) / side; }
  std::int64_t columns() const { return (width + side - 1) / side; }
  std::int64_t count() const { return pictures * rows() * columns(); }
};

/// u (36, count, channels) = Bᵀ d B of the tiles first … first + count − 1 of x (N,H,W,channels).
void winograd_transform_input(const float* x, const WinogradTiles& tiles, std::int64_t channels, std::int64_t first,
                              std::int64_t count, float* u);
/// Writes Aᵀ m A + bias of m (36, count, channels) into y (N,H,W,channels). `bias` (channels) may be null.
void winograd_transform_output(const float* m, const float* bias, const WinogradTiles& tiles, std::int64_t channels,
                               std::int64_t first, std::int64_t count, float* y);
/// v (36, outputs, inputs): rows first … first + count − 1 of its middle axis, as G g Gᵀ of the filters
/// w (outputs, inputs, 3, 3); `turned` turns each filter by 180°, for the gradient by the input.
void winograd_transform_filters(const float* w, std::int64_t outputs, std::int64_t inputs, bool turned,
                                std::int64_t first, std::int64_t count, float* v);

}  // namespace disco
