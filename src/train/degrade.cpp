#include "train/degrade.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>

#include <algorithm>
#include <cmath>

#include "train/device_noise.h"

namespace disco {
namespace {

/// (N,side,side): row i of each holds the weights of all pixels for pixel i.
at::Tensor blur_matrices(const at::Tensor& deviations, std::int64_t side) {
  const at::Tensor places = at::arange(side, deviations.options());
  const at::Tensor squares = (places.unsqueeze(0) - places.unsqueeze(1)).square().unsqueeze(0);
  const at::Tensor weights = (squares / (-2 * deviations.clamp_min(1e-3).square().view({-1, 1, 1}))).exp();
  return weights / weights.sum(2, true);
}

/// (N) for N pictures, each from 0 to `most` with chance `share`, else 0.
at::Tensor some(const at::Tensor& pictures, double share, double most, RandomStream& draws) {
  const std::int64_t n = pictures.size(0);
  at::Tensor amounts = at::zeros({n});
  float* out = amounts.mutable_data_ptr<float>();
  for (std::int64_t k = 0; k < n; ++k) {
    const double chance = draws.rand(), amount = draws.uniform(0, most);
    if (chance < share) out[k] = static_cast<float>(amount);
  }
  return amounts.to(pictures.device());
}

at::Tensor per_picture(const at::Tensor& amounts) { return amounts.view({-1, 1, 1, 1}); }

}  // namespace

at::Tensor blurred(const at::Tensor& pictures, const at::Tensor& deviations) {
  const c10::impl::ExcludeDispatchKeyGuard no_mixed_precision(c10::autocast_dispatch_keyset);
  const at::Tensor rows = blur_matrices(deviations, pictures.size(2)).unsqueeze(1);
  const at::Tensor columns = blur_matrices(deviations, pictures.size(3)).unsqueeze(1);
  return rows.matmul(pictures).matmul(columns.transpose(2, 3));
}

at::Tensor smooth_noise(const at::Tensor& pictures, std::int64_t channels, double grain, RandomStream& draws) {
  const std::int64_t n = pictures.size(0), side = pictures.size(2);
  const auto cells = std::max<std::int64_t>(2, std::llround(static_cast<double>(side) / grain));
  return at::upsample_bicubic2d(noise_on(pictures.device(), {n, channels, cells, cells}, draws), {side, side},
                                /*align_corners=*/true);
}

at::Tensor degraded(const at::Tensor& pictures, RandomStream& draws) {
  at::Tensor h = blurred(pictures, some(pictures, 0.6, 1.2, draws));
  // Soft in places: the deviation of the blur is the same, its share is not.
  const at::Tensor places = at::sigmoid(4 * smooth_noise(pictures, 1, 8, draws));
  h = h + per_picture(some(pictures, 0.5, 1, draws)) * places *
              (blurred(h, at::full({pictures.size(0)}, 1.6, pictures.options())) - h);
  const double grain = draws.uniform(2, 5);
  h = h + per_picture(some(pictures, 0.5, 0.12, draws)) * smooth_noise(pictures, 3, grain, draws);
  h = h + per_picture(some(pictures, 0.5, 0.06, draws)) * noise_on(h.device(), h.sizes(), draws);
  const at::Tensor clean = per_picture(some(pictures, 0.2, 1, draws) > 0);
  return at::where(clean, pictures, h.clamp(-1, 1));
}

}  // namespace disco
