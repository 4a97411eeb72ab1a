// Grounds with peaks, trees or buildings.
#include <cmath>

#include "train/world/ground.h"

namespace disco {

void peaks(Canvas& canvas, const Light& light, Dice& dice, double foot, double height, int count, double distance,
           double snow) {
  const Colour bright = light.at(0x8f9bb4, distance), dark = light.at(0x56637f, distance);
  const Colour snow_bright = light.at(0xffffff, distance * 0.7), snow_dark = light.at(0xb4c6e4, distance * 0.7);
  for (int i = 0; i < count; ++i) {
    const double x = (i + dice.uniform(0.2, 0.8)) / count, h = height * dice.uniform(0.65, 1.1);
    const double half = h * dice.uniform(0.75, 1.0), top = foot - h;
    const double side = light.sun.x < x ? 1 : -1;  // Of the shadow.
    const double ridge = x + side * half * 0.22;
    canvas.polygon({{x - half, foot}, {x, top}, {x + half, foot}}, bright);
    canvas.polygon({{x, top},
                    {x + side * half * 0.1, top + 0.35 * h},
                    {x + side * half * 0.02, top + 0.55 * h},
                    {ridge, foot},
                    {x + side * half, foot}},
                   dark);
    const double cap = snow * 0.5 * h, w = half * cap / h;
    canvas.polygon({{x - w, top + cap},
                    {x, top},
                    {x + w, top + cap},
                    {x + 0.5 * w, top + 0.72 * cap},
                    {x + 0.15 * w, top + 1.15 * cap},
                    {x - 0.35 * w, top + 0.75 * cap}},
                   snow_bright);
    canvas.polygon({{x, top},
                    {x + side * w, top + cap},
                    {x + side * 0.5 * w, top + 0.72 * cap},
                    {x + side * 0.22 * w, top + 0.9 * cap},
                    {x + side * half * 0.06, top + 0.4 * cap}},
                   snow_dark);
  }
}

void fir(Canvas& canvas, const Light& light, Point foot, double height, double distance, bool snowy) {
  const Colour green = light.at(0x2c6b3f, distance), dark = light.at(0x174a2e, distance);
  const double side = light.sun.x < foot.x ? 1 : -1;
  canvas.rectangle(foot.x - 0.03 * height, foot.y - 0.12 * height, 0.06 * height, 0.13 * height,
                   light.at(0x4a3020, distance));
  for (int i = 0; i < 4; ++i) {
    const double low = foot.y - height * (0.08 + 0.2 * i), top = low - height * (0.42 - 0.03 * i),
                 half = height * (0.27 - 0.055 * i);
    canvas.polygon({{foot.x - half, low}, {foot.x, top}, {foot.x + half, low}}, green);
    canvas.polygon({{foot.x, top}, {foot.x + side * half, low}, {foot.x + side * 0.1 * half, low}}, dark);
    if (snowy) {
      canvas.polygon({{foot.x, top},
                      {foot.x - 0.62 * half, low - 0.38 * (low - top)},
                      {foot.x - 0.15 * half, low - 0.5 * (low - top)},
                      {foot.x + 0.5 * half, low - 0.5 * (low - top)}},
                     light.at(0xf4f9ff, distance));
    }
  }
}

void mountains(Canvas& canvas, const Scene& scene, const Light& light, Dice& dice) {
  const double y = scene.horizon, shore = y + 0.17;
  peaks(canvas, light, dice, y + 0.03, 0.3, 4, 0.55, 0.9);
  peaks(canvas, light, dice, y + 0.03, 0.36, 3, 0.18, 0.95);
  canvas.hills(y, 0.012, 1.6, dice.uniform(), light.at(0x3f7350, 0.25));
  water(canvas, light, y + 0.02, shore + 0.06, dice);
  for (int i = 0; i < 6; ++i)
    fir(canvas, light, {i < 3 ? dice.uniform(0, 0.2) : dice.uniform(0.8, 1), y + 0.035}, dice.uniform(0.05, 0.08), 0.25,
        false);
  if (scene.subject != Subject::bridge) {
    canvas.hills(shore, 0.018, 0.8, 0.55 + 0.2 * dice.uniform(), light.at(0x6fae4e));
    canvas.hills(shore + 0.09, 0.015, 1.1, dice.uniform(), light.at(0x589a40));
    for (int i = 0; i < 9; ++i) {
      const double t = dice.uniform(), r = 0.008 + 0.016 * t;
      canvas.ellipse(dice.uniform(), shore + 0.07 + (0.9 - shore) * t, r * 1.4, r,
                     light.at(i % 2 == 0 ? 0x8b8f98 : 0x6c7078));
    }
  } else {
    water(canvas, light, y + 0.02, 1, dice);
  }
}

void forest(Canvas& canvas, const Scene& scene, const Light& light, Dice& dice) {
  const double y = scene.horizon;
  canvas.hills(y - 0.02, 0.02, 1.2, dice.uniform(), light.at(0x4a7d60, 0.6));
  static constexpr struct {
    int count;
    double drop, height, distance;
  } rows[] = {{16, 0.02, 0.17, 0.55}, {13, 0.05, 0.24, 0.33}, {10, 0.08, 0.32, 0.12}};
  for (const auto& row : rows) {
    canvas.hills(y + row.drop - 0.012, 0.006, 2, 0.3 + row.drop * 9, light.at(0x3a6a40, row.distance));
    for (int i = 0; i < row.count; ++i) {
      const double x = (i + dice.uniform()) / row.count;
      // Lower trees in the middle: a clearing for the subject.
      const double low = 0.55 + 0.45 * std::min(1.0, std::abs(x - scene.x) * 3);
      fir(canvas, light, {x, y + row.drop}, row.height * low * dice.uniform(0.85, 1.15), row.distance, false);
    }
  }
  canvas.hills(y + 0.09, 0.012, 1, dice.uniform(), light.at(0x3f7a3a));
  canvas.hills(y + 0.19, 0.015, 0.8, dice.uniform(), light.at(0x356b30));
  for (int i = 0; i < 34; ++i) {  // Ferns and fallen leaves.
    const double t = std::sqrt(dice.uniform()), x = dice.uniform(), at = y + 0.12 + (0.86 - y) * t, h = 0.01 + 0.03 * t;
    canvas.line({x, at}, {x - 0.6 * h, at - h}, 0.2 * h, light.at(0x6da84a));
    canvas.line({x, at}, {x + 0.6 * h, at - h}, 0.2 * h, light.at(0x54903c));
  }
  fir(canvas, light, {dice.uniform(0.02, 0.08), y + 0.25}, 0.72, 0, false);
  fir(canvas, light, {dice.uniform(0.93, 0.99), y + 0.22}, 0.62, 0, false);
}

namespace {

void building(Canvas& canvas, const Light& light, Dice& dice, double x, double width, double top, double foot,
              double distance) {
  static constexpr unsigned walls[] = {0x7d8797, 0x96887c, 0x6a7a92, 0xa39c92, 0x5f6878};
  const Colour wall = light.at(walls[dice.below(5)], distance);
  const double side = light.sun.x < x ? 1 : -1;
  canvas.rectangle(x, top, width, foot - top, wall);
  canvas.rectangle(side > 0 ? x + 0.65 * width : x, top, 0.35 * width, foot - top, scaled(wall, 0.78));
  if (dice.chance(0.35)) canvas.line({x + width / 2, top}, {x + width / 2, top - 0.06}, 0.006, wall);
  if (dice.chance(0.4)) canvas.rectangle(x + 0.2 * width, top - 0.02, 0.6 * width, 0.021, wall);
  const Colour lamp = mix(rgb(0xffd866), light.horizon, 0.4 * distance), pane = light.at(0xc4dcee, distance);
  const Colour blind = light.at(0x3a4454, distance);
  const double step = 0.026;
  for (double wy = top + 0.018; wy < foot - 0.03; wy += 0.034) {
    for (double wx = x + 0.012; wx < x + width - 0.018; wx += step) {
      const bool on = dice.chance(0.5);
      canvas.rectangle(wx, wy, 0.013, 0.018, light.lamps ? (on ? lamp : blind) : (on ? pane : scaled(pane, 0.75)));
    }
  }
}

}  // namespace

void city(Canvas& canvas, const Scene& scene, const Light& light, Dice& dice) {
  const double foot = scene.horizon + 0.08;
  for (double x = -0.03; x < 1;) {
    const double width = dice.uniform(0.06, 0.11), height = dice.uniform(0.16, 0.38);
    canvas.rectangle(x, foot - height, width, height, light.at(0x6f7c90, 0.6));
    x += width + 0.002;
  }
  for (double x = -0.04; x < 1;) {
    const double width = dice.uniform(0.09, 0.15), away = std::min(1.0, std::abs(x + width / 2 - scene.x) * 2.4);
    building(canvas, light, dice, x, width, foot - dice.uniform(0.1, 0.15) - 0.24 * away * dice.uniform(0.5, 1.0), foot,
             0.15);
    x += width + dice.uniform(0.0, 0.025);
  }
  canvas.band(foot, 1, {{0, light.at(0x8d9096)}, {0.12, light.at(0x70747c)}, {1, light.at(0x565a64)}});
  canvas.rectangle(0, foot, 1, 0.012, light.at(0xc0beb6));
  // The road comes towards the viewer.
  const Point far{0.5, foot + 0.01};
  canvas.polygon({{far.x - 0.12, far.y + 0.02}, {far.x + 0.12, far.y + 0.02}, {far.x + 0.62, 1}, {far.x - 0.62, 1}},
                 light.at(0x3f434c));
  for (int i = 0; i < 4; ++i) {
    const double a = 0.12 + 0.24 * i, b = a + 0.12, drop = 1 - far.y;
    canvas.polygon({{0.5 - 0.006 - 0.02 * a, far.y + drop * a * a},
                    {0.5 + 0.006 + 0.02 * a, far.y + drop * a * a},
                    {0.5 + 0.006 + 0.02 * b, far.y + drop * b * b},
                    {0.5 - 0.006 - 0.02 * b, far.y + drop * b * b}},
                   light.at(0xf2e6b0));
  }
  for (const double side : {-1.0, 1.0}) {
    for (const double near : {0.35, 1.0}) {
      const double x = 0.5 + side * (0.2 + 0.25 * near), y = foot + 0.02 + 0.12 * near, h = 0.1 + 0.16 * near;
      canvas.line({x, y}, {x, y - h}, 0.006 + 0.006 * near, light.at(0x2c3038));
      canvas.line({x, y - h}, {x - side * 0.3 * h, y - h}, 0.006 + 0.004 * near, light.at(0x2c3038));
      if (light.lamps) canvas.glow(x - side * 0.3 * h, y - h + 0.01, 0.1 * near + 0.03, fade(rgb(0xffdf80), 0.7));
      canvas.ellipse(x - side * 0.3 * h, y - h + 0.008, 0.012 * near + 0.004, 0.008 * near + 0.004,
                     light.lamps ? rgb(0xfff2b8) : light.at(0xe8e8e0));
    }
  }
}

void cliff(Canvas& canvas, const Scene& scene, const Light& light, Dice& dice) {
  const double y = scene.horizon;
  water(canvas, light, y, 1, dice);
  if (scene.rough) breakers(canvas, light, y, 1, dice);
  const double top = y + 0.07, edge = 0.33 + dice.uniform(-0.03, 0.03);
  // The rock face, in slabs that lie more and more in shadow.
  canvas.polygon({{edge, top + 0.03}, {1, top - 0.03}, {1, 1}, {edge - 0.12, 1}, {edge - 0.05, top + 0.2}},
                 light.at(0x8a7560));
  for (int i = 0; i < 9; ++i) {
    const double x = edge + 0.08 * i + dice.uniform(-0.02, 0.02), drop = dice.uniform(0.12, 0.3),
                 w = dice.uniform(0.03, 0.07);
    canvas.polygon(
        {{x, top + 0.04}, {x + w, top + 0.04}, {x + w * 0.6, top + drop}, {x - 0.03, 1.02}, {x - 0.05, top + drop}},
        light.at(i % 2 == 0 ? 0x6a5646 : 0xa8917a));
  }
  // Surf at its foot.
  for (int i = 0; i < 8; ++i) {
    const double x = edge - 0.125 + 0.012 * i, at = 0.99 - 0.03 * i, reach = 0.03 + dice.uniform(0, 0.035);
    canvas.stroke({{x - reach, at}, {x - reach / 2, at - 0.012}, {x, at - 0.012}, {x + 0.03, at}}, 0.011,
                  fade(mix(light.at(0xffffff), light.horizon, 0.2), 0.8));
  }
  canvas.curve({{edge - 0.025, top + 0.06},
                {edge + 0.02, top + 0.0},
                {edge + 0.1, top - 0.005},
                {edge + 0.25, top - 0.02},
                {0.8, top - 0.05},
                {0.9, top - 0.05},
                {1.02, top - 0.04}});
  canvas.curve({{1.02, top + 0.1},
                {0.8, top + 0.06},
                {0.6, top + 0.12},
                {edge + 0.1, top + 0.07},
                {edge + 0.06, top + 0.05},
                {edge + 0.03, top + 0.09},
                {edge - 0.025, top + 0.06}});
  canvas.fill_down(top - 0.05, light.at(0x7fc256), top + 0.1, light.at(0x4a8c36));
  for (int i = 0; i < 14; ++i) {
    const double x = dice.uniform(edge + 0.05, 1), at = top + dice.uniform(0.0, 0.05), h = 0.022;
    canvas.line({x, at}, {x + dice.uniform(-0.01, 0.01), at - h}, 0.005, light.at(i % 2 == 0 ? 0x3c7a2c : 0xa4d870));
  }
}

}  // namespace disco
