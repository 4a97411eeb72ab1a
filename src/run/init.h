// What a picture starts from: an init image, Perlin noise, masks.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "settings/settings.h"
#include "tensor/random.h"

namespace disco {

/// Reads a picture and brings it to width × height by PIL's Lanczos: "stretch" (5.7), "crop" (covers, then cut evenly
/// from both sides) or "pad" (fits inside; the rest is middle grey). (1,3,H,W) in [-1,1].
at::Tensor read_init(const std::string& path, std::int64_t width, std::int64_t height, const std::string& fit);

/// A mask picture fitted like the init: (1,1,H,W) in [0,1], white is 1.
at::Tensor read_mask(const std::string& path, std::int64_t width, std::int64_t height, const std::string& fit);

/// How flat a picture is around each pixel: exp(−v/0.002), v the variance of its grey (in [-1,1]) over 9×9 pixels.
/// (1,3,H,W) → (1,1,H,W) in [0,1]; 1 where nothing happens.
at::Tensor flat_areas(const at::Tensor& picture);

/// The init of one picture, in [-1,1], or an undefined tensor: Perlin noise when perlin_init, else the init image with
/// init_noise·mask·N(0,1) added (mask: init_noise_mask, "flat", or everywhere), clamped to [-1,1].
at::Tensor make_init(const Settings& settings, RandomStreams& streams);

/// Mirrors the left half to the right (horizontal), the top half to the bottom (vertical). 5.7's transformation.
at::Tensor mirrored(const at::Tensor& x, bool horizontal, bool vertical);

}  // namespace disco
