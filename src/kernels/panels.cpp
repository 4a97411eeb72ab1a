#include "kernels/panels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/panels.cpp"
#include <hwy/foreach_target.h>  // Must come before highway.h.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace disco::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Lanes = hn::Vec<Floats>;

/// `height` rows of m, two vectors wide, in registers.
template <int height>
HWY_INLINE void multiply_block(const float* u, const float* v, const float* bias, std::int64_t inner, float* m,
                               std::int64_t stride) {
  const Floats f;
  const std::size_t lanes = hn::Lanes(f);
  Lanes left[height], right[height];
  const Lanes first = bias ? hn::LoadU(f, bias) : hn::Zero(f), second = bias ? hn::LoadU(f, bias + lanes) : hn::Zero(f);
  // Unrolled, or the sums would lie in memory.
#pragma GCC unroll 16
  for (int i = 0; i < height; ++i) left[i] = first, right[i] = second;
  for (std::int64_t k = 0; k < inner; ++k) {
    const Lanes a = hn::LoadU(f, v + k * panel_columns), b = hn::LoadU(f, v + k * panel_columns + lanes);
#pragma GCC unroll 16
    for (int i = 0; i < height; ++i) {
      const Lanes x = hn::Set(f, u[i * row_stride(inner) + k]);
      left[i] = hn::MulAdd(x, a, left[i]);
      right[i] = hn::MulAdd(x, b, right[i]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < height; ++i) {
    hn::StoreU(left[i], f, m + i * stride);
    hn::StoreU(right[i], f, m + i * stride + lanes);
  }
}

/// The last rows, fewer than a full block.
template <int height>
HWY_INLINE void multiply_rest(std::int64_t rest, const float* u, const float* v, const float* bias, std::int64_t inner,
                              float* m, std::int64_t stride) {
  if (rest == height) {
    multiply_block<height>(u, v, bias, inner, m, stride);
  } else if constexpr (height > 1) {
    multiply_rest<height - 1>(rest, u, v, bias, inner, m, stride);
  }
}

void MultiplyByPanels(const float* u, const float* v, const float* bias, std::int64_t count, std::int64_t inner,
                      std::int64_t panels, float* m) {
  // As many rows as leave registers for the two vectors of v and one of u.
  constexpr int height = HWY_TARGET <= HWY_AVX3 ? 12 : 6;
  const auto width = static_cast<std::int64_t>(2 * hn::Lanes(Floats()));
  const std::int64_t stride = panels * panel_columns;
  for (std::int64_t column = 0; column < stride; column += width) {
    const float* panel = v + column / panel_columns * inner * panel_columns + column % panel_columns;
    const float* shift = bias ? bias + column : nullptr;
    std::int64_t i = 0;
    for (; i + height <= count; i += height) {
      multiply_block<height>(u + i * row_stride(inner), panel, shift, inner, m + i * stride + column, stride);
    }
    multiply_rest<height - 1>(count - i, u + i * row_stride(inner), panel, shift, inner, m + i * stride + column,
                              stride);
  }
}

}  // namespace disco::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace disco {

HWY_EXPORT(MultiplyByPanels);

void multiply_by_panels(const float* u, const float* v, const float* bias, std::int64_t count, std::int64_t inner,
                        std::int64_t panels, float* m) {
  HWY_DYNAMIC_DISPATCH(MultiplyByPanels)(u, v, bias, count, inner, panels, m);
}

}  // namespace disco
#endif
