// Pictures as the guidance shows them to CLIP.
#pragma once

#include <ATen/core/Tensor.h>

#include "tensor/random.h"

namespace disco {

struct ViewSettings {
  double whole = 0.4;     ///< Share of pictures that are shown whole, as overview cuts are.
  double smallest = 0.7;  ///< The least side of an inner cut, as a share of the picture's.
  double turn = 10;       ///< Degrees to either side.
  double shift = 0.05;    ///< Shares of the side.
  double grey = 0.12;     ///< Share of pictures without colour.
  double jitter = 0.12;   ///< Of brightness, contrast and saturation.
  double hue = 0.06;      ///< Of a turn.
  double noise = 0.02;    ///< Deviation.
};

/// pictures (N,3,H,H) in [0,1] → (N,3,side,side): each cropped, turned, moved, mirrored and coloured by draws of its
/// own.
at::Tensor random_views(const at::Tensor& pictures, std::int64_t side, const ViewSettings& settings,
                        RandomStream& draws);

/// (N,3,H,W) in [0,1] → what Clip::encode_image takes.
at::Tensor clip_input(const at::Tensor& pictures);

}  // namespace disco
