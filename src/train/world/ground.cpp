// Grounds of open land and water; those with peaks, trees or buildings are in ground_tall.cpp.
#include "train/world/ground.h"

#include <cmath>
#include <numbers>

namespace disco {

void water(Canvas& canvas, const Light& light, double top, double bottom, Dice& dice) {
  canvas.band(top, bottom,
              {{0, mix(light.at(0x2a86b8), light.horizon, 0.7)},
               {0.3, mix(light.at(0x1f78b8), light.horizon, 0.32)},
               {1, mix(light.at(0x0f4a86), light.zenith, 0.5)}});
  if (light.sun.y > 0.4) {  // A low sun gilds the water.
    cairo_save(canvas.cairo());
    cairo_rectangle(canvas.cairo(), 0, top, 1, bottom - top);
    cairo_clip(canvas.cairo());
    canvas.glow(light.sun.x, top, 0.5, fade(light.source, 0.5));
    cairo_restore(canvas.cairo());
  }
  const double depth = bottom - top;
  // Waves: rows that open towards the viewer, each a bright crest over a dark trough.
  for (int row = 0; row < 11; ++row) {
    const double t = (row + 0.6) / 11, y = top + depth * t * t, reach = 0.02 + 0.085 * t;
    const int count = 3 + static_cast<int>(5 * (1 - t));
    for (int i = 0; i < count; ++i) {
      const double x = dice.uniform(-0.05, 1.05), lift = depth * 0.045 * t, width = 0.003 + 0.008 * t;
      const double low = y + dice.uniform(-0.4, 0.4) * depth * t / 8;
      canvas.stroke({{x - reach, low + width},
                     {x - reach / 3, low + width - lift},
                     {x + reach / 3, low + width - lift},
                     {x + reach, low + width}},
                    width, fade(light.at(0x0b3a72), 0.4));
      canvas.stroke({{x - reach, low}, {x - reach / 3, low - lift}, {x + reach / 3, low - lift}, {x + reach, low}},
                    width, fade(mix(light.horizon, rgb(0xffffff), 0.3), 0.55));
    }
  }
  // The path of the sun or moon on the water.
  for (int i = 0; i < 16; ++i) {
    const double t = (i + 0.5) / 16, y = top + depth * std::pow(t, 1.4);
    const double half = (0.025 + 0.07 * t) * dice.uniform(0.5, 1.1), x = light.sun.x + dice.uniform(-0.03, 0.03) * t;
    canvas.line({x - half, y}, {x + half, y}, 0.004 + 0.007 * t, fade(light.source, 0.62 - 0.3 * t));
  }
}

void breakers(Canvas& canvas, const Light& light, double top, double bottom, Dice& dice) {
  const double depth = bottom - top;
  const Colour back = mix(light.at(0x0b3a72), light.zenith, 0.35), front = mix(light.at(0x2a6a9c), light.horizon, 0.25);
  const Colour foam = mix(light.horizon, rgb(0xffffff), 0.6);
  for (int row = 0; row < 6; ++row) {
    const double t = (row + 0.7) / 6, y = top + depth * t * t, half = 0.05 + 0.13 * t,
                 height = depth * (0.06 + 0.17 * t);
    const int count = 5 - row / 2;
    for (int i = 0; i < count; ++i) {
      const double x = (i + dice.uniform(0.1, 0.9)) / count, h = height * dice.uniform(0.7, 1.15);
      // A steep wave that leans to the right, with a crest of foam that runs down its front.
      canvas.curve(
          {{x - half, y + 0.25 * h}, {x - 0.4 * half, y + 0.1 * h}, {x - 0.1 * half, y - h}, {x + 0.15 * half, y - h}});
      canvas.curve({{x + 0.15 * half, y - h},
                    {x + 0.1 * half, y - 0.5 * h},
                    {x + 0.5 * half, y + 0.2 * h},
                    {x + half, y + 0.25 * h}});
      canvas.fill(i % 2 == 0 ? front : back);
      const double width = 0.006 + 0.014 * t;
      canvas.stroke(
          {{x - 0.35 * half, y - 0.45 * h}, {x - 0.2 * half, y - 0.9 * h}, {x, y - 1.05 * h}, {x + 0.15 * half, y - h}},
          width, fade(foam, 0.95));
      canvas.stroke({{x + 0.15 * half, y - h},
                     {x + 0.3 * half, y - 0.75 * h},
                     {x + 0.2 * half, y - 0.5 * h},
                     {x + 0.3 * half, y - 0.3 * h}},
                    0.7 * width, fade(foam, 0.8));
    }
  }
}

namespace {

void sea(Canvas& canvas, const Scene& scene, const Light& light, Dice& dice) {
  const double y = scene.horizon, x = dice.uniform(0.3, 0.6);
  // A far coast.
  canvas.polygon(
      {{x - 0.25, y + 0.01}, {x - 0.12, y - 0.018}, {x - 0.02, y - 0.008}, {x + 0.1, y - 0.022}, {x + 0.3, y + 0.01}},
      light.at(0x55708a, 0.75));
  water(canvas, light, y, 1, dice);
  if (scene.rough) breakers(canvas, light, y, 1, dice);
}

/// A blade or stalk from the ground up.
void tuft(Canvas& canvas, Dice& dice, Point at, double height, Colour colour) {
  for (int i = -1; i <= 1; ++i) {
    const double lean = (i + dice.uniform(-0.4, 0.4)) * 0.4 * height;
    canvas.line(at, {at.x + lean, at.y - height * (1 - 0.2 * std::abs(i))}, 0.14 * height, colour);
  }
}

void meadow(Canvas& canvas, const Scene& scene, const Light& light, Dice& dice) {
  const double y = scene.horizon;
  canvas.hills(y - 0.03, 0.03, 1.1, dice.uniform(), light.at(0x4f8f6a, 0.55));
  for (int i = 0; i < 12; ++i) {  // Bushes and woods far away.
    const double x = dice.uniform(-0.02, 1.02), r = dice.uniform(0.018, 0.034);
    canvas.ellipse(x, y + 0.015, r * 1.3, r, light.at(0x3c7d4c, 0.35));
  }
  canvas.hills(y + 0.02, 0.02, 1, dice.uniform(), light.at(0x62ad48, 0.2));
  const double phase = dice.uniform();
  canvas.hills(y + 0.1, 0.02, 1.2, phase, light.at(0x5cb83c));
  canvas.hills(y + 0.22, 0.018, 0.9, dice.uniform(), light.at(0x4aa535));
  static constexpr unsigned petals[] = {0xffe14a, 0xff5f86, 0xffffff, 0xb27cf0};
  const unsigned here[] = {petals[dice.below(4)], petals[dice.below(4)]};
  for (int i = 0; i < 70; ++i) {
    const double t = std::sqrt(dice.uniform()), x = dice.uniform(), at = y + 0.1 + (0.88 - y) * t;
    const double size = 0.004 + 0.011 * t;
    if (i % 2 == 0) {
      tuft(canvas, dice, {x, at}, 2.6 * size, light.at(i % 4 == 0 ? 0x2f7d2a : 0x86cf52));
    } else {
      canvas.line({x, at}, {x, at + 2 * size}, 0.3 * size, light.at(0x2f7d2a));
      canvas.ellipse(x, at, size, size * 0.85, light.at(here[static_cast<std::size_t>(i / 2) % 2]));
      canvas.ellipse(x, at, size * 0.35, size * 0.3, light.at(0xc87820));
    }
  }
}

/// A dune whose side away from the sun lies in shadow.
void dune(Canvas& canvas, const Light& light, Point crest, double half, double height, double distance) {
  const double side = light.sun.x < crest.x ? 1 : -1, foot = crest.y + height;
  canvas.curve({{crest.x - side * half, foot},
                {crest.x - side * half * 0.5, foot - height * 0.1},
                {crest.x - side * half * 0.3, crest.y},
                crest});
  canvas.curve({crest,
                {crest.x + side * half * 0.2, crest.y + height * 0.3},
                {crest.x + side * half * 0.5, foot},
                {crest.x + side * half, foot}});
  canvas.fill(light.at(0xf0c878, distance));
  canvas.curve({crest,
                {crest.x - side * 0.1 * half, crest.y + height * 0.4},
                {crest.x + side * half * 0.25, crest.y + height * 0.6},
                {crest.x + side * 0.05 * half, foot}});
  canvas.curve({{crest.x + side * half, foot},
                {crest.x + side * half * 0.5, foot},
                {crest.x + side * half * 0.2, crest.y + height * 0.3},
                crest});
  canvas.fill(light.at(0xb07a3c, distance));
}

void cactus(Canvas& canvas, const Light& light, double x, double y, double size) {
  const Colour green = light.at(0x2f7d46), dark = light.at(0x1d5530);
  const auto limb = [&](std::initializer_list<Point> way, double width) {
    const Point* p = way.begin();
    for (; p + 1 < way.end(); ++p)
      canvas.line({x + size * p[0].x, y + size * p[0].y}, {x + size * p[1].x, y + size * p[1].y}, width * size, dark);
    for (p = way.begin(); p + 1 < way.end(); ++p) {
      canvas.line({x + size * (p[0].x - 0.02), y + size * p[0].y}, {x + size * (p[1].x - 0.02), y + size * p[1].y},
                  width * 0.7 * size, green);
    }
  };
  limb({{0, 0}, {0, -0.9}}, 0.2);
  limb({{0, -0.35}, {0.28, -0.38}, {0.28, -0.68}}, 0.14);
  limb({{0, -0.22}, {-0.25, -0.26}, {-0.25, -0.52}}, 0.14);
}

void desert(Canvas& canvas, const Scene& scene, const Light& light, Dice& dice) {
  const double y = scene.horizon;
  canvas.hills(y, 0.012, 1.3, dice.uniform(), light.at(0xd9a868, 0.5));
  for (int i = 0; i < 4; ++i)
    dune(canvas, light, {0.12 + 0.26 * i + dice.uniform(-0.05, 0.05), y - dice.uniform(0.03, 0.07)}, 0.24, 0.11, 0.4);
  canvas.band(y + 0.035, 1, {{0, light.at(0xe4b566, 0.15)}, {1, light.at(0xe0a850)}});
  dune(canvas, light, {dice.uniform(0.05, 0.2), y + 0.03}, 0.42, 0.12, 0.12);
  dune(canvas, light, {dice.uniform(0.75, 0.95), y + 0.05}, 0.45, 0.13, 0.08);
  canvas.band(y + 0.16, 1, {{0, light.at(0xecc06c)}, {1, light.at(0xd99c48)}});
  for (int i = 0; i < 9; ++i) {  // Ripples of the wind.
    const double t = (i + 0.5) / 9, at = y + 0.18 + (0.82 - y) * t, x = dice.uniform(-0.1, 0.9), reach = 0.1 + 0.15 * t;
    canvas.stroke({{x, at}, {x + reach, at - 0.02}, {x + reach, at + 0.02}, {x + 2 * reach, at}}, 0.004 + 0.006 * t,
                  fade(light.at(0xb07a3c), 0.6));
  }
  cactus(canvas, light, dice.uniform(0.86, 0.92), y + 0.22, 0.21);
  cactus(canvas, light, dice.uniform(0.07, 0.13), y + 0.1, 0.11);
}

void snow(Canvas& canvas, const Scene& scene, const Light& light, Dice& dice) {
  const double y = scene.horizon;
  peaks(canvas, light, dice, y + 0.02, 0.16, 4, 0.6, 0.7);
  canvas.hills(y, 0.02, 1, dice.uniform(), light.at(0xc3d6ec, 0.2));
  for (int i = 0; i < 9; ++i) {
    const double x = dice.uniform(), clear = x < 0.5 ? x * 0.7 : 1 - (1 - x) * 0.7;
    fir(canvas, light, {clear, y + dice.uniform(0.01, 0.05)}, dice.uniform(0.07, 0.11), 0.2, true);
  }
  canvas.hills(y + 0.08, 0.02, 1.2, dice.uniform(), light.at(0xe6f0fa));
  fir(canvas, light, {dice.uniform(0.04, 0.12), y + 0.17}, 0.24, 0, true);
  fir(canvas, light, {dice.uniform(0.9, 0.98), y + 0.14}, 0.2, 0, true);
  canvas.hills(y + 0.14, 0.022, 0.8, dice.uniform(), light.at(0xf8fbff));
  const double phase = dice.uniform();
  canvas.hills(y + 0.26, 0.014, 0.9, phase, light.at(0xcfdff0));
  canvas.hills(y + 0.268, 0.014, 0.9, phase, light.at(0xeef5fd));
}

}  // namespace

void paint_ground(Canvas& canvas, const Scene& scene, const Light& light) {
  Dice dice(scene.detail, DicePurpose::ground);
  switch (scene.ground) {
    case Ground::sea:
      return sea(canvas, scene, light, dice);
    case Ground::meadow:
      return meadow(canvas, scene, light, dice);
    case Ground::desert:
      return desert(canvas, scene, light, dice);
    case Ground::snow:
      return snow(canvas, scene, light, dice);
    case Ground::mountains:
      return mountains(canvas, scene, light, dice);
    case Ground::forest:
      return forest(canvas, scene, light, dice);
    case Ground::city:
      return city(canvas, scene, light, dice);
    case Ground::cliff:
      return cliff(canvas, scene, light, dice);
  }
}

}  // namespace disco
