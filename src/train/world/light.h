// What lights a scene: everything below the sky takes its colours from here.
#pragma once

#include "train/world/canvas.h"
#include "train/world/scene.h"

namespace disco {

struct Light {
  Colour ambient;  ///< What surfaces are multiplied with.
  Colour horizon;  ///< Of the air far away, and of the sky's reflection at the shore.
  Colour zenith;   ///< Of the sky overhead, and of its reflection near the viewer.
  Colour source;   ///< Of the sun, the moon or the northern lights.
  Point sun;       ///< Where that is; in a storm, the lightning.
  bool lamps;      ///< Windows and lamps are lit.

  /// A surface `distance` away (0 … 1): lit, and hidden by haze.
  Colour at(unsigned hex, double distance = 0) const { return mix(lit(rgb(hex), ambient), horizon, 0.75 * distance); }
};

Light light_of(const Scene& scene);

}  // namespace disco
