#include "kernels/winograd_transforms.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/winograd_transforms.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>  // Must come before highway.h.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace disco::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Lanes = hn::Vec<Floats>;

/// Calls work(offset, load, store) for each vector of `channels`; the last one may be partial.
template <class Work>
void for_each_vector(std::int64_t channels, const Work& work) {
  const Floats d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t c = 0;
  for (; c + lanes <= channels; c += lanes) {
    work(
        c, [d](const float* from) HWY_ATTR { return hn::LoadU(d, from); },
        [d](Lanes value, float* to) HWY_ATTR { hn::StoreU(value, d, to); });
  }
  if (c < channels) {
    const auto mask = hn::FirstN(d, static_cast<std::size_t>(channels - c));
    work(
        c, [d, mask](const float* from) HWY_ATTR { return hn::MaskedLoad(mask, d, from); },
        [d, mask](Lanes value, float* to) HWY_ATTR { hn::BlendedStore(value, mask, d, to); });
  }
}

/// One column of Bᵀ d.
HWY_INLINE void input_line(const Lanes (&d)[6], Lanes (&u)[6]) {
  const Floats f;
  const Lanes four = hn::Set(f, 4.f), five = hn::Set(f, 5.f), two = hn::Set(f, 2.f);
  const Lanes outer = hn::NegMulAdd(four, d[2], d[4]), inner = hn::NegMulAdd(four, d[1], d[3]);
  const Lanes even = hn::Sub(d[4], d[2]), odd = hn::Mul(two, hn::Sub(d[3], d[1]));
  u[0] = hn::MulAdd(four, d[0], hn::NegMulAdd(five, d[2], d[4]));
  u[1] = hn::Add(outer, inner);
  u[2] = hn::Sub(outer, inner);
  u[3] = hn::Add(even, odd);
  u[4] = hn::Sub(even, odd);
  u[5] = hn::MulAdd(four, d[1], hn::NegMulAdd(five, d[3], d[5]));
}

/// One column of Aᵀ m.
HWY_INLINE void output_line(const Lanes (&m)[6], Lanes (&y)[4]) {
  const Floats f;
  const Lanes two = hn::Set(f, 2.f), four = hn::Set(f, 4.f), eight = hn::Set(f, 8.f);
  const Lanes near_sum = hn::Add(m[1], m[2]), near_difference = hn::Sub(m[1], m[2]);
  const Lanes far_sum = hn::Add(m[3], m[4]), far_difference = hn::Sub(m[3], m[4]);
  y[0] = hn::Add(m[0], hn::Add(near_sum, far_sum));
  y[1] = hn::MulAdd(two, far_difference, near_difference);
  y[2] = hn::MulAdd(four, far_sum, near_sum);
  y[3] = hn::Add(m[5], hn::MulAdd(eight, far_difference, near_difference));
}

/// One column of G g.
HWY_INLINE void filter_line(const Lanes (&g)[3], Lanes (&v)[6]) {
  const Floats f;
  const Lanes sum = hn::Add(g[0], g[2]), wide = hn::MulAdd(hn::Set(f, 4.f), g[2], g[0]);
  const Lanes sixth = hn::Set(f, 1.f / 6), twelfth = hn::Set(f, 1.f / 12), fine = hn::Set(f, 1.f / 24);
  v[0] = hn::Mul(hn::Set(f, 0.25f), g[0]);
  v[1] = hn::Neg(hn::Mul(sixth, hn::Add(sum, g[1])));
  v[2] = hn::Mul(sixth, hn::Sub(g[1], sum));
  v[3] = hn::MulAdd(fine, wide, hn::Mul(twelfth, g[1]));
  v[4] = hn::NegMulAdd(twelfth, g[1], hn::Mul(fine, wide));
  v[5] = g[2];
}

