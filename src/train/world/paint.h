// A scene as a picture. docs/training.md says what a new sky, ground, subject, style or palette takes.
#pragma once

#include "picture/picture.h"
#include "train/world/canvas.h"
#include "train/world/light.h"
#include "train/world/scene.h"

namespace disco {

/// RGB, side × side; the same scene gives the same bytes. Sides up to 256 that divide 256 are one picture of 256
/// pixels, reduced, so that an upscaler can be trained on pairs. side 1 … 8192.
Picture paint(const Scene& scene, int side);

/// The parts, from back to front, on a canvas.
void paint_sky(Canvas& canvas, const Scene& scene, const Light& light);
void paint_ground(Canvas& canvas, const Scene& scene, const Light& light);
/// Low over the ground, behind the subject, at dawn.
void paint_mist(Canvas& canvas, const Scene& scene);
void paint_subject(Canvas& canvas, const Scene& scene, const Light& light);
/// What lies between the viewer and the subject: rain, falling snow.
void paint_weather(Canvas& canvas, const Scene& scene, const Light& light);

}  // namespace disco
