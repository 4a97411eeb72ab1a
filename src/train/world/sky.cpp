#include <array>

#include "train/world/dice.h"
#include "train/world/paint.h"

namespace disco {
namespace {

void cloud(Canvas& canvas, Dice& dice, double x, double y, double size, Colour colour) {
  for (int i = 0; i < 4; ++i) {
    const double along = (i - 1.5) * 0.42;
    canvas.ellipse(x + along * size, y - dice.uniform(0, 0.12) * size, size * dice.uniform(0.3, 0.4),
                   size * dice.uniform(0.2, 0.28), colour);
  }
  canvas.ellipse(x, y + 0.06 * size, size * 0.95, size * 0.16, colour);
}

void day(Canvas& canvas, const Scene& scene, Dice& dice) {
  canvas.band(0, scene.horizon + 0.05, {{0, rgb(0x2f7fe0)}, {1, rgb(0xb8e2fa)}});
  const double x = dice.uniform(0.12, 0.22), y = dice.uniform(0.12, 0.2);
  canvas.glow(x, y, 0.22, fade(rgb(0xfff6c0), 0.8));
  canvas.ellipse(x, y, 0.075, 0.075, rgb(0xffe95a));
  cloud(canvas, dice, dice.uniform(0.75, 0.88), dice.uniform(0.14, 0.24), 0.17, rgb(0xffffff));
  cloud(canvas, dice, dice.uniform(0.1, 0.3), dice.uniform(0.38, 0.46), 0.12, rgb(0xffffff));
}

void sunset(Canvas& canvas, const Scene& scene, Dice& dice) {
  canvas.band(0, scene.horizon + 0.05,
              {{0, rgb(0x5a1e6e)}, {0.35, rgb(0xc0345a)}, {0.7, rgb(0xf4762a)}, {1, rgb(0xffc843)}});
  const double x = dice.uniform(0.76, 0.86);
  canvas.glow(x, scene.horizon - 0.06, 0.3, fade(rgb(0xfff09a), 0.8));
  canvas.ellipse(x, scene.horizon - 0.06, 0.11, 0.11, rgb(0xfff2a8));
  for (int i = 0; i < 3; ++i) {
    canvas.ellipse(dice.uniform(0.05, 0.95), dice.uniform(0.1, 0.42), dice.uniform(0.14, 0.24), 0.018,
                   fade(rgb(0x7a2050), 0.75));
  }
}

void night(Canvas& canvas, const Scene& scene, Dice& dice) {
  canvas.band(0, scene.horizon + 0.05, {{0, rgb(0x050a26)}, {1, rgb(0x1c2f66)}});
  for (int i = 0; i < 24; ++i) {
    const double size = dice.uniform(0.009, 0.014);
    canvas.ellipse(dice.uniform(), dice.uniform(0, scene.horizon - 0.06), size, size, rgb(0xfdfbe8));
  }
  const double x = dice.uniform(0.8, 0.88), y = dice.uniform(0.13, 0.2);
  canvas.glow(x, y, 0.2, fade(rgb(0xdfe8ff), 0.5));
  canvas.ellipse(x, y, 0.085, 0.085, rgb(0xf6f3d8));
}

void storm(Canvas& canvas, const Scene& scene, Dice& dice) {
  canvas.band(0, scene.horizon + 0.05, {{0, rgb(0x23272e)}, {1, rgb(0x7d868c)}});
  for (int i = 0; i < 4; ++i) {
    cloud(canvas, dice, 0.12 + 0.26 * i + dice.uniform(-0.05, 0.05), dice.uniform(0.06, 0.13), 0.24, rgb(0x33383f));
  }
  for (int i = 0; i < 3; ++i) {
    cloud(canvas, dice, 0.15 + 0.35 * i + dice.uniform(-0.05, 0.05), dice.uniform(0.02, 0.05), 0.22, rgb(0x4b525a));
  }
  const double x = dice.uniform(0.1, 0.2), y = scene.horizon;
  canvas.polygon({{x + 0.03, 0.14},
                  {x + 0.09, 0.14},
                  {x + 0.05, y * 0.5},
                  {x + 0.09, y * 0.5},
                  {x - 0.02, y - 0.02},
                  {x + 0.02, y * 0.58},
                  {x - 0.02, y * 0.58}},
                 rgb(0xfff7a0));
}

void dawn(Canvas& canvas, const Scene& scene, Dice& dice) {
  canvas.band(0, scene.horizon + 0.05, {{0, rgb(0x9fb4e8)}, {0.5, rgb(0xf2b6d2)}, {1, rgb(0xffeecb)}});
  const double x = dice.uniform(0.15, 0.26);
  canvas.glow(x, scene.horizon, 0.34, fade(rgb(0xfffbe6), 0.9));
  canvas.ellipse(x, scene.horizon, 0.08, 0.08, rgb(0xfffdf2));
  for (int i = 0; i < 3; ++i) {
    canvas.ellipse(dice.uniform(0.05, 0.95), dice.uniform(0.08, 0.38), dice.uniform(0.12, 0.2), 0.02,
                   fade(rgb(0xffdbe6), 0.9));
  }
}

}  // namespace

Colour sky_light(Sky sky) {
  switch (sky) {
    case Sky::day:
      return {1, 1, 1};
    case Sky::sunset:
      return {1, 0.8, 0.66};
    case Sky::night:
      return {0.46, 0.52, 0.76};
    case Sky::storm:
      return {0.66, 0.7, 0.74};
    case Sky::dawn:
      return {1, 0.9, 0.92};
  }
  return {1, 1, 1};
}

void paint_sky(Canvas& canvas, const Scene& scene) {
  Dice dice(scene.detail, DicePurpose::sky);
  switch (scene.sky) {
    case Sky::day:
      return day(canvas, scene, dice);
    case Sky::sunset:
      return sunset(canvas, scene, dice);
    case Sky::night:
      return night(canvas, scene, dice);
    case Sky::storm:
      return storm(canvas, scene, dice);
    case Sky::dawn:
      return dawn(canvas, scene, dice);
  }
}

}  // namespace disco