/// One column of A y.
HWY_INLINE void gradient_line(const Lanes (&y)[4], Lanes (&e)[6]) {
  const Floats f;
  const Lanes two = hn::Set(f, 2.f), four = hn::Set(f, 4.f);
  const Lanes even = hn::Add(y[0], y[2]), odd = hn::Add(y[1], y[3]);
  const Lanes far_even = hn::MulAdd(four, y[2], y[0]), far_odd = hn::Mul(two, hn::MulAdd(four, y[3], y[1]));
  e[0] = y[0];
  e[1] = hn::Add(even, odd);
  e[2] = hn::Sub(even, odd);
  e[3] = hn::Add(far_even, far_odd);
  e[4] = hn::Sub(far_even, far_odd);
  e[5] = y[3];
}

/// One column of Gᵀ m.
HWY_INLINE void gather_line(const Lanes (&m)[6], Lanes (&g)[3]) {
  const Floats f;
  const Lanes sixth = hn::Set(f, 1.f / 6), twelfth = hn::Set(f, 1.f / 12), fine = hn::Set(f, 1.f / 24);
  const Lanes near_sum = hn::Mul(sixth, hn::Add(m[1], m[2])), far_sum = hn::Add(m[3], m[4]);
  g[0] = hn::MulAdd(fine, far_sum, hn::MulSub(hn::Set(f, 0.25f), m[0], near_sum));
  g[1] = hn::MulAdd(sixth, hn::Sub(m[2], m[1]), hn::Mul(twelfth, hn::Sub(m[3], m[4])));
  g[2] = hn::Add(m[5], hn::MulSub(sixth, far_sum, near_sum));
}

struct TilePlace {
  std::int64_t picture, top, left;
};

TilePlace place(const WinogradTiles& tiles, std::int64_t index) {
  const std::int64_t columns = tiles.columns(), each = tiles.rows() * columns, within = index % each;
  return {index / each, within / columns * WinogradTiles::side, within % columns * WinogradTiles::side};
}

void TransformInput(const float* x, const WinogradTiles& tiles, std::int64_t channels, const WinogradBlock& block,
                    std::int64_t begin, std::int64_t end, TileLayout layout, float* u) {
  const Floats f;
  const bool in_rows = layout == TileLayout::rows;
  const std::int64_t each = block.count * (in_rows ? row_stride(channels) : padded_columns(channels));
  for (std::int64_t k = begin; k < end; ++k) {
    const TilePlace at = place(tiles, block.first + k);
    const float* picture = x + at.picture * tiles.height * tiles.width * channels;
    for_each_vector(channels, [&](std::int64_t c, const auto& load, const auto& store) HWY_ATTR {
      Lanes half[6][6];  // Bᵀ d, by columns of d
      for (std::int64_t j = 0; j < 6; ++j) {
        const std::int64_t column = at.left + j - 1;
        Lanes d[6];
        for (std::int64_t i = 0; i < 6; ++i) {
          const std::int64_t row = at.top + i - 1;
          const bool inside = row >= 0 && row < tiles.height && column >= 0 && column < tiles.width;
          const float* from = picture + (row * tiles.width + column) * channels + c;
          d[i] = inside ? load(from) : hn::Zero(f);
          // The next tile's: 36 streams are too many for the processor to foresee. (Two of its columns are here
          // already.)
          if (j >= 2) hwy::Prefetch(from + WinogradTiles::side * channels);
        }
        input_line(d, half[j]);
      }
      float* to = u + (in_rows ? k * row_stride(channels) + c
                               : (c / panel_columns * block.count + k) * panel_columns + c % panel_columns);
      for (std::int64_t i = 0; i < 6; ++i) {
        const Lanes line[6] = {half[0][i], half[1][i], half[2][i], half[3][i], half[4][i], half[5][i]};
        Lanes done[6];
        input_line(line, done);
        for (std::int64_t j = 0; j < 6; ++j) store(done[j], to + (i * 6 + j) * each);
      }
    });
  }
}

