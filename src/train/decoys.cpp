#include "train/decoys.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "train/batches.h"
#include "train/degrade.h"

namespace disco {
namespace {

/// Differences of less are of no subject.
constexpr double least_difference = 0.02;

/// `picture` (3,side,side) where `mask` (side,side) is 1, spread by a wide Gaussian.
at::Tensor smeared(const at::Tensor& picture, const at::Tensor& mask, const at::Tensor& behind, RandomStream& draws) {
  const double deviation = draws.uniform(0.09, 0.16) * static_cast<double>(picture.size(2));
  const at::Tensor parts = at::cat({picture * mask, mask.unsqueeze(0)}).unsqueeze(0);
  const at::Tensor spread = blurred(parts, at::full({1}, deviation))[0];
  const at::Tensor share = spread[3], colour = spread.narrow(0, 0, 3) / share.clamp_min(1e-4);
  return behind + (share * draws.uniform(1, 2.5)).clamp_max(1) * (colour - behind);
}

/// One to three soft ellipses near the subject's place, each in the colour of one of the subject's pixels.
at::Tensor dotted(const at::Tensor& picture, const at::Tensor& mask, at::Tensor behind, RandomStream& draws) {
  const std::int64_t side = picture.size(2);
  const at::Tensor places = mask.nonzero();
  const at::Tensor line = (at::arange(side, at::kFloat) + 0.5) / side;
  const at::Tensor middle = places.to(at::kFloat).mean(0) / side;
  const auto centre_y = middle[0].item<double>(), centre_x = middle[1].item<double>();
  const std::int64_t count = draws.randint(1, 4);
  for (std::int64_t k = 0; k < count; ++k) {
    const at::Tensor place = places[draws.randint(0, places.size(0))];
    const at::Tensor colour =
        picture.select(1, place[0].item<std::int64_t>()).select(1, place[1].item<std::int64_t>()).view({3, 1, 1});
    const double turn = draws.uniform(0, std::numbers::pi), long_radius = draws.uniform(0.08, 0.3);
    const double short_radius = long_radius * draws.uniform(0.4, 1), softness = draws.uniform(1, 8);
    const at::Tensor x = (line - (centre_x + draws.uniform(-0.15, 0.15))).unsqueeze(0);
    const at::Tensor y = (line - (centre_y + draws.uniform(-0.2, 0.2))).unsqueeze(1);
    const at::Tensor along = (std::cos(turn) * x + std::sin(turn) * y) / long_radius;
    const at::Tensor across = (std::cos(turn) * y - std::sin(turn) * x) / short_radius;
    const at::Tensor share = at::sigmoid(softness * (1 - along.square() - across.square()));
    behind = behind + share * (colour - behind);
  }
  return behind;
}

}  // namespace

at::Tensor decoys(std::span<const Scene> scenes, const at::Tensor& pictures, RandomStream& draws) {
  std::vector<Scene> empty(scenes.begin(), scenes.end());
  for (Scene& scene : empty) scene.subject = Subject::nothing;
  at::Tensor result = to_signed(paint_batch(empty, static_cast<int>(pictures.size(2))));
  const at::Tensor masks = ((pictures - result).abs().amax(1) > least_difference).to(at::kFloat);
  for (std::int64_t k = 0; k < pictures.size(0); ++k) {
    const bool smears = draws.rand() < 0.5;
    if (masks[k].sum().item<double>() == 0) continue;
    const at::Tensor decoy = smears ? smeared(pictures[k], masks[k], result[k], draws)
                                    : dotted(pictures[k], masks[k], result[k].clone(), draws);
    result[k].copy_(decoy);
  }
  return result;
}

}  // namespace disco
