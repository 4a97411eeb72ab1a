#include <cmath>
#include <numbers>

#include "train/world/brush.h"

namespace disco {

using std::numbers::pi;

void lighthouse(Brush& b) {
  const auto half = [](double y) { return 0.15 + 0.08 * y; };  // of the tower, at height −y
  const auto ring = [&](double low, double high, Colour colour) {
    b.shape({{-half(low), low}, {half(low), low}, {half(high), high}, {-half(high), high}}, colour);
  };
  if (b.lamps) {
    b.canvas.polygon({{0, -0.86}, {0.95, -1.06}, {0.95, -0.74}}, fade(rgb(0xfff2a0), 0.42));
    b.canvas.polygon({{0, -0.86}, {-0.95, -1.06}, {-0.95, -0.74}}, fade(rgb(0xfff2a0), 0.42));
  }
  ring(0, -0.78, b(0xf7f3ea));
  for (int i = 0; i < 3; ++i) ring(-0.1 - 0.26 * i, -0.23 - 0.26 * i, b.body(0xd8262c));
  b.shape({{-0.19, 0.02}, {0.19, 0.02}, {0.17, -0.04}, {-0.17, -0.04}}, b(0x8d8a94));
  b.canvas.rectangle(-0.04, -0.1, 0.08, 0.1, b(0x553322));
  for (const double y : {-0.35, -0.6}) b.canvas.rectangle(-0.02, y, 0.04, 0.06, b.window());
  b.canvas.rectangle(-0.13, -0.8, 0.26, 0.035, b(0x303038));
  b.canvas.rectangle(-0.075, -0.92, 0.15, 0.12, rgb(0xffe46a));
  for (const double x : {-0.075, -0.006, 0.063}) b.canvas.rectangle(x, -0.92, 0.012, 0.12, b(0x303038));
  b.shape({{-0.11, -0.91}, {0, -1.03}, {0.11, -0.91}}, b.body(0xb01c22));
  if (b.lamps) b.canvas.glow(0, -0.86, 0.2, fade(rgb(0xfff6b8), 0.8));
}

namespace {

void battlements(Brush& b, double x, double y, double width, int count, Colour colour) {
  const double tooth = width / (2 * count - 1);
  for (int i = 0; i < count; ++i) b.canvas.rectangle(x + 2 * i * tooth, y - tooth, tooth, tooth * 1.1, colour);
}

void flag(Brush& b, double x, double y, double size) {
  b.canvas.line({x, y}, {x, y - size}, 0.012, b(0x3a2a20));
  b.canvas.polygon({{x, y - size}, {x + size, y - 0.75 * size}, {x, y - 0.5 * size}}, b(0xd8262c));
}

}  // namespace

void castle(Brush& b) {
  const Colour wall = b(0x97939e), turret = b(0xb0adb8), roof = b(0x4558ac);
  b.box(-0.16, -0.74, 0.32, 0.74, b(0xa29fac));
  battlements(b, -0.18, -0.73, 0.36, 5, b(0xa29fac));
  b.box(-0.07, -0.84, 0.14, 0.12, turret);
  b.shape({{-0.1, -0.83}, {0, -1.0}, {0.1, -0.83}}, roof);
  b.box(-0.4, -0.4, 0.8, 0.4, wall);
  battlements(b, -0.4, -0.4, 0.8, 8, wall);
  for (const double x : {-0.43, 0.43}) {
    b.box(x - 0.1, -0.58, 0.2, 0.58, turret);
    b.shape({{x - 0.14, -0.57}, {x, -0.84}, {x + 0.14, -0.57}}, roof);
    b.canvas.rectangle(x - 0.025, -0.48, 0.05, 0.1, b.window());
    b.canvas.rectangle(x - 0.02, -0.26, 0.04, 0.08, b.window());
    flag(b, x, -0.83, 0.11);
  }
  b.canvas.rectangle(-0.09, -0.6, 0.05, 0.11, b.window());
  b.canvas.rectangle(0.04, -0.6, 0.05, 0.11, b.window());
  for (const double x : {-0.25, 0.21}) b.canvas.rectangle(x, -0.26, 0.04, 0.09, b.window());
  b.canvas.ellipse(0, -0.18, 0.105, 0.12, b(0x5c5862));
  b.canvas.rectangle(-0.105, -0.18, 0.21, 0.18, b(0x5c5862));
  b.canvas.ellipse(0, -0.17, 0.08, 0.1, b(0x33241c));
  b.canvas.rectangle(-0.08, -0.17, 0.16, 0.17, b(0x33241c));
}

void windmill(Brush& b, Dice& dice) {
  b.shape({{-0.2, 0}, {0.2, 0}, {0.115, -0.62}, {-0.115, -0.62}}, b(0xdcb78c));
  b.shape({{-0.21, 0.01}, {0.21, 0.01}, {0.185, -0.12}, {-0.185, -0.12}}, b(0x9a6b4c));
  b.curves({{-0.15, -0.6}, {-0.12, -0.74}, {-0.05, -0.79}, {0, -0.79}, {0.05, -0.79}, {0.12, -0.74}, {0.15, -0.6}},
           b(0x7a3b2a));
  b.canvas.rectangle(-0.05, -0.16, 0.1, 0.16, b(0x50301e));
  for (const double y : {-0.3, -0.46}) b.canvas.rectangle(-0.035, y, 0.07, 0.08, b.window());
  const double turn = pi / 4 + dice.uniform(-0.25, 0.25);
  for (int i = 0; i < 4; ++i) {
    const double angle = turn + i * pi / 2, c = std::cos(angle), s = std::sin(angle);
    const auto at = [&](double along, double aside) {
      return Point{along * c - aside * s, -0.64 + along * s + aside * c};
    };
    b.canvas.polygon({at(0.1, 0), at(0.48, 0), at(0.48, 0.14), at(0.1, 0.12)}, b(0xfffdf4));
    for (const double rib : {0.2, 0.3, 0.4}) b.canvas.line(at(rib, 0), at(rib, 0.13), 0.012, b(0xa88a6a));
    b.canvas.line(at(0, 0), at(0.49, 0), 0.032, b(0x4a2c17));
  }
  b.canvas.ellipse(0, -0.64, 0.045, 0.045, b(0x33241c));
}

void house(Brush& b) {
  b.box(0.17, -0.84, 0.1, 0.3, b(0x8a4a3a));
  b.canvas.rectangle(0.155, -0.86, 0.13, 0.035, b(0x5e3026));
  b.box(-0.37, -0.44, 0.74, 0.44, b.body(0xf3dfae));
  b.canvas.rectangle(-0.37, -0.05, 0.74, 0.05, b(0x8d8578));
  b.shape({{-0.48, -0.41}, {-0.3, -0.82}, {0.3, -0.82}, {0.48, -0.41}}, b(0xb5412f));
  for (const double y : {-0.5, -0.6, -0.7}) {
    const double half = 0.48 + (y + 0.41) * 0.44;
    b.canvas.line({-half + 0.01, y}, {half - 0.01, y}, 0.012, b(0x8f3022));
  }
  b.canvas.rectangle(-0.47, -0.425, 0.94, 0.03, b(0x7a2a1e));
  b.canvas.rectangle(-0.075, -0.27, 0.15, 0.27, b(0x6b3d1e));
  b.canvas.ellipse(0.045, -0.13, 0.012, 0.012, b(0xf2c84a));
  for (const double x : {-0.3, 0.14}) {
    b.canvas.rectangle(x, -0.33, 0.16, 0.17, b(0xffffff));
    for (const double pane : {0.015, 0.085}) {
      b.canvas.rectangle(x + pane, -0.315, 0.06, 0.06, b.lamps ? b.window() : b(0x5aa0d8));
      b.canvas.rectangle(x + pane, -0.24, 0.06, 0.06, b.lamps ? b.window() : b(0x4a8cc4));
    }
  }
  if (b.lamps) b.canvas.glow(0, -0.24, 0.55, fade(rgb(0xffcf60), 0.22));
  b.canvas.ellipse(0.25, -0.92, 0.055, 0.04, fade(b(0xe8e8e8), 0.8));
  b.canvas.ellipse(0.31, -0.99, 0.075, 0.05, fade(b(0xe8e8e8), 0.65));
  b.canvas.ellipse(0.4, -1.06, 0.09, 0.055, fade(b(0xe8e8e8), 0.45));
}

void tower(Brush& b) {
  const Colour stone = b.body(0xb59f84), mortar = scaled(stone, 0.72);
  b.shape({{-0.2, 0.02}, {0.2, 0.02}, {0.145, -0.12}, {-0.145, -0.12}}, scaled(stone, 0.85));
  b.box(-0.14, -0.74, 0.28, 0.74, stone);
  for (int row = 0; row < 8; ++row) {
    const double y = -0.08 - 0.085 * row;
    for (int i = 0; i < 2; ++i) {
      const double x = -0.11 + 0.13 * i + 0.05 * (row % 2);
      b.canvas.line({x, y}, {x + 0.055, y}, 0.012, fade(mortar, 0.8));
    }
  }
  b.shape({{-0.14, -0.7}, {0.14, -0.7}, {0.2, -0.77}, {-0.2, -0.77}}, scaled(stone, 0.8));
  b.box(-0.2, -0.84, 0.4, 0.075, stone);
  battlements(b, -0.2, -0.83, 0.4, 4, stone);
  for (const double y : {-0.32, -0.56}) {
    b.canvas.rectangle(-0.03, y, 0.06, 0.11, b.window());
    b.canvas.ellipse(0, y, 0.03, 0.035, b.window());
  }
  b.canvas.rectangle(-0.055, -0.13, 0.11, 0.14, b(0x3a281c));
  b.canvas.ellipse(0, -0.13, 0.055, 0.06, b(0x3a281c));
  flag(b, 0, -0.84, 0.2);
}

void bridge(Brush& b) {
  // Three stone arches over the whole width; the openings are left out of one outline (even-odd).
  cairo_t* cr = b.canvas.cairo();
  const double top = -0.52, thick = 0.16;
  b.canvas.curve({{-1.2, top + 0.16},
                  {-0.6, top},
                  {-0.2, top - 0.06},
                  {0, top - 0.06},
                  {0.2, top - 0.06},
                  {0.6, top},
                  {1.2, top + 0.16}});
  cairo_line_to(cr, 1.2, 0.06);
  cairo_line_to(cr, -1.2, 0.06);
  cairo_close_path(cr);
  for (const double x : {-0.68, 0.0, 0.68}) {
    const double half = x == 0 ? 0.29 : 0.25, crown = top + thick + (x == 0 ? -0.02 : 0.06);
    cairo_new_sub_path(cr);
    cairo_move_to(cr, x - half, 0.08);
    cairo_curve_to(cr, x - half, crown - 0.06, x + half, crown - 0.06, x + half, 0.08);
    cairo_close_path(cr);
  }
  cairo_set_fill_rule(cr, CAIRO_FILL_RULE_EVEN_ODD);
  b.canvas.fill_down(top - 0.06, b(0xcbb597), 0.06, b(0x7d6a55));
  cairo_set_fill_rule(cr, CAIRO_FILL_RULE_WINDING);
  for (const double x : {-0.68, 0.0, 0.68}) {
    const double half = x == 0 ? 0.29 : 0.25, crown = top + thick + (x == 0 ? -0.02 : 0.06);
    b.canvas.stroke({{x - half, 0.04}, {x - half, crown - 0.06}, {x + half, crown - 0.06}, {x + half, 0.04}}, 0.03,
                    b(0x5f4f40));
  }
  b.canvas.stroke({{-1.2, top + 0.14},
                   {-0.6, top - 0.02},
                   {-0.2, top - 0.08},
                   {0, top - 0.08},
                   {0.2, top - 0.08},
                   {0.6, top - 0.02},
                   {1.2, top + 0.14}},
                  0.05, b(0xe2d2b8));
  for (const double x : {-0.68, 0.68, 0.0}) {
    const double y = x == 0 ? top - 0.1 : top - 0.03;
    b.canvas.line({x, y}, {x, y - 0.17}, 0.022, b(0x2c2824));
    if (b.lamps) b.canvas.glow(x, y - 0.18, 0.13, fade(rgb(0xffdf80), 0.8));
    b.canvas.ellipse(x, y - 0.18, 0.03, 0.035, b.lamps ? rgb(0xfff2b8) : b(0xf0e8d0));
  }
  for (const double x : {-0.34, 0.34}) b.canvas.ellipse(x, 0.07, 0.1, 0.025, fade(rgb(0xe8f4ff), 0.5));
}

void pyramid(Brush& b) {
  const Colour sand = b(0xe8c070);
  b.canvas.polygon({{-0.86, 0.02}, {0, -1.0}, {0.34, 0.05}}, scaled(sand, 1.05));
  b.canvas.polygon({{0, -1.0}, {0.34, 0.05}, {0.86, -0.02}}, scaled(sand, 0.62));
  for (int i = 1; i < 11; ++i) {
    const double t = i / 11.0;
    b.canvas.line({-0.86 * t + 0.02, -1 + 1.02 * t}, {0.34 * t, -1 + 1.05 * t}, 0.01, fade(scaled(sand, 0.76), 0.9));
    b.canvas.line({0.34 * t, -1 + 1.05 * t}, {0.86 * t - 0.02, -1 + 0.98 * t}, 0.01, fade(scaled(sand, 0.48), 0.9));
  }
  b.canvas.polygon({{0.1, 0.03}, {0.14, -0.16}, {0.21, -0.16}, {0.24, 0.04}}, b(0x3a281c));
}

}  // namespace disco
