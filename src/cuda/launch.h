// The kernels for NVIDIA GPUs, as functions that launch them on a stream. Sums are made in a fixed order: the same bits
// from run to run on one device. Values are float or half (T); sums and statistics are float32 or wider.
#pragma once

#include <cuda_fp16.h>
#include <cuda_runtime_api.h>

#include <cstdint>

#include "cuda/cut_pixel.h"
#include "kernels/cut_map.h"

namespace disco::launch {

/// A picture (N,C,H,W) with channels innermost, for a norm over 32 groups of channels. C is a multiple of 32.
struct NormPictures {
  static constexpr int groups = 32;
  std::int64_t pictures, rows;  ///< Rows are the H·W pixels of a picture.
  int channels;
  int chunks;  ///< Pieces that a picture is summed in, see norm_chunks().

  DISCO_HOST_DEVICE std::int64_t group_values() const { return rows * (channels / groups); }
};
/// The most channels that the kernels take.
constexpr int most_norm_channels = 6144;
int norm_chunks(std::int64_t pictures, std::int64_t rows, int channels);

/// What a norm makes of each channel of each picture (N,C): z = x·scale + shift. And of each group (N,32): u = x·unit +
/// zero has mean 0 and variance 1.
struct NormNumbers {
  float *scale, *shift;
  float2* to_unit;   ///< {unit, zero}.
  float2* partials;  ///< Scratch: (N, chunks, 32).
};
/// gain and shift of the norm (N,C), whose rows are `stride` values apart.
template <typename T>
struct Modulation {
  const T *gain, *shift;
  std::int64_t gain_stride, shift_stride;
  const T* before;  ///< (C), added to x before the norm; null: nothing. The gradient knows nothing of it.
};
template <typename T>
void group_norm(const NormPictures& shape, const T* x, const Modulation<T>& modulation, const NormNumbers& numbers,
                bool silu, T* y, cudaStream_t stream);
/// The gradient by x. `slopes` (N,32) is scratch.
template <typename T>
void group_norm_backward(const NormPictures& shape, const T* x, const T* by_y, const NormNumbers& numbers, bool silu,
                         float2* slopes, T* by_x, cudaStream_t stream);

/// y = x·sigmoid(steepness·x). y may be x.
template <typename T>
void gate(const T* x, std::int64_t count, float steepness, T* y, cudaStream_t stream);
template <typename T>
void gate_backward(const T* x, const T* by_y, std::int64_t count, float steepness, T* by_x, cudaStream_t stream);

/// y = x + shift + other of `count` values of pictures with channels innermost, and through ReLU if `relu`: shift has a
/// value for each channel, `other` is as x or null. The channels are a multiple of vector_width<T>; NaN stays NaN. y
/// may be x.
template <typename T>
void shifted(const T* x, std::int64_t count, int channels, const T* shift, const T* other, bool relu, T* y,
             cudaStream_t stream);

/// Pictures (N,H,W,C) beside those of twice their height and width. The channels are a multiple of vector_width<T>.
struct DoubledPictures {
  std::int64_t pictures, height, width, channels;  ///< Of the smaller ones.

  DISCO_HOST_DEVICE std::int64_t values() const { return pictures * height * width * channels; }
};
/// By bilinear interpolation without aligned corners.
template <typename T>
void doubled(const DoubledPictures& shape, const T* x, T* y, cudaStream_t stream);
template <typename T>
void doubled_backward(const DoubledPictures& shape, const T* by_y, T* by_x, cudaStream_t stream);
/// `factor` times the sum of each 2×2 pixels of the larger x, and each pixel of the smaller x as 2×2, `factor` times.
template <typename T>
void sums_of_four(const DoubledPictures& shape, const T* x, float factor, T* y, cudaStream_t stream);
template <typename T>
void fourfold(const DoubledPictures& shape, const T* x, float factor, T* y, cudaStream_t stream);

/// `count` values of noise_block(seed, number, …).
void normal_noise(std::uint64_t seed, std::uint32_t number, std::int64_t count, float* noise, cudaStream_t stream);

/// Cutouts (N,3,H,W).
struct Cuts {
  std::int64_t count;
  int height, width;
  DISCO_HOST_DEVICE std::int64_t plane() const { return std::int64_t{height} * width; }
};

void cut_warp(const Cuts& cuts, const float* x, const float* noise, float strength, const CutMap& map, CutWarp kind,
              float* y, cudaStream_t stream);
void cut_warp_backward(const Cuts& cuts, const float* by_y, const CutMap& map, CutWarp kind, float* by_x,
                       cudaStream_t stream);

/// How many sums each cut's pixels are first added up in.
int colour_sums(const Cuts& cuts);
struct ColourWork {
  float strength;
  bool grey, jitters;
  pixel::Steps steps;
};
/// `seen` is what the steps see, y the result (the same without jitter); `sums` (N, colour_sums()) is scratch.
void cut_colours(const Cuts& cuts, const float* x, const float* first, const float* second, const ColourWork& work,
                 float* sums, float* seen, float* means, float* y, cudaStream_t stream);
void cut_colours_backward(const Cuts& cuts, const float* seen, const float* means, const float* by_y,
                          const ColourWork& work, float* sums, float* by_x, cudaStream_t stream);

/// Cutouts (count,3,size,size) of a picture (3,height,width), by cubic antialiased resizes.
struct Resizes {
  std::int64_t count;
  int size, taps;  ///< The most taps that a value of a cutout has along an axis.
  int height, width;
};
/// Along each axis: the first pixel (count,size) and the weights (count,size,taps) of each value.
struct ResizeTables {
  std::int32_t* first;
  float* weights;
};
void resize_tables(const Resizes& resizes, const CutSquare* squares, const ResizeTables& tables, cudaStream_t stream);
void resize_cuts(const Resizes& resizes, const CutSquare* squares, const ResizeTables& tables, const float* picture,
                 float* cuts, cudaStream_t stream);
void resize_cuts_backward(const Resizes& resizes, const CutSquare* squares, const ResizeTables& tables,
                          const float* by_cuts, float* by_picture, cudaStream_t stream);

}  // namespace disco::launch
