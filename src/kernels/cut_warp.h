// The geometry of a cutout's augmentations in one operator: mirror, noise, then an affine map or a homography.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/cut_map.h"

namespace disco {

/// Float32 on the processor, (N,C,h,w).
bool fused_cut_warp_applies(const at::Tensor& cuts);

/// cuts (N,C,h,w), mirrored where asked, + noise·strength, sampled at `places` (1,h,w,2): x and y of each result's
/// pixel, in which the picture's sides span −1 to 1. Zeros outside. Differentiable by the cuts. As LibTorch's
/// grid_sampler without aligned corners, within rounding; the bits do not depend on the number of threads.
at::Tensor fused_cut_warp(const at::Tensor& cuts, const at::Tensor& noise, double strength, const at::Tensor& places,
                          CutWarp warp);

}  // namespace disco
