#include "train/world/paint.h"

#include <string>

#include "core/error.h"
#include "train/world/palette.h"
#include "train/world/style.h"

namespace disco {
namespace {

/// Sides below this are painted larger and reduced: strokes and lead lines keep their shapes.
constexpr int working_side = 256;

Picture reduced(const Picture& picture, int factor) {
  Picture small(picture.width / factor, picture.height / factor, 3);
  const int area = factor * factor;
  for (int y = 0; y < small.height; ++y) {
    for (int x = 0; x < small.width; ++x) {
      int sum[3] = {area / 2, area / 2, area / 2};
      for (int j = 0; j < factor; ++j) {
        for (int i = 0; i < factor; ++i) {
          for (int c = 0; c < 3; ++c) sum[c] += picture.at(x * factor + i, y * factor + j, c);
        }
      }
      for (int c = 0; c < 3; ++c) small.at(x, y, c) = static_cast<std::uint8_t>(sum[c] / area);
    }
  }
  return small;
}

}  // namespace

Picture paint(const Scene& scene, int side) {
  if (side < 1 || side > 8192) throw RequestError("a picture's side must be 1 to 8192, not " + std::to_string(side));
  const int factor = (working_side + side - 1) / side;
  Canvas canvas(side * factor);
  {
    const Canvas::Frame frame(canvas, {scene.mirrored ? 1.0 : 0.0, 0}, scene.mirrored ? -1 : 1, 1);
    const Light light = light_of(scene);
    paint_sky(canvas, scene, light);
    paint_ground(canvas, scene, light);
    paint_mist(canvas, scene);
    paint_subject(canvas, scene, light);
    paint_weather(canvas, scene, light);
  }
  Picture picture = canvas.picture();
  apply_style(picture, scene.style, scene.detail);
  apply_palette(picture, scene.palette);
  return factor == 1 ? picture : reduced(picture, factor);
}

}  // namespace disco
