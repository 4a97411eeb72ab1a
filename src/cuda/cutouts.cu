// Cutouts: resizes, warps, noise and colours. Gradients are gathered: each value sums what it went into, in one order.
#include <algorithm>

#include "cuda/launch.h"

namespace disco::launch {
namespace {

using pixel::Rgb;

constexpr int threads = 256;

unsigned blocks_for(std::int64_t count) { return static_cast<unsigned>((count + threads - 1) / threads); }

__device__ Rgb load_rgb(const float* from, std::int64_t plane) { return {from[0], from[plane], from[2 * plane]}; }
__device__ void store_rgb(Rgb value, float* to, std::int64_t plane) {
  to[0] = value.r;
  to[plane] = value.g;
  to[2 * plane] = value.b;
}

// ---- Warps: a thread for each pixel of each cut ----

__global__ void warp_kernel(Cuts cuts, const float* x, const float* noise, float strength, CutMap map, CutWarp kind,
                            float* y) {
  const std::int64_t plane = cuts.plane(), i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x;
  if (i >= plane) return;
  const int width = cuts.width, height = cuts.height;
  const PixelPlace place = mapped(map.to_source, static_cast<float>(i % width), static_cast<float>(i / width));
  const std::int64_t cut = blockIdx.y * 3 * plane;
  // A place that is no number, or far outside, has no pixels.
  const bool near = place.x > -2 && place.y > -2 && place.x < width + 1 && place.y < height + 1;
  Rgb sum = {0, 0, 0};
  if (near) {
    const int first_column = static_cast<int>(kind.nearest ? nearbyintf(place.x) : floorf(place.x));
    const int first_row = static_cast<int>(kind.nearest ? nearbyintf(place.y) : floorf(place.y));
    const int taps = kind.nearest ? 1 : 2;
    for (int row = first_row; row < first_row + taps; ++row) {
      for (int column = first_column; column < first_column + taps; ++column) {
        if (column < 0 || row < 0 || column >= width || row >= height) continue;
        const std::int64_t from = cut + std::int64_t{row} * width;
        const Rgb value = load_rgb(x + from + (kind.mirrored ? width - 1 - column : column), plane) +
                          load_rgb(noise + from + column, plane) * strength;
        sum = sum + value * tap_weight(place, column, row, kind.nearest);
      }
    }
    if (kind.fade_twice && !kind.nearest) sum = sum * share_inside(place, width, height);
  }
  store_rgb(sum, y + cut + i, plane);
}

__global__ void warp_backward_kernel(Cuts cuts, const float* by_y, CutMap map, CutWarp kind, float* by_x) {
  const std::int64_t plane = cuts.plane(), i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x;
  if (i >= plane) return;
  const int width = cuts.width, height = cuts.height;
  const int column = static_cast<int>(i % width), row = static_cast<int>(i / width);
  const std::int64_t cut = blockIdx.y * 3 * plane;
  const Reach reach = reach_of(map, column, row, width, height);
  Rgb sum = {0, 0, 0};
  for (int to_row = reach.top; to_row <= reach.bottom; ++to_row) {
    for (int to_column = reach.left; to_column <= reach.right; ++to_column) {
      const PixelPlace place = mapped(map.to_source, static_cast<float>(to_column), static_cast<float>(to_row));
      float weight = tap_weight(place, column, row, kind.nearest);
      if (weight == 0) continue;
      if (kind.fade_twice && !kind.nearest) weight *= share_inside(place, width, height);
      sum = sum + load_rgb(by_y + cut + std::int64_t{to_row} * width + to_column, plane) * weight;
    }
  }
  store_rgb(sum, by_x + cut + std::int64_t{row} * width + (kind.mirrored ? width - 1 - column : column), plane);
}

// ---- Colours ----

constexpr int pixels_a_block = 2048;

/// The sum over a block's threads, in thread 0.
__device__ float block_sum(float value) {
  __shared__ float values[threads];
  values[threadIdx.x] = value;
  for (int step = threads / 2; step > 0; step /= 2) {
    __syncthreads();
    if (threadIdx.x < step) values[threadIdx.x] += values[threadIdx.x + step];
  }
  return values[0];
}

/// The cut's sums, added up in their order, over its pixels: in every thread.
__device__ float mean_of(const float* sums, int count, std::int64_t plane) {
  __shared__ float mean;
  if (threadIdx.x == 0) {
    double total = 0;
    for (int k = 0; k < count; ++k) total += sums[k];
    mean = static_cast<float>(total / static_cast<double>(plane));
  }
  __syncthreads();
  return mean;
}

/// Calls work(place in the cut) for the pixels of a block.
template <typename Work>
__device__ void over_pixels(std::int64_t plane, const Work& work) {
  const std::int64_t end = min(plane, (blockIdx.x + std::int64_t{1}) * pixels_a_block);
  for (std::int64_t i = blockIdx.x * std::int64_t{pixels_a_block} + threadIdx.x; i < end; i += threads) work(i);
}

__global__ void noises_kernel(Cuts cuts, const float* x, const float* first, const float* second, ColourWork work,
                              float* sums, float* seen) {
  const std::int64_t plane = cuts.plane(), cut = blockIdx.y * 3 * plane;
  float sum = 0;
  over_pixels(plane, [&](std::int64_t i) {
    Rgb value = load_rgb(x + cut + i, plane) + load_rgb(first + cut + i, plane) * work.strength;
    if (work.grey) {
      const float shade = pixel::grey_of(value);
      value = {shade, shade, shade};
    }
    value = value + load_rgb(second + cut + i, plane) * work.strength;
    store_rgb(value, seen + cut + i, plane);
    if (work.jitters) sum += pixel::grey_before_contrast(work.steps, value);
  });
  if (!work.jitters) return;
  sum = block_sum(sum);
  if (threadIdx.x == 0) sums[blockIdx.y * std::int64_t{gridDim.x} + blockIdx.x] = sum;
}

__global__ void steps_kernel(Cuts cuts, const float* seen, ColourWork work, const float* sums, float* means, float* y) {
  const std::int64_t plane = cuts.plane(), cut = blockIdx.y * 3 * plane;
  const float mean = mean_of(sums + blockIdx.y * std::int64_t{gridDim.x}, gridDim.x, plane);
  if (blockIdx.x == 0 && threadIdx.x == 0) means[blockIdx.y] = mean;
  over_pixels(plane, [&](std::int64_t i) {
    store_rgb(pixel::apply_all(work.steps, load_rgb(seen + cut + i, plane), mean), y + cut + i, plane);
  });
}

__global__ void by_mean_kernel(Cuts cuts, const float* seen, const float* means, const float* by_y, ColourWork work,
                               float* sums) {
  const std::int64_t plane = cuts.plane(), cut = blockIdx.y * 3 * plane;
  float sum = 0;
  over_pixels(plane, [&](std::int64_t i) {
    sum += pixel::by_mean_grey(work.steps, load_rgb(seen + cut + i, plane), means[blockIdx.y],
                               load_rgb(by_y + cut + i, plane));
  });
  sum = block_sum(sum);
  if (threadIdx.x == 0) sums[blockIdx.y * std::int64_t{gridDim.x} + blockIdx.x] = sum;
}

__global__ void colours_backward_kernel(Cuts cuts, const float* seen, const float* means, const float* by_y,
                                        ColourWork work, const float* sums, float* by_x) {
  const std::int64_t plane = cuts.plane(), cut = blockIdx.y * 3 * plane;
  const bool joined = work.jitters && work.steps.contrast < pixel::Steps::count;
  const float by_mean = joined ? mean_of(sums + blockIdx.y * std::int64_t{gridDim.x}, gridDim.x, plane) : 0;
  over_pixels(plane, [&](std::int64_t i) {
    Rgb slope = load_rgb(by_y + cut + i, plane);
    if (work.jitters) {
      slope = pixel::apply_all_backward(work.steps, load_rgb(seen + cut + i, plane), means[blockIdx.y], by_mean, slope);
    }
    if (work.grey) slope = pixel::from_grey(pixel::sum(slope));
    store_rgb(slope, by_x + cut + i, plane);
  });
}

dim3 colour_grid(const Cuts& cuts) {
  return dim3(static_cast<unsigned>(colour_sums(cuts)), static_cast<unsigned>(cuts.count));
}

// ---- Resizes, as resize_right() ----

/// Keys' cubic with a = −1/2.
__device__ double cubic(double x) {
  const double d = fabs(x);
  if (d <= 1) return (1.5 * d - 2.5) * d * d + 1;
  if (d <= 2) return ((-0.5 * d + 2.5) * d - 4) * d + 2;
  return 0;
}

/// Along one axis: value j of `size` lies at j·ratio + start among the pixels, and reaches so far.
struct Axis {
  double ratio, start, reach, sharpness;
};
__device__ Axis axis_of(int side, int size) {
  Axis axis;
  axis.ratio = static_cast<double>(side) / size;
  axis.start = (side - 1) / 2.0 - (size - 1) * axis.ratio / 2;
  axis.sharpness = fmin(1 / axis.ratio, 1.0);
  axis.reach = 2 / axis.sharpness;
  return axis;
}

__global__ void tables_kernel(Resizes resizes, const CutSquare* squares, ResizeTables tables) {
  const std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x;
  if (i >= resizes.count * resizes.size) return;
  const Axis axis = axis_of(squares[i / resizes.size].side, resizes.size);
  const double centre = static_cast<double>(i % resizes.size) * axis.ratio + axis.start;
  const int first = static_cast<int>(ceil(centre - axis.reach)), last = static_cast<int>(floor(centre + axis.reach));
  double sum = 0;
  for (int k = first; k <= last; ++k) sum += cubic(axis.sharpness * (centre - k));
  tables.first[i] = first;
  for (int tap = 0; tap < resizes.taps; ++tap) {
    const int k = first + tap;
    tables.weights[i * resizes.taps + tap] =
        k <= last ? static_cast<float>(cubic(axis.sharpness * (centre - k)) / sum) : 0.f;
  }
}

__global__ void resize_kernel(Resizes resizes, const CutSquare* squares, ResizeTables tables, const float* picture,
                              float* cuts) {
  const int size = resizes.size, taps = resizes.taps;
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= size * size) return;
  const int row = i / size, column = i % size;
  const std::int64_t cut = blockIdx.y, own = std::int64_t{size} * size;
  const std::int64_t plane = std::int64_t{resizes.height} * resizes.width;
  const CutSquare square = squares[cut];
  const float *down = tables.weights + (cut * size + row) * taps,
              *across = tables.weights + (cut * size + column) * taps;
  const int top = tables.first[cut * size + row], left = tables.first[cut * size + column];
  Rgb sum = {0, 0, 0};
  for (int r = 0; r < taps; ++r) {
    // Pixels outside the square count as black, also where the picture goes on.
    const int in_square = top + r, from_row = square.y + in_square;
    if (in_square < 0 || in_square >= square.side || from_row < 0 || from_row >= resizes.height) continue;
    Rgb line = {0, 0, 0};
    for (int k = 0; k < taps; ++k) {
      const int along = left + k, from_column = square.x + along;
      if (along < 0 || along >= square.side || from_column < 0 || from_column >= resizes.width) continue;
      line = line + load_rgb(picture + std::int64_t{from_row} * resizes.width + from_column, plane) * across[k];
    }
    sum = sum + line * down[r];
  }
  if (square.flags & CutSquare::greyed) {
    const float shade = pixel::grey_of(sum);
    sum = {shade, shade, shade};
  }
  const int to_column = square.flags & CutSquare::mirrored ? size - 1 - column : column;
  store_rgb(sum, cuts + cut * 3 * own + std::int64_t{row} * size + to_column, own);
}

/// Values along an axis that may take pixel k of a square.
struct Span {
  int first, last;
};
__device__ Span values_at(const Axis& axis, int k, int size) {
  constexpr double rounding = .01;
  const double low = ceil((k - axis.reach - axis.start) / axis.ratio - rounding);
  const double high = floor((k + axis.reach - axis.start) / axis.ratio + rounding);
  return {max(static_cast<int>(low), 0), min(static_cast<int>(high), size - 1)};
}

__global__ void resize_backward_kernel(Resizes resizes, const CutSquare* squares, ResizeTables tables,
                                       const float* by_cuts, float* by_picture) {
  const int size = resizes.size, taps = resizes.taps;
  const std::int64_t plane = std::int64_t{resizes.height} * resizes.width, own = std::int64_t{size} * size;
  const std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x;
  if (i >= plane) return;
  const int row = static_cast<int>(i / resizes.width), column = static_cast<int>(i % resizes.width);
  Rgb total = {0, 0, 0};
  for (std::int64_t cut = 0; cut < resizes.count; ++cut) {
    const CutSquare square = squares[cut];
    const int down = row - square.y, along = column - square.x;
    if (down < 0 || along < 0 || down >= square.side || along >= square.side) continue;
    const Axis axis = axis_of(square.side, size);
    const Span rows = values_at(axis, down, size), columns = values_at(axis, along, size);
    Rgb sum = {0, 0, 0};
    for (int r = rows.first; r <= rows.last; ++r) {
      const int tap_down = down - tables.first[cut * size + r];
      if (tap_down < 0 || tap_down >= taps) continue;
      Rgb line = {0, 0, 0};
      for (int k = columns.first; k <= columns.last; ++k) {
        const int tap_along = along - tables.first[cut * size + k];
        if (tap_along < 0 || tap_along >= taps) continue;
        const int from = square.flags & CutSquare::mirrored ? size - 1 - k : k;
        line = line + load_rgb(by_cuts + cut * 3 * own + std::int64_t{r} * size + from, own) *
                          tables.weights[(cut * size + k) * taps + tap_along];
      }
      sum = sum + line * tables.weights[(cut * size + r) * taps + tap_down];
    }
    total = total + (square.flags & CutSquare::greyed ? pixel::from_grey(pixel::sum(sum)) : sum);
  }
  store_rgb(total, by_picture + i, plane);
}

}  // namespace

