#include <algorithm>
#include <array>

#include "train/world/brush.h"
#include "train/world/paint.h"

namespace disco {
namespace {

bool left_of(const Point& a, const Point& b) { return a.x < b.x; }

}  // namespace

Brush::Brush(Canvas& canvas_, const Scene& scene, const Light& light)
    : canvas(canvas_),
      lamps(light.lamps),
      // A little more light than the ground gets, so that subjects stay recognisable at night.
      light_(mix(light.ambient, {1, 1, 1}, 0.42)),
      tint_(scene.tint),
      sun_left_(light.sun.x < scene.x) {}

Colour Brush::body(unsigned hex) const {
  static constexpr unsigned tints[tint_count] = {0,        0xdf2626, 0xf58418, 0xf6cf20,
                                                 0x35a83c, 0x2b66d8, 0x8d3fc4, 0xf4f4f2};
  if (tint_ == Tint::own) return (*this)(hex);
  const double bright = 0.62 + 0.55 * luminance(rgb(hex));
  return lit(scaled(rgb(tints[static_cast<std::size_t>(tint_)]), bright), light_);
}

void Brush::round(double left, double right, Colour colour) {
  const Colour bright = scaled(colour, 1.13), dark = scaled(colour, 0.68);
  canvas.fill_across(left, sun_left_ ? bright : dark, right, sun_left_ ? dark : bright);
}

void Brush::box(double x, double y, double width, double height, Colour colour) {
  cairo_rectangle(canvas.cairo(), x, y, width, height);
  round(x, x + width, colour);
}

void Brush::shape(std::initializer_list<Point> points, Colour colour) {
  const auto [left, right] = std::minmax(points, left_of);
  for (const Point& p : points) cairo_line_to(canvas.cairo(), p.x, p.y);
  cairo_close_path(canvas.cairo());
  round(left.x, right.x, colour);
}

void Brush::oval(double x, double y, double rx, double ry, Colour colour) {
  canvas.ellipse(x, y, rx, ry, scaled(colour, 0.74));
  const double shift = sun_left_ ? -0.13 : 0.13;
  canvas.ellipse(x + shift * rx, y - 0.1 * ry, 0.84 * rx, 0.86 * ry, scaled(colour, 1.03));
}

void Brush::curves(std::initializer_list<Point> points, Colour colour) {
  const auto [left, right] = std::minmax(points, left_of);
  canvas.curve(points);
  round(left.x, right.x, colour);
}

namespace {

/// What a subject on the ground stands on or casts.
void footing(Canvas& canvas, const Scene& scene, const Light& light) {
  if (scene.ground == Ground::sea) {
    canvas.ellipse(0, 0.06, 0.68, 0.045, fade(mix(light.horizon, rgb(0xffffff), 0.4), 0.55));
    canvas.polygon(
        {{-0.62, 0.06}, {-0.5, -0.02}, {-0.3, 0.0}, {0.3, 0.0}, {0.52, -0.03}, {0.62, 0.06}, {0.4, 0.09}, {-0.4, 0.09}},
        light.at(0x7a6655));
    canvas.polygon({{-0.3, 0.02}, {-0.1, 0.0}, {0.0, 0.09}, {-0.35, 0.09}}, light.at(0x5a4a3e));
    canvas.polygon({{0.2, 0.02}, {0.4, 0.0}, {0.5, 0.08}, {0.15, 0.09}}, light.at(0x5a4a3e));
    canvas.ellipse(0, 0.0, 0.53, 0.045, light.at(0x6aa84c));
    return;
  }
  const double away = light.sun.x < scene.x ? 1 : -1;
  const Colour shadow = rgb(0x101428);
  canvas.ellipse(0.16 * away, 0.015, 0.5, 0.045, fade(shadow, 0.28));
  canvas.ellipse(0.04 * away, 0.008, 0.36, 0.03, fade(shadow, 0.25));
}

/// Grass, snow or sand before the foot, so that the subject stands in its ground and not on it.
void foreground(Canvas& canvas, const Scene& scene, const Light& light, Dice& dice) {
  switch (scene.ground) {
    case Ground::meadow:
    case Ground::forest:
    case Ground::cliff:
    case Ground::mountains:
      for (int i = 0; i < 22; ++i) {
        const double x = dice.uniform(-0.45, 0.45), y = dice.uniform(0.0, 0.03), h = dice.uniform(0.03, 0.06);
        canvas.line({x, y}, {x + dice.uniform(-0.02, 0.02), y - h}, 0.012,
                    light.at(i % 2 == 0 ? 0x3a8230 : (scene.ground == Ground::forest ? 0x54903c : 0x7cc650)));
      }
      return;
    case Ground::snow:
      for (const double x : {-0.3, -0.1, 0.12, 0.32}) canvas.ellipse(x, 0.025, 0.2, 0.03, light.at(0xf4f8ff));
      return;
    case Ground::desert:
      for (const double x : {-0.3, 0.0, 0.3}) canvas.ellipse(x, 0.025, 0.24, 0.025, light.at(0xeabd6a));
      return;
    default:
      return;
  }
}

void surf(Canvas& canvas, const Light& light) {
  for (int i = -3; i <= 3; ++i) canvas.ellipse(0.15 * i, 0.035, 0.12, 0.028, light.at(0x2a78b4));
  for (int i = -3; i <= 3; ++i)
    canvas.ellipse(0.16 * i + 0.03, 0.045, 0.08, 0.012, fade(mix(light.horizon, rgb(0xffffff), 0.6), 0.8));
}

/// Dark things against a night sky differ from it only in hue, which many palettes take away: moonlit haze behind them.
void moonlit_haze(Canvas& canvas, const Scene& scene) {
  switch (scene.subject) {
    case Subject::tree:
    case Subject::whale:
    case Subject::bird:
    case Subject::butterfly:
    case Subject::dragon:
    case Subject::planet:
      if (scene.sky == Sky::night) {
        canvas.glow(0, -0.55, 0.85, fade(rgb(0x86a6ea), 0.55));
      } else if (scene.sky == Sky::aurora) {
        canvas.glow(0, -0.55, 0.9, fade(rgb(0x7fe8cc), 0.3));
      }
      return;
    default:
      return;
  }
}

void draw(Brush& brush, Subject subject, Dice& dice) {
  switch (subject) {
    case Subject::nothing:
      return;
    case Subject::lighthouse:
      return lighthouse(brush);
    case Subject::castle:
      return castle(brush);
    case Subject::tree:
      return tree(brush, dice);
    case Subject::ship:
      return ship(brush);
    case Subject::windmill:
      return windmill(brush, dice);
    case Subject::house:
      return house(brush);
    case Subject::mushroom:
      return mushroom(brush);
    case Subject::balloon:
      return balloon(brush);
    case Subject::tower:
      return tower(brush);
    case Subject::bridge:
      return bridge(brush);
    case Subject::flower:
      return flower(brush);
    case Subject::planet:
      return planet(brush);
    case Subject::whale:
      return whale(brush);
    case Subject::bird:
      return bird(brush);
    case Subject::cat:
      return cat(brush);
    case Subject::fish:
      return fish(brush);
    case Subject::butterfly:
      return butterfly(brush);
    case Subject::rocket:
      return rocket(brush);
    case Subject::pyramid:
      return pyramid(brush);
    case Subject::dragon:
      return dragon(brush);
  }
}

}  // namespace

void paint_subject(Canvas& canvas, const Scene& scene, const Light& light) {
  const Subject subject = scene.subject;
  if (subject == Subject::nothing) return;
  Dice dice(scene.detail, DicePurpose::subject);
  const Canvas::Frame frame(canvas, {scene.x, scene.base}, scene.size, scene.size);
  Brush brush(canvas, scene, light);
  const bool swims = subject == Subject::ship || subject == Subject::whale || subject == Subject::fish;
  const bool stands = !swims && !in_the_air(subject) && subject != Subject::bridge;
  moonlit_haze(canvas, scene);
  if (swims || subject == Subject::bridge || (stands && scene.ground == Ground::sea)) {
    // The reflection: the subject upside down, shortened by the low view, and thin.
    cairo_push_group(canvas.cairo());
    {
      const Canvas::Frame below(canvas, {0, 0.05}, 1, -0.4);
      Dice same = dice;
      draw(brush, subject, same);
    }
    cairo_pop_group_to_source(canvas.cairo());
    cairo_paint_with_alpha(canvas.cairo(), 0.3);
  }
  if (stands) footing(canvas, scene, light);
  draw(brush, subject, dice);
  if (stands) foreground(canvas, scene, light, dice);
  if (swims) surf(canvas, light);
}

}  // namespace disco
