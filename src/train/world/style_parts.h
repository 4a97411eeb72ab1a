// The single styles; each changes the raster in place.
#pragma once

#include "train/world/raster.h"

namespace disco {

void oil(Raster& raster, Dice& dice);
void impressionist(Raster& raster, Dice& dice);
void watercolour(Raster& raster, Dice& dice);
void pencil(Raster& raster, Dice& dice);
void ink(Raster& raster, Dice& dice);

void pixel_art(Raster& raster);
void poster(Raster& raster);
void stained_glass(Raster& raster, Dice& dice);
void low_poly(Raster& raster, Dice& dice);

}  // namespace disco
