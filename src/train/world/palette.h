// The colours of a whole picture, changed pixel by pixel after the style.
#pragma once

#include "picture/picture.h"
#include "train/world/scene.h"

namespace disco {

void apply_palette(Picture& picture, Palette palette);

}  // namespace disco
