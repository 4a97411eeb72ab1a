#include "guidance/losses.h"

#include <ATen/ATen.h>

namespace disco {
namespace {

at::Tensor unit(const at::Tensor& v) { return v / v.norm(2, {-1}, true).clamp_min(1e-12); }

at::Tensor outside(const at::Tensor& x) { return x - x.clamp(-1, 1); }

}  // namespace

at::Tensor spherical_distance(const at::Tensor& u, const at::Tensor& v) {
  // Below 1, where the slope of asin is infinite: opposite embeddings would otherwise give infinity, or NaN by
  // rounding.
  constexpr double largest_half_chord = 1 - 1e-7;
  const at::Tensor half_chord = (unit(u) - unit(v)).norm(2, {-1}, false).div(2);
  return half_chord.clamp_max(largest_half_chord).asin().pow(2).mul(2);
}

at::Tensor tv_loss(const at::Tensor& x) {
  // A replicated edge differs from its pixel by nothing. (The gradient of the padding itself is not the same from run
  // to run on a GPU.)
  const auto squares = [&](std::int64_t axis, at::IntArrayRef edge) {
    const std::int64_t count = x.size(axis) - 1;
    return at::constant_pad_nd((x.narrow(axis, 1, count) - x.narrow(axis, 0, count)).pow(2), edge, 0);
  };
  return (squares(3, {0, 1}) + squares(2, {0, 0, 0, 1})).mean({1, 2, 3});
}

at::Tensor range_loss(const at::Tensor& x) { return outside(x).pow(2).mean({1, 2, 3}); }

at::Tensor saturation_loss(const at::Tensor& x) { return outside(x).abs().mean({1, 2, 3}); }

}  // namespace disco