void cut_warp(const Cuts& cuts, const float* x, const float* noise, float strength, const CutMap& map, CutWarp kind,
              float* y, cudaStream_t stream) {
  const dim3 grid(blocks_for(cuts.plane()), static_cast<unsigned>(cuts.count));
  warp_kernel<<<grid, threads, 0, stream>>>(cuts, x, noise, strength, map, kind, y);
}

void cut_warp_backward(const Cuts& cuts, const float* by_y, const CutMap& map, CutWarp kind, float* by_x,
                       cudaStream_t stream) {
  const dim3 grid(blocks_for(cuts.plane()), static_cast<unsigned>(cuts.count));
  warp_backward_kernel<<<grid, threads, 0, stream>>>(cuts, by_y, map, kind, by_x);
}

int colour_sums(const Cuts& cuts) { return static_cast<int>((cuts.plane() + pixels_a_block - 1) / pixels_a_block); }

void cut_colours(const Cuts& cuts, const float* x, const float* first, const float* second, const ColourWork& work,
                 float* sums, float* seen, float* means, float* y, cudaStream_t stream) {
  noises_kernel<<<colour_grid(cuts), threads, 0, stream>>>(cuts, x, first, second, work, sums, seen);
  if (work.jitters) steps_kernel<<<colour_grid(cuts), threads, 0, stream>>>(cuts, seen, work, sums, means, y);
}

