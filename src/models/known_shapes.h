// The shapes of published models, for measurements without their weights.
#pragma once

#include <optional>
#include <string>

#include "models/clip.h"
#include "models/unet.h"

namespace disco {

/// OpenAI's nine CLIP models, and OpenCLIP's of the same shapes ("ViT-B-32::laion2b_e16"), by any name that
/// find_in_catalog() takes.
std::optional<ClipConfig> known_clip_shape(const std::string& name);
/// A catalogued diffusion model's configuration.
std::optional<UNetConfig> known_unet_shape(const std::string& name);

}  // namespace disco
