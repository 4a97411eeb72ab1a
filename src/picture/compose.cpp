#include "picture/compose.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "picture/codec.h"

namespace disco {
namespace {

std::uint8_t grey_of(const std::uint8_t* rgb) {
  // The weights in 1/65536, as PIL's convert("L").
  return static_cast<std::uint8_t>((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16);
}

/// Draws one pixel of `from_channels` over one of `channels`.
void draw_pixel(const std::uint8_t* from, int from_channels, std::uint8_t* to, int channels) {
  const int alpha = from_channels == 4 ? from[3] : 255;
  const std::array<std::uint8_t, 3> colour =
      from_channels == 1 ? std::array{from[0], from[0], from[0]} : std::array{from[0], from[1], from[2]};
  if (channels == 4) {
    std::copy(colour.begin(), colour.end(), to);
    to[3] = static_cast<std::uint8_t>(alpha);
    return;
  }
  const std::uint8_t grey = from_channels == 1 ? from[0] : grey_of(colour.data());
  for (int c = 0; c < channels; ++c) {
    const int value = channels == 1 ? grey : colour[static_cast<std::size_t>(c)];
    to[c] = static_cast<std::uint8_t>((value * alpha + to[c] * (255 - alpha) + 127) / 255);
  }
}

/// The old pixels under a new one along one axis, with the share of each that is covered.
struct Coverage {
  int first = 0;
  std::vector<double> shares;  ///< They sum to 1.
};

std::vector<Coverage> coverage(int from, int to) {
  std::vector<Coverage> axis(static_cast<std::size_t>(to));
  // In units of 1/to of an old pixel everything is whole: new pixel k covers [k·from, (k+1)·from).
  for (int k = 0; k < to; ++k) {
    const std::int64_t start = std::int64_t{k} * from, end = start + from;
    Coverage& here = axis[static_cast<std::size_t>(k)];
    here.first = static_cast<int>(start / to);
    for (std::int64_t pixel = here.first; pixel * to < end; ++pixel) {
      const std::int64_t covered = std::min(end, (pixel + 1) * to) - std::max(start, pixel * to);
      here.shares.push_back(static_cast<double>(covered) / from);
    }
  }
  return axis;
}

/// One axis of the box filter. `stride` and `outer` describe the samples: `outer` runs of `from`·`stride` numbers.
std::vector<float> average(const std::vector<float>& samples, std::size_t outer, int from, int to, std::size_t stride) {
  const std::vector<Coverage> axis = coverage(from, to);
  std::vector<float> result(outer * static_cast<std::size_t>(to) * stride);
  float* out = result.data();
  for (std::size_t run = 0; run < outer; ++run) {
    const float* in = samples.data() + run * static_cast<std::size_t>(from) * stride;
    for (const Coverage& cell : axis) {
      for (std::size_t s = 0; s < stride; ++s) {
        double sum = 0;
        const float* at = in + static_cast<std::size_t>(cell.first) * stride + s;
        for (const double share : cell.shares) {
          sum += share * *at;
          at += stride;
        }
        *out++ = static_cast<float>(sum);
      }
    }
  }
  return result;
}

void check_sheet(std::int64_t width, std::int64_t height) {
  constexpr auto most_samples = static_cast<std::int64_t>(codec::most_samples);
  if (width < 1 || height < 1 || width > codec::largest_side || height > codec::largest_side ||
      width * height * 3 > most_samples) {
    throw Error(fmt::format("a sheet of {}×{} pixels cannot be made", width, height), {},
                "use fewer or smaller pictures");
  }
}

}  // namespace

Picture filled(int width, int height, Rgb colour) {
  Picture picture(width, height, 3);
  for (std::size_t k = 0; k < picture.samples.size(); ++k) picture.samples[k] = colour[k % 3];
  return picture;
}

void paste(Picture& onto, const Picture& picture, int x, int y) {
  const std::int64_t left = std::max<std::int64_t>(0, -std::int64_t{x}),
                     top = std::max<std::int64_t>(0, -std::int64_t{y});
  const std::int64_t right = std::min<std::int64_t>(picture.width, std::int64_t{onto.width} - x);
  const std::int64_t bottom = std::min<std::int64_t>(picture.height, std::int64_t{onto.height} - y);
  for (std::int64_t row = top; row < bottom; ++row) {
    for (std::int64_t column = left; column < right; ++column) {
      const std::int64_t from = (row * picture.width + column) * picture.channels;
      const std::int64_t to = ((y + row) * onto.width + x + column) * onto.channels;
      draw_pixel(picture.samples.data() + from, picture.channels, onto.samples.data() + to, onto.channels);
    }
  }
}

GridLayout lay_out_grid(int count, int cell_width, int cell_height, const GridOptions& options) {
  if (count < 1) throw Error("there are no pictures to lay out");
  GridLayout layout;
  const int square = static_cast<int>(std::ceil(std::sqrt(static_cast<double>(count))));
  layout.columns = std::min(count, options.columns > 0 ? options.columns : square);
  layout.rows = (count + layout.columns - 1) / layout.columns;
  const std::int64_t step_x = std::int64_t{cell_width} + options.margin;
  const std::int64_t step_y = std::int64_t{cell_height} + options.label_height + options.margin;
  const std::int64_t left = std::int64_t{options.side_width} + options.margin;
  const std::int64_t top = std::int64_t{options.header_height} + options.margin;
  check_sheet(left + layout.columns * step_x, top + layout.rows * step_y);
  layout.width = static_cast<int>(left + layout.columns * step_x);
  layout.height = static_cast<int>(top + layout.rows * step_y);
  for (int k = 0; k < count; ++k) {
    const Rectangle cell{static_cast<int>(left + k % layout.columns * step_x),
                         static_cast<int>(top + k / layout.columns * step_y), cell_width, cell_height};
    layout.cells.push_back(cell);
    layout.labels.push_back({cell.x, cell.y + cell_height, cell_width, options.label_height});
  }
  return layout;
}

Picture compose_grid(std::span<const Picture> pictures, const GridOptions& options) {
  int width = 0, height = 0;
  for (const Picture& picture : pictures) {
    width = std::max(width, picture.width);
    height = std::max(height, picture.height);
  }
  const GridLayout layout = lay_out_grid(static_cast<int>(pictures.size()), width, height, options);
  Picture sheet = filled(layout.width, layout.height, options.background);
  for (std::size_t k = 0; k < pictures.size(); ++k) {
    const Rectangle& cell = layout.cells[k];
    paste(sheet, pictures[k], cell.x + (width - pictures[k].width) / 2, cell.y + (height - pictures[k].height) / 2);
  }
  return sheet;
}

Picture resize_box(const Picture& picture, int width, int height) {
  check_sheet(width, height);
  if (picture.samples.empty()) throw Error("a picture without pixels cannot be resized");
  const auto channels = static_cast<std::size_t>(picture.channels);
  std::vector<float> samples(picture.samples.begin(), picture.samples.end());
  if (channels == 4) {
    for (std::size_t k = 0; k < samples.size(); k += 4) {
      for (std::size_t c = 0; c < 3; ++c) samples[k + c] *= samples[k + 3] / 255;
    }
  }
  samples = average(samples, static_cast<std::size_t>(picture.height), picture.width, width, channels);
  samples = average(samples, 1, picture.height, height, static_cast<std::size_t>(width) * channels);
  Picture resized(width, height, picture.channels);
  for (std::size_t k = 0; k < samples.size(); ++k) {
    const float alpha = channels == 4 ? samples[k - k % 4 + 3] / 255 : 1;
    const float value = k % channels == 3 || alpha == 0 ? samples[k] : samples[k] / alpha;
    resized.samples[k] = static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L));
  }
  return resized;
}

Picture thumbnail(const Picture& picture, int side) {
  if (picture.width <= side && picture.height <= side) return picture;
  const double scale = static_cast<double>(side) / std::max(picture.width, picture.height);
  const auto scaled = [&](int length) { return std::max(1, static_cast<int>(std::lround(length * scale))); };
  return resize_box(picture, scaled(picture.width), scaled(picture.height));
}

}  // namespace disco
