#include "train/world/style.h"

#include <algorithm>

#include "train/world/style_parts.h"

namespace disco {
namespace {

/// Strokes and cells eat small differences: things are first set apart from what surrounds them.
void set_apart(Raster& raster) {
  const Raster around = blurred(blurred(raster, raster.side / 20), raster.side / 20);
  for (std::size_t i = 0; i < raster.values.size(); ++i) {
    const Pixel more = blend(around.values[i], raster.values[i], 1.4f);
    for (std::size_t c = 0; c < 3; ++c) raster.values[i][c] = std::clamp(more[c], 0.0f, 1.0f);
  }
}

void draw(Raster& raster, Style style, Dice& dice) {
  switch (style) {
    case Style::plain:
      return;
    case Style::oil:
      return oil(raster, dice);
    case Style::watercolour:
      return watercolour(raster, dice);
    case Style::pixel_art:
      return pixel_art(raster);
    case Style::pencil:
      return pencil(raster, dice);
    case Style::ink:
      return ink(raster, dice);
    case Style::stained_glass:
      return stained_glass(raster, dice);
    case Style::low_poly:
      return low_poly(raster, dice);
    case Style::impressionist:
      return impressionist(raster, dice);
    case Style::poster:
      return poster(raster);
  }
}

}  // namespace

void apply_style(Picture& picture, Style style, std::uint64_t seed) {
  if (style == Style::plain) return;
  Raster raster = raster_of(picture);
  set_apart(raster);
  Dice dice(seed, DicePurpose::style);
  draw(raster, style, dice);
  store(raster, picture);
}

}  // namespace disco
