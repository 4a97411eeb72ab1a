// Group norm, modulation and SiLU: sums over pieces of the picture, their total, and one pass for the rest.
#include <algorithm>

#include "cuda/launch.h"
#include "cuda/vectors.cuh"

namespace disco::launch {
namespace {

constexpr int groups = NormPictures::groups;
constexpr float epsilon = 1e-5f;
constexpr int threads = 256;
/// Floats of shared memory for one of the two sums: a block holds both for each of its rows of threads.
constexpr int shared_channels = most_norm_channels;

/// Threads side by side take vectors of channels, rows of threads take rows of the picture.
struct Block {
  int across, down;
  explicit Block(int channels, int vector)
      : across(std::min(channels / vector, threads / 2)),
        down(std::max(1, std::min(threads / across, shared_channels / channels))) {}
};

template <typename T>
struct Gradients {
  const T* by_y;
  const float *scale, *shift;
  const float2* to_unit;
  bool silu;
};

/// The gradient by z from that by y.
__device__ float through_silu(float z, float by_y) {
  const float s = 1 / (1 + expf(-z));
  return by_y * s * (1 + z * (1 - s));
}

/// Sums of each group over a piece of a picture: of (x − pivot) and its square, or of g·scale and g·scale·u. A pivot of
/// the group's own keeps a mean that is large beside the spread from leaving nothing of it.
template <typename T, bool backward>
__global__ void group_sums(NormPictures shape, const T* x, const T* before, Gradients<T> gradients, float2* partials) {
  extern __shared__ float shared[];
  constexpr int width = vector_width<T>;
  const int channels = shape.channels, of_group = channels / groups;
  float *first = shared + threadIdx.y * channels, *second = shared + (blockDim.y + threadIdx.y) * channels;
  const std::int64_t picture = blockIdx.y, chunk = blockIdx.x;
  const std::int64_t each = (shape.rows + shape.chunks - 1) / shape.chunks;
  const std::int64_t begin = chunk * each, end = min(begin + each, shape.rows);
  const T* from = x + picture * shape.rows * channels;
  for (int c = threadIdx.x * width; c < channels; c += blockDim.x * width) {
    float one[width] = {}, two[width] = {};
    float pivot[width], scale[width], shift[width], unit[width], zero[width];
    for (int k = 0; k < width; ++k) {
      const int group = (c + k) / of_group;
      if (backward) {
        scale[k] = gradients.scale[picture * channels + c + k];
        shift[k] = gradients.shift[picture * channels + c + k];
        const float2 to_unit = gradients.to_unit[picture * groups + group];
        unit[k] = to_unit.x;
        zero[k] = to_unit.y;
      } else {
        // What is added before is taken off the pivot in place of being added to each value.
        pivot[k] = to_float(from[group * of_group]);
        if (before != nullptr) pivot[k] += to_float(before[group * of_group]) - to_float(before[c + k]);
      }
    }
    for (std::int64_t row = begin + threadIdx.y; row < end; row += blockDim.y) {
      const std::int64_t at = row * channels + c;
      const Floats<T> values = load(from + at);
      Floats<T> slopes;
      if (backward) slopes = load(gradients.by_y + picture * shape.rows * channels + at);
      for (int k = 0; k < width; ++k) {
        if (backward) {
          float g = slopes.value[k];
          if (gradients.silu) g = through_silu(values.value[k] * scale[k] + shift[k], g);
          g *= scale[k];
          one[k] += g;
          two[k] += g * (values.value[k] * unit[k] + zero[k]);
        } else {
          const float away = values.value[k] - pivot[k];
          one[k] += away;
          two[k] += away * away;
        }
      }
    }
    for (int k = 0; k < width; ++k) {
      first[c + k] = one[k];
      second[c + k] = two[k];
    }
  }
  __syncthreads();
  // A thread for each group and sum, in a fixed order.
  const int thread = threadIdx.y * blockDim.x + threadIdx.x;
  for (int group = thread; group < groups; group += blockDim.x * blockDim.y) {
    float2 total = {0, 0};
    for (int row = 0; row < blockDim.y; ++row) {
      for (int k = 0; k < of_group; ++k) {
        total.x += shared[row * channels + group * of_group + k];
        total.y += shared[(blockDim.y + row) * channels + group * of_group + k];
      }
    }
    partials[(picture * shape.chunks + chunk) * groups + group] = total;
  }
}

/// The sum of a group's partials by one warp, in double precision; the same in all lanes.
__device__ double2 total_of(const NormPictures& shape, const float2* partials, std::int64_t picture, int group,
                            int lane) {
  double2 total = {0, 0};
  for (int chunk = lane; chunk < shape.chunks; chunk += 32) {
    const float2 part = partials[(picture * shape.chunks + chunk) * groups + group];
    total.x += part.x;
    total.y += part.y;
  }
  for (int step = 16; step > 0; step /= 2) {
    total.x += __shfl_xor_sync(~0u, total.x, step);
    total.y += __shfl_xor_sync(~0u, total.y, step);
  }
  return total;
}

/// One block a picture, one warp a group.
template <typename T>
__global__ void norm_of_sums(NormPictures shape, const T* x, Modulation<T> modulation, NormNumbers numbers) {
  const std::int64_t picture = blockIdx.x;
  const int group = threadIdx.x / 32, lane = threadIdx.x % 32, of_group = shape.channels / groups;
  const double2 total = total_of(shape, numbers.partials, picture, group, lane);
  const double count = static_cast<double>(shape.group_values());
  const T* before = modulation.before;
  double pivot = to_float(x[picture * shape.rows * shape.channels + group * of_group]);
  if (before != nullptr) pivot += to_float(before[group * of_group]);
  const double mean = pivot + total.x / count;
  const double variance = fmax(0.0, (total.y - total.x * total.x / count) / count);
  const double unit = 1 / sqrt(variance + static_cast<double>(epsilon));
  if (lane == 0)
    numbers.to_unit[picture * groups + group] = {static_cast<float>(unit), static_cast<float>(-mean * unit)};
  for (int k = lane; k < of_group; k += 32) {
    const int c = group * of_group + k;
    const float gain = to_float(modulation.gain[picture * modulation.gain_stride + c]);
    const float shift = to_float(modulation.shift[picture * modulation.shift_stride + c]);
    numbers.scale[picture * shape.channels + c] = static_cast<float>(unit) * gain;
    const double added = before == nullptr ? 0 : to_float(before[c]);
    numbers.shift[picture * shape.channels + c] = static_cast<float>((added - mean) * unit) * gain + shift;
  }
}

/// by_x = g·scale − x·slope − offset, {slope, offset} of each group.
__global__ void slopes_of_sums(NormPictures shape, const float2* partials, const float2* to_unit, float2* slopes) {
  const std::int64_t picture = blockIdx.x;
  const int group = threadIdx.x / 32, lane = threadIdx.x % 32;
  const double2 total = total_of(shape, partials, picture, group, lane);
  if (lane != 0) return;
  const double count = static_cast<double>(shape.group_values());
  const double mean = total.x / count, along = total.y / count;
  const float2 unit = to_unit[picture * groups + group];
  slopes[picture * groups + group] = {static_cast<float>(along * unit.x), static_cast<float>(along * unit.y + mean)};
}

template <typename T>
__global__ void normalise(NormPictures shape, const T* x, const float* scale, const float* shift, bool silu, T* y) {
  constexpr int width = vector_width<T>;
  const std::int64_t picture = blockIdx.y, values = shape.rows * shape.channels;
  x += picture * values;
  y += picture * values;
  scale += picture * shape.channels;
  shift += picture * shape.channels;
  for (std::int64_t at = (blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x) * width; at < values;
       at += std::int64_t{gridDim.x} * blockDim.x * width) {
    const int c = static_cast<int>(at % shape.channels);
    Floats<T> v = load(x + at);
    for (int k = 0; k < width; ++k) {
      const float z = v.value[k] * scale[c + k] + shift[c + k];
      v.value[k] = silu ? z / (1 + expf(-z)) : z;
    }
    store(v, y + at);
  }
}

template <typename T>
__global__ void normalise_backward(NormPictures shape, const T* x, Gradients<T> gradients, const float2* slopes,
                                   T* by_x) {
  constexpr int width = vector_width<T>;
  const int channels = shape.channels, of_group = channels / groups;
  const std::int64_t picture = blockIdx.y, values = shape.rows * channels;
  const float *scale = gradients.scale + picture * channels, *shift = gradients.shift + picture * channels;
  for (std::int64_t at = (blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x) * width; at < values;
       at += std::int64_t{gridDim.x} * blockDim.x * width) {
    const int c = static_cast<int>(at % channels);
    const Floats<T> v = load(x + picture * values + at), by_y = load(gradients.by_y + picture * values + at);
    Floats<T> result;
    for (int k = 0; k < width; ++k) {
      float g = by_y.value[k];
      if (gradients.silu) g = through_silu(v.value[k] * scale[c + k] + shift[c + k], g);
      const float2 slope = slopes[picture * groups + (c + k) / of_group];
      result.value[k] = g * scale[c + k] - v.value[k] * slope.x - slope.y;
    }
    store(result, by_x + picture * values + at);
  }
}

template <typename T, bool backward>
void sum_groups(const NormPictures& shape, const T* x, const T* before, const Gradients<T>& gradients, float2* partials,
                cudaStream_t stream) {
  const Block block(shape.channels, vector_width<T>);
  const dim3 grid(shape.chunks, static_cast<unsigned>(shape.pictures)), size(block.across, block.down);
  const std::size_t shared = std::size_t{2} * block.down * shape.channels * sizeof(float);
  group_sums<T, backward><<<grid, size, shared, stream>>>(shape, x, before, gradients, partials);
}

dim3 elementwise_grid(const NormPictures& shape, int vector) {
  const std::int64_t vectors = shape.rows * shape.channels / vector, blocks = (vectors + threads - 1) / threads;
  return dim3(static_cast<unsigned>(std::min<std::int64_t>(blocks, 8192)), static_cast<unsigned>(shape.pictures));
}

}  // namespace

int norm_chunks(std::int64_t pictures, std::int64_t rows, int channels) {
  constexpr std::int64_t values_each = 1 << 14, most = 512;
  const std::int64_t wanted = (rows * channels + values_each - 1) / values_each;
  return static_cast<int>(
      std::clamp<std::int64_t>(std::min(wanted, rows), 1, std::max<std::int64_t>(1, most / pictures)));
}

template <typename T>
void group_norm(const NormPictures& shape, const T* x, const Modulation<T>& modulation, const NormNumbers& numbers,
                bool silu, T* y, cudaStream_t stream) {
  sum_groups<T, false>(shape, x, modulation.before, {}, numbers.partials, stream);
  norm_of_sums<<<static_cast<unsigned>(shape.pictures), groups * 32, 0, stream>>>(shape, x, modulation, numbers);
  normalise<<<elementwise_grid(shape, vector_width<T>), threads, 0, stream>>>(shape, x, numbers.scale, numbers.shift,
                                                                              silu, y);
}

template <typename T>
void group_norm_backward(const NormPictures& shape, const T* x, const T* by_y, const NormNumbers& numbers, bool silu,
                         float2* slopes, T* by_x, cudaStream_t stream) {
  const Gradients<T> gradients{by_y, numbers.scale, numbers.shift, numbers.to_unit, silu};
  sum_groups<T, true>(shape, x, nullptr, gradients, numbers.partials, stream);
  slopes_of_sums<<<static_cast<unsigned>(shape.pictures), groups * 32, 0, stream>>>(shape, numbers.partials,
                                                                                    numbers.to_unit, slopes);
  normalise_backward<<<elementwise_grid(shape, vector_width<T>), threads, 0, stream>>>(shape, x, gradients, slopes,
                                                                                       by_x);
}

#define DISCO_GROUP_NORM(T)                                                                                         \
  template void group_norm(const NormPictures&, const T*, const Modulation<T>&, const NormNumbers&, bool, T*,       \
                           cudaStream_t);                                                                           \
  template void group_norm_backward(const NormPictures&, const T*, const T*, const NormNumbers&, bool, float2*, T*, \
                                    cudaStream_t);
DISCO_GROUP_NORM(float)
DISCO_GROUP_NORM(__half)

}  // namespace disco::launch
