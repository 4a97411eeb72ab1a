// The end of a cutout's augmentations in one operator: noise, grey or not, noise, colour jitter. GUIDED-STEP "Cutouts".
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "kernels/cut_pixels.h"

namespace disco {

/// Float32 on the processor, (N,3,h,w).
bool fused_cut_colours_applies(const at::Tensor& cuts);

/// cuts (N,3,h,w) + first·strength, made grey where asked, + second·strength, then the steps of colour jitter.
/// Differentiable by the cuts; only the values that the steps see are kept for that. Within 1e-5 of LibTorch's
/// operators, relative to the largest value; the bits do not depend on the number of threads.
at::Tensor fused_cut_colours(const at::Tensor& cuts, const at::Tensor& first, const at::Tensor& second, double strength,
                             bool grey, const std::optional<ColourSteps>& steps);

}  // namespace disco
