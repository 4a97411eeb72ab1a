#include "run/enlarge.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace disco {
namespace {

struct Span {
  std::int64_t first, size;
};

/// Of one axis: what a tile shows, and what it is computed from.
struct Tile {
  Span shown, seen;
};

Tile tile_at(std::int64_t first, std::int64_t tile, std::int64_t margin, std::int64_t side) {
  const std::int64_t end = std::min(first + tile, side);
  const std::int64_t from = std::max<std::int64_t>(0, first - margin), to = std::min(side, end + margin);
  return {{first, end - first}, {from, to - from}};
}

}  // namespace

at::Tensor enlarged(const Upscaler& upscaler, const at::Tensor& picture, std::int64_t tile) {
  const at::NoGradGuard no_gradient;
  const std::int64_t factor = upscaler.config().factor, margin = upscaler.reach();
  const std::int64_t height = picture.size(2), width = picture.size(3);
  const at::Tensor& weight = upscaler.parameters().begin()->second;
  const at::Tensor source = picture.to(weight.device(), at::kFloat);
  at::Tensor result = at::empty({1, 3, factor * height, factor * width}, at::kFloat);
  for (std::int64_t y = 0; y < height; y += tile) {
    const Tile row = tile_at(y, tile, margin, height);
    for (std::int64_t x = 0; x < width; x += tile) {
      const Tile column = tile_at(x, tile, margin, width);
      const at::Tensor seen =
          source.narrow(2, row.seen.first, row.seen.size).narrow(3, column.seen.first, column.seen.size);
      const at::Tensor large =
          upscaler.forward(seen.contiguous())
              .narrow(2, factor * (row.shown.first - row.seen.first), factor * row.shown.size)
              .narrow(3, factor * (column.shown.first - column.seen.first), factor * column.shown.size);
      result.narrow(2, factor * row.shown.first, factor * row.shown.size)
          .narrow(3, factor * column.shown.first, factor * column.shown.size)
          .copy_(large);
    }
  }
  return result.clamp_(-1, 1);
}

}  // namespace disco
