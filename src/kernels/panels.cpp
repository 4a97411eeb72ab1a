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

/// Where the left side's element of row i and column k lies: u[i·row + k·column].
struct Left {
  const float* u;
  std::int64_t row, column;

  Left from(std::int64_t i) const { return {u + i * row, row, column}; }
};

/// `height` rows of m, two vectors wide, in registers: `start` (a row) or m itself, plus the products.
template <int height, bool adds>
HWY_INLINE void multiply_block(const Left& u, const float* v, const float* start, std::int64_t inner, float* m,
                               std::int64_t stride) {
  const Floats f;
  const std::size_t lanes = hn::Lanes(f);
  Lanes left[height], right[height];
  // Unrolled, or the sums would lie in memory.
#pragma GCC unroll 16
  for (int i = 0; i < height; ++i) {
    const float* from = adds ? m + i * stride : start;
    left[i] = from ? hn::LoadU(f, from) : hn::Zero(f);
    right[i] = from ? hn::LoadU(f, from + lanes) : hn::Zero(f);
  }
  for (std::int64_t k = 0; k < inner; ++k) {
    const Lanes a = hn::LoadU(f, v + k * panel_columns), b = hn::LoadU(f, v + k * panel_columns + lanes);
#pragma GCC unroll 16
    for (int i = 0; i < height; ++i) {
      const Lanes x = hn::Set(f, u.u[i * u.row + k * u.column]);
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
template <int height, bool adds>
HWY_INLINE void multiply_rest(std::int64_t rest, const Left& u, const float* v, const float* start, std::int64_t inner,
                              float* m, std::int64_t stride) {
  if (rest == height) {
    multiply_block<height, adds>(u, v, start, inner, m, stride);
  } else if constexpr (height > 1) {
    multiply_rest<height - 1, adds>(rest, u, v, start, inner, m, stride);
  }
}

template <bool adds>
HWY_INLINE void multiply(const Left& u, const float* v, const float* bias, std::int64_t count, std::int64_t inner,
                         std::int64_t panels, float* m) {
  // As many rows as leave registers for the two vectors of v and one of u.
  constexpr int height = HWY_TARGET <= HWY_AVX3 ? 12 : 6;
  const auto width = static_cast<std::int64_t>(2 * hn::Lanes(Floats()));
  const std::int64_t stride = panels * panel_columns;
  for (std::int64_t column = 0; column < stride; column += width) {
    const float* panel = v + column / panel_columns * inner * panel_columns + column % panel_columns;
    const float* start = bias ? bias + column : nullptr;
    std::int64_t i = 0;
    for (; i + height <= count; i += height) {
      multiply_block<height, adds>(u.from(i), panel, start, inner, m + i * stride + column, stride);
    }
    multiply_rest<height - 1, adds>(count - i, u.from(i), panel, start, inner, m + i * stride + column, stride);
  }
}

void MultiplyByPanels(const float* u, const float* v, const float* bias, std::int64_t count, std::int64_t inner,
                      std::int64_t panels, float* m) {
  multiply<false>({u, row_stride(inner), 1}, v, bias, count, inner, panels, m);
}

void AddProductsByPanels(const float* u, const float* v, std::int64_t rows, std::int64_t inner, std::int64_t panels,
                         float* m) {
  multiply<true>({u, 1, row_stride(rows)}, v, nullptr, rows, inner, panels, m);
}

}  // namespace disco::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace disco {

HWY_EXPORT(MultiplyByPanels);
HWY_EXPORT(AddProductsByPanels);

void multiply_by_panels(const float* u, const float* v, const float* bias, std::int64_t count, std::int64_t inner,
                        std::int64_t panels, float* m) {
  HWY_DYNAMIC_DISPATCH(MultiplyByPanels)(u, v, bias, count, inner, panels, m);
}

void add_products_by_panels(const float* u, const float* v, std::int64_t rows, std::int64_t inner, std::int64_t panels,
                            float* m) {
  HWY_DYNAMIC_DISPATCH(AddProductsByPanels)(u, v, rows, inner, panels, m);
}

}  // namespace disco
#endif
