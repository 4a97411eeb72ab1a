// Subjects are drawn in a frame of their own: the foot at (0, 0), the top at about y = −1, x to both sides.
#include <cmath>
#include <numbers>

#include "train/world/dice.h"
#include "train/world/paint.h"

namespace disco {
namespace {

using std::numbers::pi;

struct Palette {
  Colour light;
  bool lamps;  ///< Windows and lamps are lit.
  Colour operator()(unsigned hex) const { return lit(rgb(hex), light); }
  Colour window() const { return lamps ? rgb(0xffd95e) : lit(rgb(0x2f3d55), light); }
};

void lighthouse(Canvas& canvas, const Palette& p) {
  const auto half = [](double y) { return 0.155 + 0.075 * y; };  // of the tower, at height −y
  canvas.polygon({{-0.155, 0}, {0.155, 0}, {half(-0.78), -0.78}, {-half(-0.78), -0.78}}, p(0xf7f3ea));
  for (int i = 0; i < 3; ++i) {
    const double low = -0.08 - 0.26 * i, high = low - 0.13;
    canvas.polygon({{-half(low), low}, {half(low), low}, {half(high), high}, {-half(high), high}}, p(0xd8262c));
  }
  canvas.rectangle(-0.15, -0.8, 0.3, 0.035, p(0x303038));
  canvas.rectangle(-0.075, -0.92, 0.15, 0.12, rgb(0xffe46a));
  canvas.polygon({{-0.11, -0.91}, {0, -1.03}, {0.11, -0.91}}, p(0xb01c22));
  if (p.lamps) {
    canvas.polygon({{0, -0.86}, {0.75, -1.0}, {0.75, -0.76}}, fade(rgb(0xfff2a0), 0.45));
    canvas.polygon({{0, -0.86}, {-0.75, -1.0}, {-0.75, -0.76}}, fade(rgb(0xfff2a0), 0.45));
  }
  canvas.rectangle(-0.04, -0.1, 0.08, 0.1, p(0x553322));
}

void battlements(Canvas& canvas, double x, double y, double width, int count, Colour colour) {
  const double tooth = width / (2 * count - 1);
  for (int i = 0; i < count; ++i) canvas.rectangle(x + 2 * i * tooth, y - tooth, tooth, tooth * 1.1, colour);
}

void castle(Canvas& canvas, const Palette& p) {
  const Colour wall = p(0x8d8a94), tower = p(0xa8a5b0), roof = p(0x4a5fae);
  canvas.rectangle(-0.4, -0.42, 0.8, 0.42, wall);
  battlements(canvas, -0.4, -0.42, 0.8, 7, wall);
  canvas.rectangle(-0.14, -0.72, 0.28, 0.72, tower);
  canvas.polygon({{-0.18, -0.7}, {0, -1.0}, {0.18, -0.7}}, roof);
  for (const double x : {-0.43, 0.43}) {
    canvas.rectangle(x - 0.1, -0.58, 0.2, 0.58, tower);
    canvas.polygon({{x - 0.13, -0.57}, {x, -0.8}, {x + 0.13, -0.57}}, roof);
    canvas.rectangle(x - 0.025, -0.46, 0.05, 0.09, p.window());
  }
  canvas.rectangle(-0.035, -0.6, 0.07, 0.12, p.window());
  canvas.ellipse(0, -0.17, 0.085, 0.1, p(0x33241c));
  canvas.rectangle(-0.085, -0.17, 0.17, 0.17, p(0x33241c));
}

void tree(Canvas& canvas, const Palette& p) {
  canvas.polygon({{-0.09, 0}, {0.09, 0}, {0.05, -0.5}, {-0.05, -0.5}}, p(0x6b4224));
  canvas.line({0, -0.35}, {0.16, -0.5}, 0.05, p(0x6b4224));
  canvas.line({0, -0.35}, {-0.16, -0.5}, 0.05, p(0x6b4224));
  const Colour dark = p(0x1f6b2a), bright = p(0x37993a);
  canvas.ellipse(-0.23, -0.56, 0.2, 0.17, dark);
  canvas.ellipse(0.23, -0.56, 0.2, 0.17, dark);
  canvas.ellipse(0, -0.66, 0.32, 0.27, dark);
  canvas.ellipse(-0.06, -0.76, 0.24, 0.2, bright);
  canvas.ellipse(-0.24, -0.62, 0.1, 0.08, bright);
  canvas.ellipse(0.2, -0.63, 0.1, 0.08, bright);
}

void ship(Canvas& canvas, const Palette& p) {
  canvas.polygon({{-0.46, -0.22}, {0.5, -0.22}, {0.36, 0.03}, {-0.34, 0.03}}, p(0x6e3b1c));
  canvas.polygon({{-0.46, -0.22}, {0.5, -0.22}, {0.48, -0.17}, {-0.44, -0.17}}, p(0xa8652f));
  canvas.line({-0.02, -0.2}, {-0.02, -0.98}, 0.035, p(0x4a2c17));
  cairo_t* cr = canvas.cairo();
  cairo_move_to(cr, 0.02, -0.95);
  cairo_curve_to(cr, 0.36, -0.8, 0.46, -0.5, 0.42, -0.3);
  cairo_line_to(cr, 0.02, -0.3);
  cairo_close_path(cr);
  canvas.fill(p(0xfbf6e6));
  cairo_move_to(cr, -0.06, -0.86);
  cairo_curve_to(cr, -0.24, -0.7, -0.36, -0.5, -0.42, -0.3);
  cairo_line_to(cr, -0.06, -0.3);
  cairo_close_path(cr);
  canvas.fill(p(0xe9dfc4));
  canvas.polygon({{-0.02, -1.02}, {0.14, -0.98}, {-0.02, -0.93}}, p(0xd8262c));
}

void windmill(Canvas& canvas, const Palette& p, Dice& dice) {
  canvas.polygon({{-0.19, 0}, {0.19, 0}, {0.11, -0.62}, {-0.11, -0.62}}, p(0xd9b48a));
  canvas.polygon({{-0.14, -0.6}, {0, -0.78}, {0.14, -0.6}}, p(0x7a3b2a));
  canvas.rectangle(-0.05, -0.15, 0.1, 0.15, p(0x50301e));
  canvas.rectangle(-0.035, -0.4, 0.07, 0.08, p.window());
  const double turn = pi / 4 + dice.uniform(-0.15, 0.15);
  for (int i = 0; i < 4; ++i) {
    const double angle = turn + i * pi / 2;
    const double c = std::cos(angle), s = std::sin(angle);
    const auto at = [&](double along, double aside) {
      return Point{along * c - aside * s, -0.64 + along * s + aside * c};
    };
    canvas.polygon({at(0.1, 0), at(0.46, 0), at(0.46, 0.13), at(0.1, 0.13)}, p(0xfffdf4));
    canvas.line(at(0, 0), at(0.47, 0), 0.035, p(0x4a2c17));
  }
  canvas.ellipse(0, -0.64, 0.045, 0.045, p(0x33241c));
}

void house(Canvas& canvas, const Palette& p) {
  canvas.rectangle(0.16, -0.78, 0.1, 0.26, p(0x8a4a3a));
  canvas.rectangle(-0.36, -0.44, 0.72, 0.44, p(0xf3dfae));
  canvas.polygon({{-0.46, -0.42}, {-0.0, -0.84}, {0.46, -0.42}}, p(0xc0392b));
  canvas.rectangle(-0.07, -0.26, 0.14, 0.26, p(0x6b3d1e));
  for (const double x : {-0.28, 0.14}) {
    canvas.rectangle(x, -0.33, 0.14, 0.15, p(0xffffff));
    canvas.rectangle(x + 0.02, -0.31, 0.1, 0.11, p.lamps ? p.window() : p(0x5aa0d8));
  }
  canvas.ellipse(0.25, -0.86, 0.06, 0.045, fade(p(0xe8e8e8), 0.8));
  canvas.ellipse(0.32, -0.94, 0.08, 0.055, fade(p(0xe8e8e8), 0.7));
}

void mushroom(Canvas& canvas, const Palette& p) {
  canvas.polygon({{-0.14, 0}, {0.14, 0}, {0.1, -0.5}, {-0.1, -0.5}}, p(0xf6ead0));
  canvas.ellipse(0, 0, 0.14, 0.035, p(0xf6ead0));
  cairo_t* cr = canvas.cairo();
  cairo_move_to(cr, -0.46, -0.42);
  cairo_curve_to(cr, -0.46, -1.12, 0.46, -1.12, 0.46, -0.42);
  cairo_curve_to(cr, 0.2, -0.34, -0.2, -0.34, -0.46, -0.42);
  canvas.fill(p(0xe01f26));
  canvas.ellipse(-0.2, -0.62, 0.075, 0.065, p(0xffffff));
  canvas.ellipse(0.06, -0.78, 0.075, 0.06, p(0xffffff));
  canvas.ellipse(0.24, -0.58, 0.07, 0.06, p(0xffffff));
  canvas.ellipse(0.01, -0.52, 0.06, 0.05, p(0xffffff));
}

void balloon(Canvas& canvas, const Palette& p) {
  static constexpr unsigned stripes[] = {0x7a2fb0, 0xffd23a, 0x18a89a, 0xffd23a, 0x7a2fb0};
  const double middle = -0.63, radius = 0.37;
  cairo_t* cr = canvas.cairo();
  const auto outline = [&](double half) {
    cairo_move_to(cr, -half, middle);
    cairo_curve_to(cr, -half, middle - radius * 1.34, half, middle - radius * 1.34, half, middle);
    cairo_curve_to(cr, half, middle + radius * 0.6, half * 0.25, -0.22, half * 0.22, -0.2);
    cairo_line_to(cr, -half * 0.22, -0.2);
    cairo_curve_to(cr, -half * 0.25, -0.22, -half, middle + radius * 0.6, -half, middle);
    cairo_close_path(cr);
  };
  const double halves[] = {0.37, 0.25, 0.11};
  for (int i = 0; i < 3; ++i) {
    outline(halves[i]);
    canvas.fill(p(stripes[i]));
  }
  canvas.line({-0.07, -0.2}, {-0.06, -0.1}, 0.014, p(0x3a2a20));
  canvas.line({0.07, -0.2}, {0.06, -0.1}, 0.014, p(0x3a2a20));
  canvas.rectangle(-0.085, -0.11, 0.17, 0.11, p(0x8a5528));
}

/// What a subject other than a ship or a balloon stands on.
void footing(Canvas& canvas, const Scene& scene, const Palette& p) {
  if (scene.ground == Ground::sea) {
    canvas.ellipse(0, 0.03, 0.62, 0.1, p(0x6d5a48));
    canvas.ellipse(0, 0.0, 0.56, 0.075, p(0x5c9a44));
  } else {
    canvas.ellipse(0.06, 0.01, 0.5, 0.05, fade(rgb(0x101018), 0.3));
  }
}

}  // namespace

void paint_subject(Canvas& canvas, const Scene& scene) {
  if (scene.subject == Subject::nothing) return;
  Dice dice(scene.detail, DicePurpose::subject);
  // A little more light than the ground gets, so that subjects stay recognisable at night.
  const Palette palette{mix(sky_light(scene.sky), {1, 1, 1}, 0.4), scene.sky == Sky::night || scene.sky == Sky::storm};
  const Canvas::Frame frame(canvas, {scene.x, scene.base}, scene.size, scene.size);
  if (scene.subject != Subject::ship && scene.subject != Subject::balloon) footing(canvas, scene, palette);
  switch (scene.subject) {
    case Subject::nothing:
      return;
    case Subject::lighthouse:
      return lighthouse(canvas, palette);
    case Subject::castle:
      return castle(canvas, palette);
    case Subject::tree:
      return tree(canvas, palette);
    case Subject::ship:
      return ship(canvas, palette);
    case Subject::windmill:
      return windmill(canvas, palette, dice);
    case Subject::house:
      return house(canvas, palette);
    case Subject::mushroom:
      return mushroom(canvas, palette);
    case Subject::balloon:
      return balloon(canvas, palette);
  }
}

}  // namespace disco
