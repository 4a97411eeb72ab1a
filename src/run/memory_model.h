// How much memory the networks take at their peak, from their shapes: the tensors of each evaluation are taken and
// dropped in the order in which the code does so. All numbers are bytes of float32 tensors.
#pragma once

#include <algorithm>
#include <cstdint>

#include "models/clip.h"
#include "models/unet.h"

namespace disco {

/// An evaluation that will be differentiated by its input.
struct GradientMemory {
  double kept = 0;      ///< From its end to its gradient.
  double forward = 0;   ///< The most while it is evaluated, what is kept included.
  double backward = 0;  ///< The most while the gradient is taken, likewise.
};

/// Who computes convolutions: our own take scratch memory, a library's keep their inputs for the gradient.
enum class Convolutions { own, library };

/// Of one picture without a gradient, its result included.
double unet_memory(const UNetConfig& config, std::int64_t width, std::int64_t height,
                   Convolutions by = Convolutions::own);
GradientMemory unet_gradient_memory(const UNetConfig& config, std::int64_t width, std::int64_t height,
                                    Activations activations, Convolutions by = Convolutions::own);
/// Of the UNet's weights that are kept as the kernels read them, and as their adjoints do where there is a gradient.
double kept_forms_memory(const UNetConfig& config, std::int64_t width, std::int64_t height, bool gradient);
/// The same of the image side of a CLIP model, with its gradient.
double kept_forms_memory(const ClipConfig& config);
/// Of the secondary model whose first layer has `channels`.
GradientMemory secondary_gradient_memory(std::int64_t channels, std::int64_t width, std::int64_t height,
                                         Convolutions by = Convolutions::own);
/// Of the losses that compare by LPIPS-VGG.
double lpips_memory(std::int64_t width, std::int64_t height);

struct ClipMemory {
  double cutouts = 0;         ///< Of all cutouts, until their gradient is taken.
  double making_cutouts = 0;  ///< The most while they are made or differentiated, what is kept included.
  double looking = 0;         ///< What embedding them takes at its peak, besides.

  double peak() const { return std::max(making_cutouts, cutouts + looking); }
};

/// A CLIP model's image side looking at `cuts` cutouts, `cuts_at_once` of them together: the most of making them, of
/// embedding them and of their gradients. `width` and `height` are the picture's.
ClipMemory clip_memory(const ClipConfig& config, std::int64_t cuts, std::int64_t cuts_at_once, std::int64_t width,
                       std::int64_t height, Convolutions by = Convolutions::own);
/// The most that a block of the UNet is given and gives.
double largest_convolution(const UNetConfig& config, std::int64_t width, std::int64_t height);

}  // namespace disco
