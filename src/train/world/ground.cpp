#include "train/world/dice.h"
#include "train/world/paint.h"

namespace disco {
namespace {

Colour horizon_glow(Sky sky) {
  switch (sky) {
    case Sky::day:
      return rgb(0x9fd8f8);
    case Sky::sunset:
      return rgb(0xff9a3c);
    case Sky::night:
      return rgb(0x2a3f80);
    case Sky::storm:
      return rgb(0x8a939a);
    case Sky::dawn:
      return rgb(0xffd9d6);
  }
  return {};
}

void sea(Canvas& canvas, const Scene& scene, Dice& dice) {
  const Colour light = sky_light(scene.sky), glow = horizon_glow(scene.sky);
  canvas.band(scene.horizon, 1,
              {{0, mix(lit(rgb(0x2a86c0), light), glow, 0.45)},
               {0.35, lit(rgb(0x1c6cb0), light)},
               {1, lit(rgb(0x0c3f80), light)}});
  for (int i = 0; i < 16; ++i) {
    const double depth = (i + dice.uniform()) / 16, y = scene.horizon + 0.02 + (0.97 - scene.horizon) * depth;
    const double x = dice.uniform(), half = 0.03 + 0.05 * depth;
    canvas.line({x - half, y}, {x + half, y}, 0.008 + 0.006 * depth, fade(mix(glow, rgb(0xffffff), 0.35), 0.6));
  }
}

void meadow(Canvas& canvas, const Scene& scene, Dice& dice) {
  const Colour light = sky_light(scene.sky);
  canvas.hills(scene.horizon - 0.01, 0.025, 1, dice.uniform(), lit(rgb(0x3f8f3a), light));
  canvas.hills(scene.horizon + 0.09, 0.02, 1.2, dice.uniform(), lit(rgb(0x5cb83c), light));
  static constexpr Colour petals[] = {rgb(0xffe14a), rgb(0xff6a8a), rgb(0xffffff)};
  for (int i = 0; i < 26; ++i) {
    const double size = dice.uniform(0.009, 0.015);
    canvas.ellipse(dice.uniform(), dice.uniform(scene.horizon + 0.14, 0.99), size, size,
                   lit(petals[dice.below(3)], light));
  }
}

void desert(Canvas& canvas, const Scene& scene, Dice& dice) {
  const Colour light = sky_light(scene.sky);
  canvas.hills(scene.horizon, 0.035, 1.3, dice.uniform(), lit(rgb(0xd9a050), light));
  canvas.hills(scene.horizon + 0.1, 0.025, 0.9, dice.uniform(), lit(rgb(0xedc06c), light));
  canvas.hills(scene.horizon + 0.24, 0.02, 1.1, dice.uniform(), lit(rgb(0xe0ac58), light));
  const double x = dice.uniform(0.84, 0.92), y = scene.horizon + 0.2;
  const Colour cactus = lit(rgb(0x2f7d46), light);
  canvas.line({x, y}, {x, y - 0.19}, 0.036, cactus);
  canvas.line({x, y - 0.08}, {x + 0.055, y - 0.08}, 0.026, cactus);
  canvas.line({x + 0.055, y - 0.08}, {x + 0.055, y - 0.14}, 0.026, cactus);
  canvas.line({x, y - 0.05}, {x - 0.05, y - 0.05}, 0.026, cactus);
  canvas.line({x - 0.05, y - 0.05}, {x - 0.05, y - 0.11}, 0.026, cactus);
}

void snow(Canvas& canvas, const Scene& scene, Dice& dice) {
  const Colour light = sky_light(scene.sky);
  const double x = dice.uniform(0.08, 0.2), peak = scene.horizon - 0.22;
  canvas.polygon({{x - 0.3, scene.horizon + 0.05}, {x, peak}, {x + 0.3, scene.horizon + 0.05}},
                 lit(rgb(0x7d8fa8), light));
  canvas.polygon(
      {{x - 0.1, peak + 0.09}, {x, peak}, {x + 0.1, peak + 0.09}, {x + 0.03, peak + 0.07}, {x - 0.03, peak + 0.1}},
      lit(rgb(0xffffff), light));
  canvas.hills(scene.horizon, 0.022, 1, dice.uniform(), lit(rgb(0xd3e2f2), light));
  canvas.hills(scene.horizon + 0.1, 0.02, 1.2, dice.uniform(), lit(rgb(0xf6faff), light));
  canvas.hills(scene.horizon + 0.26, 0.015, 0.9, dice.uniform(), lit(rgb(0xe2ecf8), light));
}

}  // namespace

void paint_ground(Canvas& canvas, const Scene& scene) {
  Dice dice(scene.detail, DicePurpose::ground);
  switch (scene.ground) {
    case Ground::sea:
      return sea(canvas, scene, dice);
    case Ground::meadow:
      return meadow(canvas, scene, dice);
    case Ground::desert:
      return desert(canvas, scene, dice);
    case Ground::snow:
      return snow(canvas, scene, dice);
  }
}

void paint_foreground(Canvas& canvas, const Scene& scene) {
  if (scene.subject == Subject::ship) {
    const Colour light = sky_light(scene.sky);
    for (int i = -2; i <= 2; ++i) {
      canvas.ellipse(scene.x + 0.12 * i, scene.base + 0.01, 0.08, 0.02, lit(rgb(0x4a9ad0), light));
    }
  }
  if (scene.sky == Sky::storm) {
    Dice dice(scene.detail, DicePurpose::sky);
    for (int i = 0; i < 16; ++i) {
      const double x = dice.uniform(), y = dice.uniform(0.2, 0.9);
      canvas.line({x, y}, {x - 0.02, y + 0.07}, 0.006, fade(rgb(0xdfe8f0), 0.4));
    }
  }
}

}  // namespace disco