void TransformOutput(const float* m, const float* bias, const WinogradTiles& tiles, std::int64_t channels,
                     const WinogradBlock& block, std::int64_t begin, std::int64_t end, float* y) {
  const Floats f;
  const std::int64_t padded = padded_columns(channels);
  for (std::int64_t k = begin; k < end; ++k) {
    const TilePlace at = place(tiles, block.first + k);
    float* picture = y + at.picture * tiles.height * tiles.width * channels;
    const std::int64_t rows = std::min(WinogradTiles::side, tiles.height - at.top);
    const std::int64_t columns = std::min(WinogradTiles::side, tiles.width - at.left);
    for_each_vector(channels, [&](std::int64_t c, const auto& load, const auto& store) HWY_ATTR {
      const Lanes shift = bias ? load(bias + c) : hn::Zero(f);
      Lanes half[6][4];
      for (std::int64_t j = 0; j < 6; ++j) {
        Lanes line[6];
        for (std::int64_t i = 0; i < 6; ++i) line[i] = load(m + ((i * 6 + j) * block.count + k) * padded + c);
        output_line(line, half[j]);
      }
      for (std::int64_t i = 0; i < rows; ++i) {
        const Lanes line[6] = {half[0][i], half[1][i], half[2][i], half[3][i], half[4][i], half[5][i]};
        Lanes done[4];
        output_line(line, done);
        float* to = picture + ((at.top + i) * tiles.width + at.left) * channels + c;
        for (std::int64_t j = 0; j < columns; ++j) store(hn::Add(done[j], shift), to + j * channels);
      }
    });
  }
}

void TransformGradient(const float* y, const WinogradTiles& tiles, std::int64_t channels, const WinogradBlock& block,
                       std::int64_t begin, std::int64_t end, float* e) {
  const Floats f;
  for (std::int64_t k = begin; k < end; ++k) {
    const TilePlace at = place(tiles, block.first + k);
    const float* picture = y + at.picture * tiles.height * tiles.width * channels;
    for_each_vector(channels, [&](std::int64_t c, const auto& load, const auto& store) HWY_ATTR {
      Lanes half[4][6];  // A y, by columns of y
      for (std::int64_t j = 0; j < 4; ++j) {
        Lanes line[4];
        for (std::int64_t i = 0; i < 4; ++i) {
          const std::int64_t row = at.top + i, column = at.left + j;
          const bool inside = row < tiles.height && column < tiles.width;
          line[i] = inside ? load(picture + (row * tiles.width + column) * channels + c) : hn::Zero(f);
        }
        gradient_line(line, half[j]);
      }
      for (std::int64_t i = 0; i < 6; ++i) {
        const Lanes line[4] = {half[0][i], half[1][i], half[2][i], half[3][i]};
        Lanes done[6];
        gradient_line(line, done);
        for (std::int64_t j = 0; j < 6; ++j) {
          store(done[j], e + ((i * 6 + j) * block.count + k) * row_stride(channels) + c);
        }
      }
    });
  }
}

void GatherFilters(const float* m, std::int64_t outputs, std::int64_t inputs, std::int64_t begin, std::int64_t end,
                   float* w) {
  const std::int64_t padded = padded_columns(inputs);
  HWY_ALIGN float taps[9][HWY_MAX_BYTES / sizeof(float)];
  for (std::int64_t row = begin; row < end; ++row) {
    for_each_vector(inputs, [&](std::int64_t c, const auto& load, const auto& store) HWY_ATTR {
      Lanes half[6][3];
      for (std::int64_t j = 0; j < 6; ++j) {
        Lanes line[6];
        for (std::int64_t i = 0; i < 6; ++i) line[i] = load(m + ((i * 6 + j) * outputs + row) * padded + c);
        gather_line(line, half[j]);
      }
      for (std::int64_t i = 0; i < 3; ++i) {
        const Lanes line[6] = {half[0][i], half[1][i], half[2][i], half[3][i], half[4][i], half[5][i]};
        Lanes done[3];
        gather_line(line, done);
        for (std::int64_t j = 0; j < 3; ++j) store(done[j], taps[i * 3 + j]);
      }
      const auto lanes = std::min(static_cast<std::int64_t>(hn::Lanes(Floats())), inputs - c);
      float* to = w + (row * inputs + c) * 9;
      for (std::int64_t k = 0; k < lanes; ++k) {
        for (std::int64_t tap = 0; tap < 9; ++tap) to[k * 9 + tap] = taps[tap][k];
      }
    });
  }
}