void cut_colours_backward(const Cuts& cuts, const float* seen, const float* means, const float* by_y,
                          const ColourWork& work, float* sums, float* by_x, cudaStream_t stream) {
  if (work.jitters && work.steps.contrast < pixel::Steps::count) {
    by_mean_kernel<<<colour_grid(cuts), threads, 0, stream>>>(cuts, seen, means, by_y, work, sums);
  }
  colours_backward_kernel<<<colour_grid(cuts), threads, 0, stream>>>(cuts, seen, means, by_y, work, sums, by_x);
}

void resize_tables(const Resizes& resizes, const CutSquare* squares, const ResizeTables& tables, cudaStream_t stream) {
  tables_kernel<<<blocks_for(resizes.count * resizes.size), threads, 0, stream>>>(resizes, squares, tables);
}

void resize_cuts(const Resizes& resizes, const CutSquare* squares, const ResizeTables& tables, const float* picture,
                 float* cuts, cudaStream_t stream) {
  const dim3 grid(blocks_for(std::int64_t{resizes.size} * resizes.size), static_cast<unsigned>(resizes.count));
  resize_kernel<<<grid, threads, 0, stream>>>(resizes, squares, tables, picture, cuts);
}

void resize_cuts_backward(const Resizes& resizes, const CutSquare* squares, const ResizeTables& tables,
                          const float* by_cuts, float* by_picture, cudaStream_t stream) {
  const std::int64_t plane = std::int64_t{resizes.height} * resizes.width;
  resize_backward_kernel<<<blocks_for(plane), threads, 0, stream>>>(resizes, squares, tables, by_cuts, by_picture);
}

}  // namespace disco::launch
