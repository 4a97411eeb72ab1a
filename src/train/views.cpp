#include "train/views.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>

#include <cmath>
#include <numbers>

#include "models/clip.h"
#include "train/device_noise.h"

namespace disco {
namespace {

/// (N,2,3): from the view's coordinates to the picture's, both −1 … 1.
at::Tensor random_places(std::int64_t n, const ViewSettings& s, RandomStream& draws) {
  at::Tensor matrices = at::empty({n, 2, 3});
  auto m = matrices.accessor<float, 3>();
  for (std::int64_t k = 0; k < n; ++k) {
    const double scale = draws.rand() < s.whole ? 1 : draws.uniform(s.smallest, 1);
    const double angle = draws.uniform(-s.turn, s.turn) * std::numbers::pi / 180;
    const double mirror = draws.rand() < 0.5 ? -1 : 1, c = scale * std::cos(angle), sn = scale * std::sin(angle);
    m[k][0][0] = static_cast<float>(c * mirror);
    m[k][0][1] = static_cast<float>(-sn);
    m[k][1][0] = static_cast<float>(sn * mirror);
    m[k][1][1] = static_cast<float>(c);
    for (int axis = 0; axis < 2; ++axis) {
      m[k][axis][2] = static_cast<float>(draws.uniform(-1, 1) * (1 - scale) + 2 * draws.uniform(-s.shift, s.shift));
    }
  }
  return matrices;
}

/// (N,3,3) and (N,3,1): colour → matrix · colour + offset, for saturation, hue, brightness and contrast at once. Hue is
/// a rotation about the grey axis.
std::pair<at::Tensor, at::Tensor> random_colours(std::int64_t n, const ViewSettings& s, RandomStream& draws) {
  at::Tensor matrices = at::empty({n, 3, 3}), offsets = at::empty({n, 3, 1});
  auto m = matrices.accessor<float, 3>();
  static constexpr double weights[3] = {0.2989, 0.587, 0.114};
  for (std::int64_t k = 0; k < n; ++k) {
    const double saturation = draws.rand() < s.grey ? 0 : 1 + draws.uniform(-s.jitter, s.jitter);
    const double gain = (1 + draws.uniform(-s.jitter, s.jitter)) * (1 + draws.uniform(-s.jitter, s.jitter));
    const double angle = draws.uniform(-s.hue, s.hue) * 2 * std::numbers::pi;
    const double c = std::cos(angle), axis = (1 - c) / 3, side = std::sin(angle) / std::sqrt(3.0);
    const double rotation[3] = {c + axis, axis - side, axis + side};
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 3; ++j) {
        const double turned = rotation[(j - i + 3) % 3];
        m[k][i][j] = static_cast<float>(gain * (saturation * turned + (1 - saturation) * weights[j]));
      }
    }
    offsets[k].fill_(0.5 * (1 - gain) + draws.uniform(-s.jitter, s.jitter) * 0.5);
  }
  return {matrices, offsets};
}

}  // namespace

at::Tensor random_views(const at::Tensor& pictures, std::int64_t side, const ViewSettings& settings,
                        RandomStream& draws) {
  // Places are products of matrices too, and bfloat16 would move them by half a pixel.
  const c10::impl::ExcludeDispatchKeyGuard no_mixed_precision(c10::autocast_dispatch_keyset);
  const std::int64_t n = pictures.size(0);
  const at::Tensor grid =
      at::affine_grid_generator(random_places(n, settings, draws).to(pictures.device()), {n, 3, side, side}, false);
  const at::Tensor cut =
      at::grid_sampler_2d(pictures, grid, /*bilinear*/ 0, /*zeros outside*/ 0, /*align_corners*/ false);
  const auto [matrices, offsets] = random_colours(n, settings, draws);
  at::Tensor coloured =
      at::baddbmm(offsets.to(pictures.device()), matrices.to(pictures.device()), cut.reshape({n, 3, side * side}));
  coloured = coloured.clamp_(0, 1).reshape({n, 3, side, side});
  return coloured.add_(noise_on(pictures.device(), coloured.sizes(), draws), settings.noise);
}

at::Tensor clip_input(const at::Tensor& pictures) {
  const auto by_channel = [&](const auto& values) {
    return at::tensor({values[0], values[1], values[2]}, at::kFloat).view({3, 1, 1}).to(pictures.device());
  };
  const at::Tensor mean = by_channel(Clip::mean), deviation = by_channel(Clip::std);
  return (pictures - mean) / deviation;
}

}  // namespace disco
