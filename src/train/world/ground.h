// What grounds are put together from.
#pragma once

#include "train/world/dice.h"
#include "train/world/paint.h"

namespace disco {

/// Waves and the sun's path between two heights, over the whole width.
void water(Canvas& canvas, const Light& light, double top, double bottom, Dice& dice);
/// High waves with foam on them, over water.
void breakers(Canvas& canvas, const Light& light, double top, double bottom, Dice& dice);
/// A row of `count` peaks on the line y = `foot`, with snow on the upper `snow` of each.
void peaks(Canvas& canvas, const Light& light, Dice& dice, double foot, double height, int count, double distance,
           double snow);
/// A conifer standing at `foot`.
void fir(Canvas& canvas, const Light& light, Point foot, double height, double distance, bool snowy);

void mountains(Canvas& canvas, const Scene& scene, const Light& light, Dice& dice);
void forest(Canvas& canvas, const Scene& scene, const Light& light, Dice& dice);
void city(Canvas& canvas, const Scene& scene, const Light& light, Dice& dice);
void cliff(Canvas& canvas, const Scene& scene, const Light& light, Dice& dice);

}  // namespace disco
