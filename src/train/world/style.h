// Ways of making a picture, as filters over the plain painting. All sizes are shares of the side.
#pragma once

#include <cstdint>

#include "picture/picture.h"
#include "train/world/scene.h"

namespace disco {

/// `seed` places strokes, cells and blots. Takes time in proportion to the pixels.
void apply_style(Picture& picture, Style style, std::uint64_t seed);

}  // namespace disco
