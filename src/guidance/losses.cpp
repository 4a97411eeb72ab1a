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
  const at::Tensor padded = at::replication_pad2d(x, {0, 1, 0, 1});
  const std::int64_t height = x.size(2), width = x.size(3);
  const at::Tensor here = padded.narrow(2, 0, height).narrow(3, 0, width);
  const at::Tensor right = padded.narrow(2, 0, height).narrow(3, 1, width);
  const at::Tensor below = padded.narrow(2, 1, height).narrow(3, 0, width);
  return ((right - here).pow(2) + (below - here).pow(2)).mean({1, 2, 3});
}

at::Tensor range_loss(const at::Tensor& x) { return outside(x).pow(2).mean({1, 2, 3}); }

at::Tensor saturation_loss(const at::Tensor& x) { return outside(x).abs().mean({1, 2, 3}); }

}  // namespace disco
