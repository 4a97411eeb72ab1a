#include <algorithm>
#include <cmath>
#include <numbers>

#include "train/world/dice.h"
#include "train/world/paint.h"

namespace disco {
namespace {

using std::numbers::pi;

/// A heap of puffs on a flat foot, shaded below and lit from above.
void cloud(Canvas& canvas, Dice& dice, Point at, double size, Colour bright, Colour dark) {
  struct Puff {
    double x, y, r;
  } puffs[7];
  for (int i = 0; i < 7; ++i) {
    const double along = (i - 3) / 3.0;
    puffs[i] = {at.x + along * 0.85 * size, at.y - (1 - along * along) * size * dice.uniform(0.12, 0.34),
                size * dice.uniform(0.22, 0.34) * (1 - 0.35 * along * along)};
  }
  for (const Puff& p : puffs) canvas.ellipse(p.x, p.y + 0.06 * size, p.r, p.r * 0.8, dark);
  canvas.ellipse(at.x, at.y + 0.08 * size, size * 1.05, size * 0.17, dark);
  for (const Puff& p : puffs) canvas.ellipse(p.x, p.y, p.r * 0.93, p.r * 0.72, bright);
}

/// A thin layer of cloud, lit along its lower edge.
void streak(Canvas& canvas, Point at, double half, double thick, Colour colour, Colour edge) {
  canvas.curve({{at.x - half, at.y},
                {at.x - half / 2, at.y - thick * 1.2},
                {at.x + half / 2, at.y - thick},
                {at.x + half, at.y - thick * 0.2}});
  canvas.curve({{at.x + half, at.y},
                {at.x + half / 2, at.y + thick * 0.6},
                {at.x - half / 2, at.y + thick * 0.8},
                {at.x - half, at.y}});
  canvas.fill_down(at.y - thick, colour, at.y + thick * 0.7, edge);
}

void stars(Canvas& canvas, Dice& dice, const Scene& scene, int count) {
  for (int i = 0; i < count; ++i) {
    const double bright = dice.uniform(), size = 0.003 + 0.0055 * bright * bright;
    const Point at{dice.uniform(), dice.uniform(0, scene.horizon - 0.04)};
    if (bright > 0.8) canvas.glow(at.x, at.y, 0.028, fade(rgb(0xcfe0ff), 0.5));
    canvas.ellipse(at.x, at.y, size, size, mix(rgb(0xfff6dc), rgb(0xcfe0ff), dice.uniform()));
  }
}

void sky_band(Canvas& canvas, const Scene& scene, std::initializer_list<Stop> stops) {
  canvas.band(0, scene.horizon + 0.06, stops);
}

void day(Canvas& canvas, const Scene& scene, const Light& light, Dice& dice) {
  sky_band(canvas, scene, {{0, light.zenith}, {0.55, rgb(0x6db8f0)}, {1, light.horizon}});
  canvas.glow(light.sun.x, light.sun.y, 0.3, fade(rgb(0xfff6c0), 0.75));
  for (int i = 0; i < 12; ++i) {
    const double angle = pi / 6 * i, c = std::cos(angle), s = std::sin(angle);
    canvas.line({light.sun.x + 0.1 * c, light.sun.y + 0.1 * s}, {light.sun.x + 0.14 * c, light.sun.y + 0.14 * s}, 0.01,
                fade(rgb(0xfff3a8), 0.8));
  }
  canvas.ellipse(light.sun.x, light.sun.y, 0.078, 0.078, rgb(0xffe14e));
  canvas.ellipse(light.sun.x - 0.01, light.sun.y - 0.01, 0.058, 0.058, rgb(0xfff08a));
  const Colour white = rgb(0xffffff), shade = rgb(0xbcd3ea);
  cloud(canvas, dice, {dice.uniform(0.74, 0.86), dice.uniform(0.17, 0.26)}, 0.16, white, shade);
  cloud(canvas, dice, {dice.uniform(0.08, 0.26), dice.uniform(0.4, 0.46)}, 0.11, white, shade);
  cloud(canvas, dice, {dice.uniform(0.42, 0.62), dice.uniform(0.1, 0.5)}, 0.085, white, shade);
  cloud(canvas, dice, {dice.uniform(0.8, 0.98), dice.uniform(0.46, 0.52)}, 0.08, mix(white, light.horizon, 0.3),
        mix(shade, light.horizon, 0.4));
}

void sunset(Canvas& canvas, const Scene& scene, const Light& light, Dice& dice) {
  sky_band(canvas, scene,
           {{0, light.zenith}, {0.3, rgb(0xa52e62)}, {0.6, rgb(0xec5f34)}, {0.85, rgb(0xfca03c)}, {1, rgb(0xffcf5e)}});
  canvas.glow(light.sun.x, light.sun.y, 0.5, fade(rgb(0xffe38a), 0.65));
  for (int i = 0; i < 7; ++i) {
    const double y = dice.uniform(0.06, 0.48), x = dice.uniform(-0.05, 1.05);
    const double depth = y / 0.5;
    streak(canvas, {x, y}, dice.uniform(0.16, 0.32), 0.03 - 0.012 * depth,
           fade(mix(rgb(0x5a1f5e), rgb(0xa8324c), depth), 0.85), fade(rgb(0xff9550), 0.9));
  }
  canvas.ellipse(light.sun.x, light.sun.y, 0.1, 0.1, rgb(0xf7813a));
  canvas.ellipse(light.sun.x, light.sun.y, 0.088, 0.088, rgb(0xfff2a8));
}

void night(Canvas& canvas, const Scene& scene, const Light& light, Dice& dice) {
  sky_band(canvas, scene, {{0, light.zenith}, {0.55, rgb(0x16286a)}, {1, rgb(0x4a6cb4)}});
  for (int i = 0; i < 9; ++i) {  // The milky way.
    const double t = i / 8.0;
    canvas.glow(0.05 + 0.6 * t, 0.55 - 0.6 * t, 0.13, fade(rgb(0x7f8fd8), 0.14));
  }
  stars(canvas, dice, scene, 95);
  canvas.glow(light.sun.x, light.sun.y, 0.28, fade(rgb(0xbfd0ff), 0.5));
  canvas.ellipse(light.sun.x, light.sun.y, 0.088, 0.088, light.source);
  for (const auto& [x, y, r] : {std::array{-0.03, -0.02, 0.02}, std::array{0.025, 0.02, 0.026},
                                std::array{0.03, -0.04, 0.013}, std::array{-0.02, 0.045, 0.014}}) {
    canvas.ellipse(light.sun.x + x, light.sun.y + y, r, r, fade(rgb(0xcdc9a8), 0.7));
  }
}

void lightning(Canvas& canvas, Dice& dice, const Scene& scene, Point from) {
  const auto bolt = [&](Point at, double bottom, double width, double lean) {
    std::array<Point, 8> way{};
    const double top = at.y;
    for (std::size_t i = 0; i < way.size(); ++i) {
      const double t = static_cast<double>(i) / 7;
      way[i] = {at.x + lean * t + (i == 0 ? 0 : (i % 2 == 0 ? 1 : -1) * dice.uniform(0.012, 0.035)),
                top + (bottom - top) * t};
    }
    for (const bool core : {false, true}) {
      for (std::size_t i = 1; i < way.size(); ++i) {
        const double thin = width * (1.2 - static_cast<double>(i) / 8);
        canvas.line(way[i - 1], way[i], core ? thin : thin * 3, core ? rgb(0xfffbe0) : fade(rgb(0xb8c8ff), 0.3));
      }
    }
    return way[3];
  };
  canvas.glow(from.x, from.y, 0.34, fade(rgb(0xe4e8ff), 0.7));
  const Point fork = bolt({from.x, 0.16}, scene.horizon, 0.014, -0.02);
  bolt(fork, scene.horizon - 0.1, 0.008, 0.13);
}

void storm(Canvas& canvas, const Scene& scene, const Light& light, Dice& dice) {
  sky_band(canvas, scene, {{0, light.zenith}, {0.6, rgb(0x565f68)}, {1, rgb(0x98a2a6)}});
  for (int i = 0; i < 5; ++i) {
    const Point at{0.02 + 0.24 * i + dice.uniform(-0.05, 0.05), dice.uniform(0.25, 0.33)};
    cloud(canvas, dice, at, 0.19, rgb(0x59626b), rgb(0x414951));
  }
  for (int i = 0; i < 5; ++i) {
    const Point at{0.1 + 0.22 * i + dice.uniform(-0.06, 0.06), dice.uniform(0.13, 0.19)};
    cloud(canvas, dice, at, 0.21, rgb(0x3f464e), rgb(0x2b3037));
  }
  for (int i = 0; i < 4; ++i) {
    cloud(canvas, dice, {0.05 + 0.3 * i + dice.uniform(-0.06, 0.06), dice.uniform(0.01, 0.05)}, 0.24, rgb(0x2b3037),
          rgb(0x1d2127));
  }
  lightning(canvas, dice, scene, light.sun);
}

void dawn(Canvas& canvas, const Scene& scene, const Light& light, Dice& dice) {
  sky_band(canvas, scene,
           {{0, light.zenith}, {0.4, rgb(0xd2b4e0)}, {0.72, rgb(0xfbbcc4)}, {0.9, rgb(0xffd9b4)}, {1, rgb(0xfff0cc)}});
  canvas.glow(light.sun.x, light.sun.y, 0.45, fade(rgb(0xfffbe6), 0.9));
  for (int i = 0; i < 7; ++i) {  // Beams from below the horizon.
    const double angle = pi * (i + 0.5) / 7, half = 0.075;
    canvas.curve({{light.sun.x, light.sun.y}});
    for (const double side : {-half, half}) {
      canvas.curve({{light.sun.x + 1.3 * std::cos(angle + side), light.sun.y - 1.3 * std::sin(angle + side)}});
    }
    canvas.fill_down(0, fade(rgb(0xfff6dc), 0.1), light.sun.y, fade(rgb(0xfff6dc), 0.5));
  }
  for (int i = 0; i < 7; ++i) {
    const double y = dice.uniform(0.08, 0.46), x = dice.uniform(-0.05, 1.05);
    streak(canvas, {x, y}, dice.uniform(0.14, 0.28), 0.026, fade(rgb(0xe6a8cc), 0.75), fade(rgb(0xffe6d2), 0.9));
  }
  canvas.ellipse(light.sun.x, light.sun.y, 0.09, 0.09, rgb(0xffb48e));
  canvas.ellipse(light.sun.x, light.sun.y, 0.078, 0.078, rgb(0xfffdf2));
}

/// Curtains of light: strips side by side along a winding foot, each fading upwards.
void aurora(Canvas& canvas, const Scene& scene, const Light& light, Dice& dice) {
  sky_band(canvas, scene, {{0, light.zenith}, {0.6, rgb(0x0d2b45)}, {1, rgb(0x1f5a62)}});
  stars(canvas, dice, scene, 60);
  static constexpr unsigned hues[] = {0x9a5cf0, 0x2fd8c8, 0x4dff9a};
  for (int curtain = 0; curtain < 3; ++curtain) {
    const Colour hue = rgb(hues[curtain]);
    const double foot = 0.26 + 0.12 * curtain, phase = dice.uniform(), tall = 0.24 + 0.03 * curtain;
    constexpr int strips = 48;
    for (int i = 0; i < strips; ++i) {
      const double x = (i + 0.5) / strips, turn = 2 * pi * (x * 1.1 + phase);
      const double y = foot + 0.07 * std::sin(turn) + 0.025 * std::sin(2.7 * turn);
      const double bright = 0.4 + 0.3 * std::sin(3.1 * turn + 1) + 0.15 * dice.uniform();
      const double top = y - tall * (0.75 + 0.25 * dice.uniform());
      cairo_rectangle(canvas.cairo(), x - 0.6 / strips, top, 1.2 / strips, y - top);
      canvas.fill_down(top, fade(mix(hue, rgb(0xb060ff), 0.5), 0), y, fade(hue, std::clamp(bright, 0.12, 0.8)));
      cairo_rectangle(canvas.cairo(), x - 0.6 / strips, y, 1.2 / strips, 0.04);
      canvas.fill_down(y, fade(hue, std::clamp(bright, 0.12, 0.8)), y + 0.04, fade(hue, 0));
    }
  }
}

}  // namespace

void paint_sky(Canvas& canvas, const Scene& scene, const Light& light) {
  Dice dice(scene.detail, DicePurpose::sky);
  switch (scene.sky) {
    case Sky::day:
      return day(canvas, scene, light, dice);
    case Sky::sunset:
      return sunset(canvas, scene, light, dice);
    case Sky::night:
      return night(canvas, scene, light, dice);
    case Sky::storm:
      return storm(canvas, scene, light, dice);
    case Sky::dawn:
      return dawn(canvas, scene, light, dice);
    case Sky::aurora:
      return aurora(canvas, scene, light, dice);
  }
}

void paint_mist(Canvas& canvas, const Scene& scene) {
  if (scene.sky != Sky::dawn) return;
  Dice dice(scene.detail, DicePurpose::sky);
  for (int i = 0; i < 5; ++i) {
    const Point middle{dice.uniform(), scene.horizon + 0.03 + 0.03 * i};
    const Canvas::Frame flat(canvas, middle, dice.uniform(0.3, 0.5), 0.035);
    canvas.glow(0, 0, 1, fade(rgb(0xfff4ee), 0.6));
  }
}

void paint_weather(Canvas& canvas, const Scene& scene, const Light& light) {
  Dice dice(scene.detail, DicePurpose::sky);
  if (scene.sky == Sky::storm) {
    for (int i = 0; i < 60; ++i) {
      const double x = dice.uniform(0, 1.1), y = dice.uniform(0.2, 0.95), length = dice.uniform(0.05, 0.1);
      canvas.line({x, y}, {x - 0.3 * length, y + length}, 0.004, fade(rgb(0xdfe8f0), 0.42));
    }
    return;
  }
  if (scene.ground == Ground::snow && scene.sky != Sky::aurora && scene.sky != Sky::night) {
    for (int i = 0; i < 36; ++i) {
      const double size = dice.uniform(0.003, 0.008);
      canvas.ellipse(dice.uniform(), dice.uniform(), size, size, fade(mix(rgb(0xffffff), light.horizon, 0.2), 0.8));
    }
  }
}

}  // namespace disco
