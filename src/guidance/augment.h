// The augmentations of cutouts, with torchvision's semantics and order of draws. GUIDED-STEP "Cutouts", "Random draws".
// Each draws one set of random parameters and applies it to the whole batch (N,3,h,w); all are differentiable.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <string>

#include "kernels/cut_pixels.h"
#include "tensor/random.h"

namespace disco {

enum class AugmentationList { still, video, three_d };  ///< "None"; "Video Input"; "2D" and "3D".
/// Throws RequestError for any other animation mode.
AugmentationList augmentation_list(const std::string& animation_mode);

/// The whole list in order, noise included. `faithful` keeps the quirk of apply_affine() and apply_perspective().
at::Tensor augment(const at::Tensor& cuts, AugmentationList list, RandomStream& stream, bool faithful);

/// 0.2989 R + 0.587 G + 0.114 B: (N,3,h,w) → (N,1,h,w).
at::Tensor grey(const at::Tensor& x);

enum class Interpolation { nearest, bilinear };

/// A turn about the centre, clockwise as one sees it for positive degrees, then a shift in whole pixels.
struct Affine {
  double degrees = 0;
  std::int64_t right = 0, down = 0;
};
/// degrees and both shifts uniform in ±limit; shifts are shares of the width and the height, rounded to whole pixels.
Affine draw_affine(std::int64_t width, std::int64_t height, double degrees, double shift, RandomStream& stream);
/// Zeros outside. `fade_twice` (bilinear only) multiplies by the equally sampled mask of ones once more, as torchvision
/// does for a fill of 0, which darkens the half-covered pixels of the edge.
at::Tensor apply_affine(const at::Tensor& x, const Affine& affine, Interpolation interpolation, bool fade_twice);

/// {x, y} of the corners TL, TR, BR, BL that the picture's own corners move to.
using Corners = std::array<std::array<std::int64_t, 2>, 4>;
/// Each corner moves inwards by up to distortion·half the side.
Corners draw_corners(std::int64_t width, std::int64_t height, double distortion, RandomStream& stream);
/// Bilinear, zeros outside; `fade_twice` as in apply_affine().
at::Tensor apply_perspective(const at::Tensor& x, const Corners& corners, bool fade_twice);

struct ColourJitter {
  std::array<std::int64_t, 4> order{};  ///< Of brightness 0, contrast 1, saturation 2 and hue 3.
  double brightness = 1, contrast = 1, saturation = 1;
  double hue = 0;  ///< In turns.
};
/// Factors uniform in 1 ± strength, hue in ±hue.
ColourJitter draw_colour_jitter(double strength, double hue, RandomStream& stream);
/// The first three clamp to [0,1]; so does the hue, but for the largest channel.
at::Tensor apply_colour_jitter(const at::Tensor& x, const ColourJitter& jitter);
/// The same for fused_cut_colours().
ColourSteps colour_steps(const ColourJitter& jitter);

}  // namespace disco
