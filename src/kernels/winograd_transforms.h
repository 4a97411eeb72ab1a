// The transforms of F(4×4, 3×3) (Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural Networks"), on arrays in
// which channels lie innermost. No torch here: these files are compiled once for each instruction set.
#pragma once

#include <cstdint>

#include "kernels/panels.h"

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

/// From how many tiles on Winograd's algorithm pays where the filters are transformed once.
constexpr std::int64_t least_kept_tiles = 9;
/// From so many channels on both sides.
constexpr std::int64_t least_winograd_channels = 16;

/// The tiles first … first + count − 1, which are worked on together.
struct WinogradBlock {
  std::int64_t first = 0, count = 0;
};

/// How a block's transformed tiles lie in memory.
enum class TileLayout {
  rows,    ///< (36, block.count, row_stride(channels)): the left side of products.
  panels,  ///< (36, panels, block.count, 32): the right side. What fills the last panel is not written.
};

/// u = Bᵀ d B of the tiles begin … end − 1 of a block of x (N,H,W,channels).
void winograd_transform_input(const float* x, const WinogradTiles& tiles, std::int64_t channels,
                              const WinogradBlock& block, std::int64_t begin, std::int64_t end, TileLayout layout,
                              float* u);
/// Writes Aᵀ m A + bias of those tiles of m (36, block.count, padded) into y (N,H,W,channels), padded =
/// padded_columns(channels). `bias` (channels) may be null.
void winograd_transform_output(const float* m, const float* bias, const WinogradTiles& tiles, std::int64_t channels,
                               const WinogradBlock& block, std::int64_t begin, std::int64_t end, float* y);

/// Filters (outputs, inputs, 3, 3) of a convolution, and whether its adjoint is meant: from outputs to inputs, with
/// each filter turned by 180°.
struct WinogradFilters {
  const float* w = nullptr;
  std::int64_t outputs = 0, inputs = 0;
  bool adjoint = false;

  std::int64_t rows() const { return adjoint ? outputs : inputs; }     ///< Channels that are read.
  std::int64_t columns() const { return adjoint ? inputs : outputs; }  ///< Channels that are made.
};

/// e (36, block.count, row_stride(channels)) = A y Aᵀ of those tiles of y (N,H,W,channels), zero beyond the picture:
/// the adjoint of winograd_transform_output.
void winograd_transform_gradient(const float* y, const WinogradTiles& tiles, std::int64_t channels,
                                 const WinogradBlock& block, std::int64_t begin, std::int64_t end, float* e);
/// w (outputs, inputs, 3, 3) = Gᵀ m G for outputs begin … end − 1 of m (36, outputs, padded inputs): the adjoint of
/// winograd_transform_filters.
void winograd_gather_filters(const float* m, std::int64_t outputs, std::int64_t inputs, std::int64_t begin,
                             std::int64_t end, float* w);

/// Panel `panel` of each of the 36 matrices G g Gᵀ (rows, columns), into v (36, panels, rows, 32).
void winograd_transform_filters(const WinogradFilters& filters, std::int64_t panel, float* v);

}  // namespace disco
