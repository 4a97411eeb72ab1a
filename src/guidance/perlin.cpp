#include "guidance/perlin.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "core/error.h"

namespace disco {
namespace {

/// `count` octaves, the first with cells×cells cells, each with twice as many a side as the one before. The square that
/// they are drawn on has cells·2^count pixels a side.
struct Octaves {
  int count;
  std::int64_t cells;

  std::int64_t side() const { return cells << count; }
};

/// One axis of the bilinear resize, and the pixels of the square that it reads. Only those are computed: the square has
/// 16 million, most pictures are far smaller.
struct Axis {
  struct Sample {
    std::size_t low, high;  ///< Into pixels.
    float share;            ///< Of high.
  };
  std::vector<std::int64_t> pixels;
  std::vector<Sample> samples;

  Axis(std::int64_t side, std::int64_t size) {
    const auto add = [&](std::int64_t pixel) {
      if (pixels.empty() || pixels.back() < pixel) pixels.push_back(pixel);
      return static_cast<std::size_t>(std::lower_bound(pixels.begin(), pixels.end(), pixel) - pixels.begin());
    };
    const float scale = static_cast<float>(side) / static_cast<float>(size);
    for (std::int64_t j = 0; j < size; ++j) {
      const float place = std::max(0.f, scale * (static_cast<float>(j) + .5f) - .5f);
      const auto low = std::min(static_cast<std::int64_t>(place), side - 1);
      const std::size_t low_index = add(low), high_index = add(std::min(low + 1, side - 1));
      samples.push_back({low_index, high_index, std::clamp(place - static_cast<float>(low), 0.f, 1.f)});
    }
  }
};

/// Where a pixel lies in its cell, 0 to 1, and the weight of the cell's nearer edge.
struct Place {
  std::int64_t cell;
  float t, weight;
};

std::vector<Place> places(const Axis& axis, std::int64_t cell_size) {
  std::vector<Place> result;
  for (const std::int64_t pixel : axis.pixels) {
    const float t = static_cast<float>(pixel % cell_size) / static_cast<float>(cell_size);
    result.push_back({pixel / cell_size, t, 1 - (3 * (t * t) - 2 * (t * t * t))});
  }
  return result;
}

/// Adds amplitude·octave at the pixels of the two axes.
void add_octave(std::vector<float>& noise, const std::vector<Place>& rows, const std::vector<Place>& columns,
                const at::Tensor& gradients, float amplitude) {
  const auto down = gradients.accessor<float, 3>()[0], across = gradients.accessor<float, 3>()[1];
  at::parallel_for(0, static_cast<std::int64_t>(rows.size()), 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const Place& row = rows[static_cast<std::size_t>(r)];
      const std::int64_t i = row.cell;
      const float x = row.t, wx = row.weight;
      float* out = noise.data() + static_cast<std::size_t>(r) * columns.size();
      for (const Place& column : columns) {
        const std::int64_t j = column.cell;
        const float y = column.t, wy = column.weight;
        float dots = wx * wy * (down[i][j] * x + across[i][j] * y);
        dots += (1 - wx) * wy * (-down[i + 1][j] * (1 - x) + across[i + 1][j] * y);
        dots += wx * (1 - wy) * (down[i][j + 1] * x - across[i][j + 1] * (1 - y));
        dots += (1 - wx) * (1 - wy) * (-down[i + 1][j + 1] * (1 - x) - across[i + 1][j + 1] * (1 - y));
        *out++ += dots * amplitude;
      }
    }
  });
}

using Plane = std::vector<std::uint8_t>;

Plane shrink(const std::vector<float>& noise, const Axis& rows, const Axis& columns) {
  Plane plane;
  plane.reserve(rows.samples.size() * columns.samples.size());
  for (const Axis::Sample& row : rows.samples) {
    const float* above = noise.data() + row.low * columns.pixels.size();
    const float* below = noise.data() + row.high * columns.pixels.size();
    for (const Axis::Sample& column : columns.samples) {
      const float left = 1 - column.share, right = column.share;
      const float value = (1 - row.share) * (left * above[column.low] + right * above[column.high]) +
                          row.share * (left * below[column.low] + right * below[column.high]);
      plane.push_back(static_cast<std::uint8_t>(std::clamp(value, 0.f, 1.f) * 255));
    }
  }
  return plane;
}

/// PIL's autocontrast: the darkest level becomes 0 and the lightest 255.
void stretch(Plane& plane) {
  const auto [lowest, highest] = std::minmax_element(plane.begin(), plane.end());
  const int low = *lowest, high = *highest;
  if (low == high) return;
  const double scale = 255.0 / (high - low), offset = -low * scale;
  std::array<std::uint8_t, 256> levels{};
  for (int level = low; level <= high; ++level) {
    levels[static_cast<std::size_t>(level)] = static_cast<std::uint8_t>(std::clamp(level * scale + offset, 0.0, 255.0));
  }
  for (std::uint8_t& sample : plane) sample = levels[sample];
}

/// (1 or 3,H,W) in [0,1].
at::Tensor noise_picture(std::int64_t width, std::int64_t height, Octaves octaves, bool coloured,
                         RandomStream& stream) {
  const Axis rows(octaves.side(), height), columns(octaves.side(), width);
  at::Tensor picture = at::empty({coloured ? 3 : 1, height, width}, at::kByte);
  auto* out = picture.mutable_data_ptr<std::uint8_t>();
  for (std::int64_t channel = 0; channel < picture.size(0); ++channel) {
    std::vector<float> noise(rows.pixels.size() * columns.pixels.size(), .5f);
    for (int octave = 0; octave < octaves.count; ++octave) {
      const std::int64_t cells = octaves.cells << octave, cell_size = octaves.side() / cells;
      const auto amplitude = static_cast<float>(std::pow(1.5, -octave) * .5);
      add_octave(noise, places(rows, cell_size), places(columns, cell_size), stream.randn({2, cells + 1, cells + 1}),
                 amplitude);
    }
    Plane plane = shrink(noise, rows, columns);
    stretch(plane);
    out = std::copy(plane.begin(), plane.end(), out);
  }
  return picture.to(at::kFloat).div_(255);
}

}  // namespace

at::Tensor perlin_init(std::int64_t width, std::int64_t height, const std::string& mode, RandomStream& stream) {
  if (mode != "mixed" && mode != "color" && mode != "gray") {
    throw RequestError("\"" + mode + "\" is no kind of Perlin noise", "perlin_mode", "use mixed, color or gray");
  }
  if (width < 1 || height < 1) throw Error("Perlin noise was asked for with an empty size");
  const at::Tensor broad = noise_picture(width, height, {.count = 12, .cells = 1}, mode != "gray", stream);
  const at::Tensor fine = noise_picture(width, height, {.count = 8, .cells = 4}, mode == "color", stream);
  return (broad + fine).div_(2).expand({3, height, width}).unsqueeze(0).mul(2).sub_(1);
}

}  // namespace disco
