#include "kernels/pointwise_rows.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/pointwise_rows.cpp"
#include <hwy/foreach_target.h>  // Must come before highway.h.
#include <hwy/highway.h>
// After it.
#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace disco::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, row_multiple>;
using Lanes = hn::Vec<Floats>;

HWY_INLINE Lanes sigmoid(Floats f, Lanes z) {
  // Exp is good up to 104, and infinite from 89 on: there the sigmoid is 0.
  const Lanes one = hn::Set(f, 1.0f);
  return hn::Div(one, hn::Add(one, hn::Exp(f, hn::Min(hn::Neg(z), hn::Set(f, 100.0f)))));
}

/// d(z·sigmoid(z))/dz = s·(1 + z·(1 − s)).
HWY_INLINE Lanes silu_slope(Floats f, Lanes z) {
  const Lanes one = hn::Set(f, 1.0f), s = sigmoid(f, z);
  return hn::Mul(s, hn::MulAdd(z, hn::Sub(one, s), one));
}

/// The gradient by z at row element `i`, channel `c`.
HWY_INLINE Lanes gradient_by_z(Floats f, const Rows& rows, Lanes x, Lanes by_y, std::int64_t c) {
  if (!rows.silu) return by_y;
  return hn::Mul(by_y, silu_slope(f, hn::MulAdd(x, hn::LoadU(f, rows.scale + c), hn::LoadU(f, rows.shift + c))));
}

void AddMoments(const float* x, std::int64_t count, std::int64_t channels, const float* centre, float* sums,
                float* squares) {
  const Floats f;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
  for (std::int64_t c = 0; c < channels; c += lanes) {
    const Lanes middle = hn::LoadU(f, centre + c);
    Lanes sum = hn::LoadU(f, sums + c), square = hn::LoadU(f, squares + c);
    for (const float* at = x + c; at < x + count * channels; at += channels) {
      const Lanes d = hn::Sub(hn::LoadU(f, at), middle);
      sum = hn::Add(sum, d);
      square = hn::MulAdd(d, d, square);
    }
    hn::StoreU(sum, f, sums + c);
    hn::StoreU(square, f, squares + c);
  }
}

void NormaliseRows(const Rows& rows, const float* x, float* y) {
  const Floats f;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
  for (std::int64_t row = 0; row < rows.count; ++row, x += rows.channels, y += rows.channels) {
    for (std::int64_t c = 0; c < rows.channels; c += lanes) {
      const Lanes z = hn::MulAdd(hn::LoadU(f, x + c), hn::LoadU(f, rows.scale + c), hn::LoadU(f, rows.shift + c));
      hn::StoreU(rows.silu ? hn::Mul(z, sigmoid(f, z)) : z, f, y + c);
    }
  }
}

void AddGradientMoments(const Rows& rows, const float* x, const float* by_y, const float* to_unit, const float* to_zero,
                        float* sums, float* products) {
  const Floats f;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
  for (std::int64_t c = 0; c < rows.channels; c += lanes) {
    const Lanes unit = hn::LoadU(f, to_unit + c), zero = hn::LoadU(f, to_zero + c);
    Lanes sum = hn::LoadU(f, sums + c), product = hn::LoadU(f, products + c);
    for (std::int64_t row = 0, i = c; row < rows.count; ++row, i += rows.channels) {
      const Lanes value = hn::LoadU(f, x + i), g = gradient_by_z(f, rows, value, hn::LoadU(f, by_y + i), c);
      sum = hn::Add(sum, g);
      product = hn::MulAdd(g, hn::MulAdd(value, unit, zero), product);
    }
    hn::StoreU(sum, f, sums + c);
    hn::StoreU(product, f, products + c);
  }
}

void NormaliseRowsBackward(const Rows& rows, const float* x, const float* by_y, const float* slope, const float* offset,
                           float* by_x) {
  const Floats f;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
  for (std::int64_t row = 0, i = 0; row < rows.count; ++row) {
    for (std::int64_t c = 0; c < rows.channels; c += lanes, i += lanes) {
      const Lanes value = hn::LoadU(f, x + i), g = gradient_by_z(f, rows, value, hn::LoadU(f, by_y + i), c);
      const Lanes rest = hn::MulAdd(value, hn::LoadU(f, slope + c), hn::LoadU(f, offset + c));
      hn::StoreU(hn::MulSub(g, hn::LoadU(f, rows.scale + c), rest), f, by_x + i);
    }
  }
}

/// y = map(load) for each vector of the values, the last of which may be partial. load(p) takes its lanes from p.
template <typename Map>
HWY_INLINE void over_values(Floats f, std::int64_t count, float* y, const Map& map) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(f));
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    hn::StoreU(map([f, i](const float* from) HWY_ATTR { return hn::LoadU(f, from + i); }), f, y + i);
  }
  if (i == count) return;
  const auto mask = hn::FirstN(f, static_cast<std::size_t>(count - i));
  const auto load = [f, i, mask](const float* from) HWY_ATTR { return hn::MaskedLoad(mask, f, from + i); };
  hn::BlendedStore(map(load), mask, f, y + i);
}

void Gate(const float* x, std::int64_t count, float steepness, float* y) {
  const Floats f;
  const Lanes steep = hn::Set(f, steepness);
  over_values(f, count, y, [&](const auto& load) HWY_ATTR {
    const Lanes value = load(x);
    return hn::Mul(value, sigmoid(f, hn::Mul(value, steep)));
  });
}

void GateBackward(const float* x, const float* by_y, std::int64_t count, float steepness, float* by_x) {
  const Floats f;
  const Lanes steep = hn::Set(f, steepness);
  over_values(f, count, by_x,
              [&](const auto& load) HWY_ATTR { return hn::Mul(load(by_y), silu_slope(f, hn::Mul(load(x), steep))); });
}

}  // namespace disco::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace disco {

HWY_EXPORT(AddMoments);
HWY_EXPORT(NormaliseRows);
HWY_EXPORT(AddGradientMoments);
HWY_EXPORT(NormaliseRowsBackward);
HWY_EXPORT(Gate);
HWY_EXPORT(GateBackward);

void add_moments(const float* x, std::int64_t count, std::int64_t channels, const float* centre, float* sums,
                 float* squares) {
  HWY_DYNAMIC_DISPATCH(AddMoments)(x, count, channels, centre, sums, squares);
}

void normalise_rows(const Rows& rows, const float* x, float* y) { HWY_DYNAMIC_DISPATCH(NormaliseRows)(rows, x, y); }

void add_gradient_moments(const Rows& rows, const float* x, const float* by_y, const float* to_unit,
                          const float* to_zero, float* sums, float* products) {
  HWY_DYNAMIC_DISPATCH(AddGradientMoments)(rows, x, by_y, to_unit, to_zero, sums, products);
}

void normalise_rows_backward(const Rows& rows, const float* x, const float* by_y, const float* slope,
                             const float* offset, float* by_x) {
  HWY_DYNAMIC_DISPATCH(NormaliseRowsBackward)(rows, x, by_y, slope, offset, by_x);
}

void gate(const float* x, std::int64_t count, float steepness, float* y) {
  HWY_DYNAMIC_DISPATCH(Gate)(x, count, steepness, y);
}

void gate_backward(const float* x, const float* by_y, std::int64_t count, float steepness, float* by_x) {
  HWY_DYNAMIC_DISPATCH(GateBackward)(x, by_y, count, steepness, by_x);
}

}  // namespace disco
#endif
