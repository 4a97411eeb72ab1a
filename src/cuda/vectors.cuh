// Sixteen bytes at a time, as floats.
#pragma once

#include <cuda_fp16.h>

namespace disco::launch {

template <typename T>
constexpr int vector_width = 16 / sizeof(T);

template <typename T>
struct Floats {
  float value[vector_width<T>];
};

__device__ inline float to_float(float x) { return x; }
__device__ inline float to_float(__half x) { return __half2float(x); }
__device__ inline void from_float(float x, float& to) { to = x; }
/// Beyond its range a half is infinite.
__device__ inline void from_float(float x, __half& to) { to = __float2half_rn(x); }

template <typename T>
struct alignas(16) Vector {
  T value[vector_width<T>];
};

/// From an address that is a multiple of 16 bytes.
template <typename T>
__device__ Floats<T> load(const T* from) {
  const Vector<T> raw = *reinterpret_cast<const Vector<T>*>(from);
  Floats<T> result;
  for (int k = 0; k < vector_width<T>; ++k) result.value[k] = to_float(raw.value[k]);
  return result;
}

template <typename T>
__device__ void store(const Floats<T>& values, T* to) {
  Vector<T> raw;
  for (int k = 0; k < vector_width<T>; ++k) from_float(values.value[k], raw.value[k]);
  *reinterpret_cast<Vector<T>*>(to) = raw;
}

}  // namespace disco::launch
