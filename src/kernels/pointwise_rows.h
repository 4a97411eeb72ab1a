// Passes over rows of channels, as the pixels of a picture with channels innermost: normalising, and gating by a
// sigmoid. No torch here: pointwise_rows.cpp is compiled once for each instruction set.
#pragma once

#include <cstdint>

namespace disco {

/// What numbers of channels must be multiples of.
constexpr std::int64_t row_multiple = 16;

/// A pass over `count` rows of `channels` values, one row after the other. z = x·scale + shift of each channel.
struct Rows {
  std::int64_t count, channels;
  const float *scale, *shift;
  bool silu;  ///< Whether y is z·sigmoid(z), or z itself.
};

/// Sums of (x − centre) and of its squares over the rows, of each channel, added to `sums` and `squares`.
void add_moments(const float* x, std::int64_t count, std::int64_t channels, const float* centre, float* sums,
                 float* squares);

/// y from x.
void normalise_rows(const Rows& rows, const float* x, float* y);

/// With g the gradient by z for the gradient by_y by y: its sums over the rows of each channel, and those of
/// g·(x·to_unit + to_zero), added to `sums` and `products`.
void add_gradient_moments(const Rows& rows, const float* x, const float* by_y, const float* to_unit,
                          const float* to_zero, float* sums, float* products);

/// g·scale − x·slope − offset, where scale is the rows' own.
void normalise_rows_backward(const Rows& rows, const float* x, const float* by_y, const float* slope,
                             const float* offset, float* by_x);

/// y = x·sigmoid(steepness·x) of `count` values. y may be x.
void gate(const float* x, std::int64_t count, float steepness, float* y);
/// The gradient by x.
void gate_backward(const float* x, const float* by_y, std::int64_t count, float steepness, float* by_x);

}  // namespace disco
