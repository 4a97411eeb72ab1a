#include "cli/preview.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace disco {
namespace {

using Colour = std::array<int, 3>;

/// The mean over pixel (x, y) of a `width` × `height` version of the picture.
Colour mean_colour(const Picture& picture, int x, int y, int width, int height) {
  const auto bounds = [](int index, int parts, int whole) {
    const int first = static_cast<int>(std::int64_t{index} * whole / parts);
    return std::pair{first, std::max(first + 1, static_cast<int>(std::int64_t{index + 1} * whole / parts))};
  };
  const auto [left, right] = bounds(x, width, picture.width);
  const auto [top, bottom] = bounds(y, height, picture.height);
  std::array<std::int64_t, 3> sum{};
  for (int row = top; row < bottom; ++row) {
    for (int col = left; col < right; ++col) {
      for (int c = 0; c < 3; ++c)
        sum[static_cast<std::size_t>(c)] += picture.at(col, row, picture.channels >= 3 ? c : 0);
    }
  }
  const std::int64_t count = std::int64_t{right - left} * (bottom - top);
  return {static_cast<int>(sum[0] / count), static_cast<int>(sum[1] / count), static_cast<int>(sum[2] / count)};
}

}  // namespace

std::vector<std::string> preview_lines(const Picture& picture, int columns, int rows) {
  if (columns < 1 || rows < 1 || picture.width < 1 || picture.height < 1) return {};
  const double scale = std::min({static_cast<double>(columns) / picture.width, 2.0 * rows / picture.height, 1.0});
  const int width = std::max(1, static_cast<int>(picture.width * scale));
  const int height = std::max(2, static_cast<int>(picture.height * scale) / 2 * 2);
  std::vector<std::string> lines;
  for (int y = 0; y < height; y += 2) {
    std::string line;
    Colour above{-1, -1, -1}, below{-1, -1, -1};  // What the terminal is set to.
    for (int x = 0; x < width; ++x) {
      const Colour upper = mean_colour(picture, x, y, width, height);
      const Colour lower = mean_colour(picture, x, y + 1, width, height);
      if (upper != above) line += fmt::format("\x1b[38;2;{};{};{}m", upper[0], upper[1], upper[2]);
      if (lower != below) line += fmt::format("\x1b[48;2;{};{};{}m", lower[0], lower[1], lower[2]);
      above = upper;
      below = lower;
      line += "▀";
    }
    lines.push_back(line + "\x1b[0m");
  }
  return lines;
}

}  // namespace disco
