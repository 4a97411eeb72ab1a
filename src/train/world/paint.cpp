#include "train/world/paint.h"

#include <string>

#include "core/error.h"

namespace disco {

Picture paint(const Scene& scene, int side) {
  if (side < 1 || side > 8192) throw RequestError("a picture's side must be 1 to 8192, not " + std::to_string(side));
  // Cairo smooths edges itself; painting twice as large takes the steps out of thin lines.
  constexpr int factor = 2;
  Canvas canvas(side * factor);
  const Canvas::Frame frame(canvas, {scene.mirrored ? 1.0 : 0.0, 0}, scene.mirrored ? -1 : 1, 1);
  paint_sky(canvas, scene);
  paint_ground(canvas, scene);
  paint_subject(canvas, scene);
  paint_foreground(canvas, scene);
  return canvas.reduced(factor);
}

}  // namespace disco
