// Gates, sums, pictures of twice and half the size, and noise.
#include <algorithm>

#include "cuda/launch.h"
#include "cuda/vectors.cuh"
#include "tensor/philox.h"

namespace disco::launch {
namespace {

constexpr int threads = 256;

unsigned blocks_for(std::int64_t count) {
  return static_cast<unsigned>(std::clamp<std::int64_t>((count + threads - 1) / threads, 1, 1 << 16));
}

__device__ std::int64_t first_index() { return blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; }
__device__ std::int64_t index_step() { return std::int64_t{gridDim.x} * blockDim.x; }

/// Values of which the first `whole` are taken as vectors, and the rest one by one.
struct Values {
  std::int64_t count, whole;
};
template <typename T>
Values values_at(const T* first, const T* second, std::int64_t count) {
  const auto is_aligned = [](const T* at) { return reinterpret_cast<std::uintptr_t>(at) % 16 == 0; };
  return {count, is_aligned(first) && is_aligned(second) ? count - count % vector_width<T> : 0};
}

/// Calls vector(place) and single(place).
template <typename T, typename OfVector, typename OfSingle>
__device__ void over_values(Values values, const OfVector& vector, const OfSingle& single) {
  constexpr int width = vector_width<T>;
  for (std::int64_t i = first_index() * width; i < values.whole; i += index_step() * width) vector(i);
  for (std::int64_t i = values.whole + first_index(); i < values.count; i += index_step()) single(i);
}

__device__ float gated(float value, float steepness) { return value / (1 + expf(-steepness * value)); }
__device__ float gated_backward(float value, float by_y, float steepness) {
  const float s = 1 / (1 + expf(-steepness * value));
  return by_y * s * (1 + steepness * value * (1 - s));
}

template <typename T>
__global__ void gate_kernel(const T* x, Values all, float steepness, T* y) {
  over_values<T>(
      all,
      [&](std::int64_t i) {
        Floats<T> values = load(x + i);
        for (float& value : values.value) value = gated(value, steepness);
        store(values, y + i);
      },
      [&](std::int64_t i) { from_float(gated(to_float(x[i]), steepness), y[i]); });
}

template <typename T>
__global__ void gate_backward_kernel(const T* x, const T* by_y, Values all, float steepness, T* by_x) {
  over_values<T>(
      all,
      [&](std::int64_t i) {
        Floats<T> values = load(x + i);
        const Floats<T> slopes = load(by_y + i);
        for (int k = 0; k < vector_width<T>; ++k) {
          values.value[k] = gated_backward(values.value[k], slopes.value[k], steepness);
        }
        store(values, by_x + i);
      },
      [&](std::int64_t i) { from_float(gated_backward(to_float(x[i]), to_float(by_y[i]), steepness), by_x[i]); });
}

template <typename T>
__global__ void shifted_kernel(const T* x, std::int64_t count, int channels, const T* shift, const T* other, bool relu,
                               T* y) {
  constexpr int width = vector_width<T>;
  for (std::int64_t i = first_index() * width; i < count; i += index_step() * width) {
    Floats<T> sum = load(x + i);
    const Floats<T> shifts = load(shift + i % channels);
    Floats<T> more = {};
    if (other != nullptr) more = load(other + i);
    for (int k = 0; k < width; ++k) {
      const float value = sum.value[k] + shifts.value[k] + more.value[k];
      sum.value[k] = relu && value < 0 ? 0 : value;
    }
    store(sum, y + i);
  }
}

/// A pixel of the doubled picture lies a quarter of a pixel from the nearer of its two: their places and the weight of
/// the farther one. At the edge both are the same.
struct Between {
  std::int64_t near, far;
  float weight;
};
__device__ Between between(std::int64_t at, std::int64_t side) {
  const std::int64_t near = at / 2, far = at % 2 == 0 ? near - 1 : near + 1;
  return {near, min(max(far, std::int64_t{0}), side - 1), .25f};
}

template <typename T>
__global__ void doubled_kernel(DoubledPictures shape, const T* x, T* y) {
  constexpr int width = vector_width<T>;
  const std::int64_t vectors = shape.channels / width, columns = 2 * shape.width, rows = 2 * shape.height;
  for (std::int64_t i = first_index(); i < shape.pictures * rows * columns * vectors; i += index_step()) {
    const std::int64_t c = i % vectors * width, column = i / vectors % columns, row = i / vectors / columns % rows;
    const T* picture = x + i / vectors / columns / rows * shape.height * shape.width * shape.channels;
    const Between across = between(column, shape.width), down = between(row, shape.height);
    const auto at = [&](std::int64_t r, std::int64_t k) {
      return load(picture + (r * shape.width + k) * shape.channels + c);
    };
    const Floats<T> a = at(down.near, across.near), b = at(down.near, across.far), d = at(down.far, across.near),
                    e = at(down.far, across.far);
    Floats<T> result;
    for (int k = 0; k < width; ++k) {
      const float near = a.value[k] * (1 - across.weight) + b.value[k] * across.weight;
      const float far = d.value[k] * (1 - across.weight) + e.value[k] * across.weight;
      result.value[k] = near * (1 - down.weight) + far * down.weight;
    }
    store(result, y + i * width);
  }
}

/// The places of the doubled picture that pixel `at` goes into, with its weights there.
struct Uses {
  std::int64_t place[4];
  float weight[4];
};
__device__ Uses uses_of(std::int64_t at, std::int64_t side) {
  Uses uses;
  for (int k = 0; k < 4; ++k) {
    const std::int64_t place = 2 * at - 1 + k;
    uses.place[k] = min(max(place, std::int64_t{0}), 2 * side - 1);
    uses.weight[k] = 0;
    if (place < 0 || place >= 2 * side) continue;
    const Between from = between(place, side);
    uses.weight[k] = (from.near == at ? 1 - from.weight : 0) + (from.far == at ? from.weight : 0);
  }
  return uses;
}

template <typename T>
__global__ void doubled_backward_kernel(DoubledPictures shape, const T* by_y, T* by_x) {
  constexpr int width = vector_width<T>;
  const std::int64_t vectors = shape.channels / width, columns = shape.width, rows = shape.height;
  for (std::int64_t i = first_index(); i < shape.pictures * rows * columns * vectors; i += index_step()) {
    const std::int64_t c = i % vectors * width, column = i / vectors % columns, row = i / vectors / columns % rows;
    const T* picture = by_y + i / vectors / columns / rows * 4 * rows * columns * shape.channels;
    const Uses across = uses_of(column, columns), down = uses_of(row, rows);
    Floats<T> result = {};
    for (int r = 0; r < 4; ++r) {
      for (int k = 0; k < 4; ++k) {
        const float weight = down.weight[r] * across.weight[k];
        if (weight == 0) continue;
        const Floats<T> slope = load(picture + (down.place[r] * 2 * columns + across.place[k]) * shape.channels + c);
        for (int v = 0; v < width; ++v) result.value[v] += slope.value[v] * weight;
      }
    }
    store(result, by_x + i * width);
  }
}

/// The first of the 2×2 pixels that belong to pixel number `at` of the smaller pictures.
__device__ std::int64_t first_of_four(const DoubledPictures& shape, std::int64_t at) {
  const std::int64_t column = at % shape.width, row = at / shape.width;  // Of all pictures, one below the other.
  return (2 * row * 2 * shape.width + 2 * column) * shape.channels;
}

template <typename T>
__global__ void sums_of_four_kernel(DoubledPictures shape, const T* x, float factor, T* y) {
  constexpr int width = vector_width<T>;
  const std::int64_t count = shape.values(), below = 2 * shape.width * shape.channels;
  for (std::int64_t i = first_index() * width; i < count; i += index_step() * width) {
    const T* corner = x + first_of_four(shape, i / shape.channels) + i % shape.channels;
    const Floats<T> a = load(corner), b = load(corner + shape.channels), c = load(corner + below),
                    d = load(corner + below + shape.channels);
    Floats<T> sum;
    for (int k = 0; k < width; ++k) sum.value[k] = (a.value[k] + b.value[k] + c.value[k] + d.value[k]) * factor;
    store(sum, y + i);
  }
}

template <typename T>
__global__ void fourfold_kernel(DoubledPictures shape, const T* x, float factor, T* y) {
  constexpr int width = vector_width<T>;
  const std::int64_t count = shape.values(), below = 2 * shape.width * shape.channels;
  for (std::int64_t i = first_index() * width; i < count; i += index_step() * width) {
    Floats<T> value = load(x + i);
    for (float& each : value.value) each *= factor;
    T* corner = y + first_of_four(shape, i / shape.channels) + i % shape.channels;
    store(value, corner);
    store(value, corner + shape.channels);
    store(value, corner + below);
    store(value, corner + below + shape.channels);
  }
}

__global__ void noise_kernel(std::uint64_t seed, std::uint32_t number, std::int64_t count, float* noise) {
  for (std::int64_t block = first_index(); block * 4 < count; block += index_step()) {
    const FourNormals values = noise_block(seed, number, static_cast<std::uint64_t>(block));
    for (int k = 0; k < 4 && block * 4 + k < count; ++k) noise[block * 4 + k] = values.value[k];
  }
}

}  // namespace

template <typename T>
void gate(const T* x, std::int64_t count, float steepness, T* y, cudaStream_t stream) {
  gate_kernel<<<blocks_for(count / vector_width<T>), threads, 0, stream>>>(x, values_at(x, y, count), steepness, y);
}

template <typename T>
void gate_backward(const T* x, const T* by_y, std::int64_t count, float steepness, T* by_x, cudaStream_t stream) {
  gate_backward_kernel<<<blocks_for(count / vector_width<T>), threads, 0, stream>>>(x, by_y, values_at(x, by_y, count),
                                                                                    steepness, by_x);
}

template <typename T>
void shifted(const T* x, std::int64_t count, int channels, const T* shift, const T* other, bool relu, T* y,
             cudaStream_t stream) {
  const unsigned blocks = blocks_for(count / vector_width<T>);
  shifted_kernel<<<blocks, threads, 0, stream>>>(x, count, channels, shift, other, relu, y);
}

template <typename T>
void doubled(const DoubledPictures& shape, const T* x, T* y, cudaStream_t stream) {
  const std::int64_t vectors = 4 * shape.values() / vector_width<T>;
  doubled_kernel<<<blocks_for(vectors), threads, 0, stream>>>(shape, x, y);
}

template <typename T>
void doubled_backward(const DoubledPictures& shape, const T* by_y, T* by_x, cudaStream_t stream) {
  const std::int64_t vectors = shape.values() / vector_width<T>;
  doubled_backward_kernel<<<blocks_for(vectors), threads, 0, stream>>>(shape, by_y, by_x);
}

template <typename T>
void sums_of_four(const DoubledPictures& shape, const T* x, float factor, T* y, cudaStream_t stream) {
  sums_of_four_kernel<<<blocks_for(shape.values() / vector_width<T>), threads, 0, stream>>>(shape, x, factor, y);
}

template <typename T>
void fourfold(const DoubledPictures& shape, const T* x, float factor, T* y, cudaStream_t stream) {
  fourfold_kernel<<<blocks_for(shape.values() / vector_width<T>), threads, 0, stream>>>(shape, x, factor, y);
}

void normal_noise(std::uint64_t seed, std::uint32_t number, std::int64_t count, float* noise, cudaStream_t stream) {
  noise_kernel<<<blocks_for((count + 3) / 4), threads, 0, stream>>>(seed, number, count, noise);
}

#define DISCO_POINTWISE(T)                                                                        \
  template void gate(const T*, std::int64_t, float, T*, cudaStream_t);                            \
  template void gate_backward(const T*, const T*, std::int64_t, float, T*, cudaStream_t);         \
  template void shifted(const T*, std::int64_t, int, const T*, const T*, bool, T*, cudaStream_t); \
  template void doubled(const DoubledPictures&, const T*, T*, cudaStream_t);                      \
  template void doubled_backward(const DoubledPictures&, const T*, T*, cudaStream_t);             \
  template void sums_of_four(const DoubledPictures&, const T*, float, T*, cudaStream_t);          \
  template void fourfold(const DoubledPictures&, const T*, float, T*, cudaStream_t);
DISCO_POINTWISE(float)
DISCO_POINTWISE(__half)

}  // namespace disco::launch
