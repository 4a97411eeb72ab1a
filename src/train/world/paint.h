// A scene as a picture. Adding a sky, a ground or a subject: its name in scene.h, its painter in sky.cpp, ground.cpp or
// subject.cpp, its words in captions.cpp.
#pragma once

#include "picture/picture.h"
#include "train/world/canvas.h"
#include "train/world/scene.h"

namespace disco {

/// RGB, side × side; the same scene gives the same bytes. side ≥ 1.
Picture paint(const Scene& scene, int side);

/// The parts, from back to front, on a canvas. `light` is the colour that everything below the sky is lit with.
Colour sky_light(Sky sky);
void paint_sky(Canvas& canvas, const Scene& scene);
void paint_ground(Canvas& canvas, const Scene& scene);
void paint_subject(Canvas& canvas, const Scene& scene);
/// What lies between the viewer and the subject: rain, waves before the hull, grass before the foot.
void paint_foreground(Canvas& canvas, const Scene& scene);

}  // namespace disco
