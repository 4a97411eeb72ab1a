// PIL's Lanczos resize. The filter is the windowed sinc of Lanczos (1956) with three lobes; each axis is one pass over
// 8-bit samples with fixed-point weights, and the rounding between the passes is part of the result.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "tensor/picture_tensor.h"

namespace disco {
namespace {

constexpr double lobes = 3;
constexpr int weight_bits = 22;

double sinc(double x) { return x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x); }

double lanczos(double x) { return -lobes <= x && x < lobes ? sinc(x) * sinc(x / lobes) : 0; }

/// The weights of one output sample: input samples first, first + 1, …
struct Taps {
  int first;
  std::vector<std::int32_t> weights;
};

std::vector<Taps> taps_of_axis(int in, int out) {
  const double scale = static_cast<double>(in) / out;
  const double stretch = std::max(scale, 1.0);
  const double support = lobes * stretch;
  std::vector<Taps> taps;
  taps.reserve(static_cast<std::size_t>(out));
  for (int j = 0; j < out; ++j) {
    const double centre = (j + 0.5) * scale;
    // NOLINTBEGIN(bugprone-incorrect-roundings): as Pillow rounds, and no coordinate is negative where it matters.
    const int first = std::max(0, static_cast<int>(centre - support + 0.5));
    const int end = std::min(in, static_cast<int>(centre + support + 0.5));
    // NOLINTEND(bugprone-incorrect-roundings)
    std::vector<double> weights;
    double sum = 0;
    for (int i = first; i < end; ++i) {
      weights.push_back(lanczos((i - centre + 0.5) * (1 / stretch)));
      sum += weights.back();
    }
    Taps& result = taps.emplace_back(Taps{first, {}});
    for (const double weight : weights) {
      const double fixed = (sum != 0 ? weight / sum : weight) * (1 << weight_bits);
      result.weights.push_back(static_cast<std::int32_t>(fixed < 0 ? fixed - 0.5 : fixed + 0.5));
    }
  }
  return taps;
}

std::uint8_t to_sample(std::int32_t sum) { return static_cast<std::uint8_t>(std::clamp(sum >> weight_bits, 0, 255)); }

constexpr std::int32_t half = 1 << (weight_bits - 1);

Picture resize_rows(const Picture& picture, int width) {
  const std::vector<Taps> taps = taps_of_axis(picture.width, width);
  Picture result(width, picture.height, picture.channels);
  const auto channels = static_cast<std::size_t>(picture.channels);
  const auto in_stride = static_cast<std::size_t>(picture.width) * channels;
  std::uint8_t* out = result.samples.data();
  for (int y = 0; y < picture.height; ++y) {
    const std::uint8_t* row = picture.samples.data() + static_cast<std::size_t>(y) * in_stride;
    for (const Taps& tap : taps) {
      for (std::size_t c = 0; c < channels; ++c) {
        std::int32_t sum = half;
        const std::uint8_t* in = row + static_cast<std::size_t>(tap.first) * channels + c;
        for (const std::int32_t weight : tap.weights) {
          sum += *in * weight;
          in += channels;
        }
        *out++ = to_sample(sum);
      }
    }
  }
  return result;
}

Picture resize_columns(const Picture& picture, int height) {
  const std::vector<Taps> taps = taps_of_axis(picture.height, height);
  Picture result(picture.width, height, picture.channels);
  const std::size_t stride = static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.channels);
  std::vector<std::int32_t> sums(stride);
  std::uint8_t* out = result.samples.data();
  for (const Taps& tap : taps) {
    std::fill(sums.begin(), sums.end(), half);
    const std::uint8_t* in = picture.samples.data() + static_cast<std::size_t>(tap.first) * stride;
    for (const std::int32_t weight : tap.weights) {
      for (std::size_t i = 0; i < stride; ++i) sums[i] += in[i] * weight;
      in += stride;
    }
    out = std::transform(sums.begin(), sums.end(), out, to_sample);
  }
  return result;
}

constexpr int opaque = 255;

void premultiply(Picture& picture) {
  for (std::size_t i = 0; i + 3 < picture.samples.size(); i += 4) {
    for (std::size_t c = i; c < i + 3; ++c) {
      const unsigned product = 128u + picture.samples[c] * static_cast<unsigned>(picture.samples[i + 3]);
      picture.samples[c] = static_cast<std::uint8_t>(((product >> 8) + product) >> 8);
    }
  }
}

void undo_premultiply(Picture& picture) {
  for (std::size_t i = 0; i + 3 < picture.samples.size(); i += 4) {
    const int alpha = picture.samples[i + 3];
    if (alpha == 0 || alpha == opaque) continue;
    for (std::size_t c = i; c < i + 3; ++c) {
      picture.samples[c] = static_cast<std::uint8_t>(std::min(opaque, opaque * picture.samples[c] / alpha));
    }
  }
}

}  // namespace

Picture resize_lanczos(const Picture& picture, int width, int height) {
  if (width < 1 || height < 1 || picture.width < 1 || picture.height < 1) {
    throw Error("a picture cannot be resized from or to nothing", {}, "give both sides at least one pixel");
  }
  if (width == picture.width && height == picture.height) return picture;
  const bool has_alpha = picture.channels == 4;
  Picture result = picture;
  if (has_alpha) premultiply(result);
  if (width != picture.width) result = resize_rows(result, width);
  if (height != picture.height) result = resize_columns(result, height);
  if (has_alpha) undo_premultiply(result);
  return result;
}

}  // namespace disco
