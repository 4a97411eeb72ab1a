// Pictures put together: pasting, grids for contact sheets, thumbnails.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "picture/picture.h"

namespace disco {

using Rgb = std::array<std::uint8_t, 3>;

struct Rectangle {
  int x = 0, y = 0, width = 0, height = 0;  ///< Pixels, from the top left corner.

  bool operator==(const Rectangle&) const = default;
};

/// A picture of one colour with 3 channels.
Picture filled(int width, int height, Rgb colour);

/// Draws `picture` with its top left corner at (x, y) of `onto`; what lies outside is cut off. Grey is spread and
/// colour becomes grey (.299 R + .587 G + .114 B) as `onto` needs it; a picture with alpha is blended over an opaque
/// `onto`, and replaces the pixels of one with alpha.
void paste(Picture& onto, const Picture& picture, int x, int y);

struct GridOptions {
  int columns = 0;        ///< 0: as square as can be.
  int margin = 8;         ///< Around and between cells.
  int label_height = 0;   ///< Free room under each cell, for text.
  int header_height = 0;  ///< Free room above all cells.
  int side_width = 0;     ///< Free room left of all cells.
  Rgb background = {24, 24, 24};
};

/// Where the parts of a grid lie. Cells run along rows.
struct GridLayout {
  int width = 0, height = 0, columns = 0, rows = 0;
  std::vector<Rectangle> cells;
  std::vector<Rectangle> labels;  ///< Under each cell; of height 0 without label_height.
};

/// Throws Error when there is nothing to lay out, or the sheet would be larger than pictures may be.
GridLayout lay_out_grid(int count, int cell_width, int cell_height, const GridOptions& options);

/// The pictures in cells of the largest one's size, each in the middle of its cell, on the background.
Picture compose_grid(std::span<const Picture> pictures, const GridOptions& options);

/// Each new pixel is the mean of the old pixels under it, by area (box filter), rounded; colours are weighted by alpha.
/// Enlarging by whole factors repeats pixels.
Picture resize_box(const Picture& picture, int width, int height);

/// resize_box() to fit into `side` × `side`, the aspect kept to the pixel; a smaller picture is returned as it is.
Picture thumbnail(const Picture& picture, int side);

}  // namespace disco