void TransformFilters(const WinogradFilters& filters, std::int64_t panel, float* v) {
  const Floats f;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
  const std::int64_t rows = filters.rows(), columns = filters.columns(), panels = panel_count(columns);
  HWY_ALIGN float taps[9][HWY_MAX_BYTES / sizeof(float)] = {};
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t offset = 0; offset < panel_columns; offset += lanes) {
      const std::int64_t first = panel * panel_columns + offset;
      for (std::int64_t k = 0; k < lanes; ++k) {
        const std::int64_t column = first + k;
        const float* from =
            filters.w + (filters.adjoint ? row * filters.inputs + column : column * filters.inputs + row) * 9;
        for (std::int64_t tap = 0; tap < 9; ++tap) {
          taps[filters.adjoint ? 8 - tap : tap][k] = column < columns ? from[tap] : 0.f;
        }
      }
      Lanes half[3][6];
      for (std::int64_t j = 0; j < 3; ++j) {
        const Lanes line[3] = {hn::Load(f, taps[j]), hn::Load(f, taps[3 + j]), hn::Load(f, taps[6 + j])};
        filter_line(line, half[j]);
      }
      for (std::int64_t i = 0; i < 6; ++i) {
        const Lanes line[3] = {half[0][i], half[1][i], half[2][i]};
        Lanes done[6];
        filter_line(line, done);
        for (std::int64_t j = 0; j < 6; ++j) {
          hn::StoreU(done[j], f, v + (((i * 6 + j) * panels + panel) * rows + row) * panel_columns + offset);
        }
      }
    }
  }
}

}  // namespace disco::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace disco {

HWY_EXPORT(TransformInput);
HWY_EXPORT(TransformOutput);
HWY_EXPORT(TransformFilters);
HWY_EXPORT(TransformGradient);
HWY_EXPORT(GatherFilters);

void winograd_transform_input(const float* x, const WinogradTiles& tiles, std::int64_t channels,
                              const WinogradBlock& block, std::int64_t begin, std::int64_t end, TileLayout layout,
                              float* u) {
  HWY_DYNAMIC_DISPATCH(TransformInput)(x, tiles, channels, block, begin, end, layout, u);
}

void winograd_transform_output(const float* m, const float* bias, const WinogradTiles& tiles, std::int64_t channels,
                               const WinogradBlock& block, std::int64_t begin, std::int64_t end, float* y) {
  HWY_DYNAMIC_DISPATCH(TransformOutput)(m, bias, tiles, channels, block, begin, end, y);
}

void winograd_transform_filters(const WinogradFilters& filters, std::int64_t panel, float* v) {
  HWY_DYNAMIC_DISPATCH(TransformFilters)(filters, panel, v);
}

void winograd_transform_gradient(const float* y, const WinogradTiles& tiles, std::int64_t channels,
                                 const WinogradBlock& block, std::int64_t begin, std::int64_t end, float* e) {
  HWY_DYNAMIC_DISPATCH(TransformGradient)(y, tiles, channels, block, begin, end, e);
}

void winograd_gather_filters(const float* m, std::int64_t outputs, std::int64_t inputs, std::int64_t begin,
                             std::int64_t end, float* w) {
  HWY_DYNAMIC_DISPATCH(GatherFilters)(m, outputs, inputs, begin, end, w);
}

}  // namespace disco
#endif
