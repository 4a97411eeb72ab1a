// Ships and what flies without wings.
#include <cmath>
#include <numbers>

#include "train/world/brush.h"

namespace disco {

void ship(Brush& b) {
  b.curves({{-0.48, -0.26},
            {-0.44, -0.12},
            {-0.38, 0.02},
            {-0.32, 0.05},
            {-0.1, 0.06},
            {0.2, 0.06},
            {0.33, 0.04},
            {0.42, -0.05},
            {0.48, -0.18},
            {0.54, -0.26},
            {0.3, -0.2},
            {-0.2, -0.18},
            {-0.48, -0.26}},
           b(0x6e3b1c));
  b.canvas.stroke({{-0.46, -0.22}, {-0.2, -0.14}, {0.3, -0.15}, {0.5, -0.21}}, 0.03, b(0xc08448));
  for (int i = 0; i < 4; ++i)
    b.canvas.ellipse(-0.24 + 0.16 * i, -0.08, 0.022, 0.022, b.lamps ? b.window() : b(0x3a1f10));
  b.canvas.line({-0.04, -0.16}, {-0.04, -0.99}, 0.032, b(0x4a2c17));
  b.canvas.line({0.3, -0.2}, {0.66, -0.36}, 0.022, b(0x4a2c17));
  const Colour sail = b.body(0xfbf6e6), shade = b.body(0xd9cdb0);
  b.curves({{0.0, -0.95},
            {0.3, -0.8},
            {0.44, -0.5},
            {0.4, -0.25},
            {0.26, -0.32},
            {0.1, -0.32},
            {0.0, -0.28},
            {0.06, -0.5},
            {0.06, -0.75},
            {0.0, -0.95}},
           sail);
  b.curves({{-0.08, -0.9},
            {-0.26, -0.74},
            {-0.42, -0.5},
            {-0.48, -0.26},
            {-0.34, -0.34},
            {-0.2, -0.34},
            {-0.09, -0.28},
            {-0.04, -0.5},
            {-0.04, -0.7},
            {-0.08, -0.9}},
           shade);
  b.canvas.stroke({{0.05, -0.6}, {0.2, -0.58}, {0.3, -0.58}, {0.4, -0.62}}, 0.01, scaled(sail, 0.75));
  b.canvas.polygon({{-0.04, -1.03}, {0.16, -0.99}, {-0.04, -0.93}}, b(0xd8262c));
}

void balloon(Brush& b) {
  const double middle = -0.64, radius = 0.37;
  const auto gore = [&](double half, Colour colour) {
    b.curves({{-half, middle},
              {-half, middle - radius * 1.34},
              {half, middle - radius * 1.34},
              {half, middle},
              {half, middle + radius * 0.62},
              {half * 0.28, -0.24},
              {half * 0.24, -0.2},
              {half * 0.1, -0.19},
              {-half * 0.1, -0.19},
              {-half * 0.24, -0.2},
              {-half * 0.28, -0.24},
              {-half, middle + radius * 0.62},
              {-half, middle}},
             colour);
  };
  gore(0.38, b.body(0xd8343a));
  gore(0.29, b(0xffd23a));
  gore(0.19, b.body(0xd8343a));
  gore(0.075, b(0xffd23a));
  b.canvas.stroke({{-0.36, -0.56}, {-0.2, -0.5}, {0.2, -0.5}, {0.36, -0.56}}, 0.022, b(0xfff4d0));
  for (const double x : {-0.08, 0.08}) b.canvas.line({x, -0.2}, {x * 0.8, -0.1}, 0.012, b(0x3a2a20));
  if (b.lamps) b.canvas.glow(0, -0.22, 0.26, fade(rgb(0xffc860), 0.6));
  b.box(-0.085, -0.115, 0.17, 0.115, b(0x8a5528));
  b.canvas.rectangle(-0.095, -0.12, 0.19, 0.025, b(0xb5793f));
}

void planet(Brush& b) {
  const double y = -0.5, r = 0.42;
  const Colour globe = b.body(0xe0965a), ring = b.body(0xf0dcae);
  const auto half_ring = [&](double from, double to) {
    cairo_t* cr = b.canvas.cairo();
    for (const double width : {0.16, 0.05}) {
      cairo_save(cr);
      cairo_translate(cr, 0, y);
      cairo_rotate(cr, -0.3);
      cairo_scale(cr, 0.74, 0.19);
      cairo_arc(cr, 0, 0, width > 0.1 ? 1 : 0.8, from, to);
      cairo_set_line_width(cr, width);
      const Colour c = width > 0.1 ? ring : scaled(ring, 0.72);
      cairo_set_source_rgba(cr, c.r, c.g, c.b, 1);
      cairo_stroke(cr);
      cairo_restore(cr);
    }
  };
  b.canvas.glow(0, y, 0.8, fade(globe, 0.3));
  half_ring(std::numbers::pi, 2 * std::numbers::pi);
  b.canvas.ellipse(0, y, r, r, globe);
  cairo_t* cr = b.canvas.cairo();
  cairo_save(cr);
  cairo_arc(cr, 0, y, r, 0, 2 * std::numbers::pi);
  cairo_clip(cr);
  for (const auto& [at, thick, dark] : {std::array{-0.28, 0.05, 0.85}, std::array{-0.1, 0.08, 1.2},
                                        std::array{0.1, 0.05, 0.8}, std::array{0.26, 0.06, 1.15}}) {
    b.canvas.stroke({{-0.5, y + at + 0.14}, {-0.2, y + at + 0.1}, {0.2, y + at - 0.02}, {0.5, y + at - 0.14}}, thick,
                    scaled(globe, dark));
  }
  b.canvas.ellipse(0.15, y + 0.12, 0.07, 0.045, scaled(globe, 0.65));
  cairo_rectangle(cr, -r, y - r, 2 * r, 2 * r);
  b.round(-r, r, fade(rgb(0x000010), 0));
  cairo_restore(cr);
  // The night side: a disc around a larger, shifted one.
  cairo_arc(cr, 0, y, r, -0.5 * std::numbers::pi, 0.5 * std::numbers::pi);
  b.canvas.curve({{0, y + r}, {0.34, y + 0.5 * r}, {0.34, y - 0.5 * r}, {0, y - r}});
  b.canvas.fill(fade(rgb(0x100818), 0.45));
  half_ring(0, std::numbers::pi);
}

void rocket(Brush& b) {
  cairo_t* cr = b.canvas.cairo();
  cairo_save(cr);
  cairo_translate(cr, 0, -0.5);
  cairo_rotate(cr, 0.28);
  cairo_translate(cr, 0, 0.42);
  b.canvas.glow(0, 0.05, 0.34, fade(rgb(0xffb040), 0.6));
  b.canvas.curve({{-0.1, -0.14}, {-0.16, 0.02}, {-0.04, 0.1}, {0, 0.24}, {0.04, 0.1}, {0.16, 0.02}, {0.1, -0.14}});
  b.canvas.fill(rgb(0xff8a24));
  b.canvas.curve({{-0.055, -0.14}, {-0.09, 0}, {-0.02, 0.04}, {0, 0.14}, {0.02, 0.04}, {0.09, 0}, {0.055, -0.14}});
  b.canvas.fill(rgb(0xfff0a0));
  const Colour fin = b.body(0xd8343a);
  b.curves(
      {{-0.12, -0.42}, {-0.24, -0.34}, {-0.29, -0.2}, {-0.27, -0.04}, {-0.2, -0.12}, {-0.14, -0.14}, {-0.1, -0.14}},
      fin);
  b.curves({{0.12, -0.42}, {0.24, -0.34}, {0.29, -0.2}, {0.27, -0.04}, {0.2, -0.12}, {0.14, -0.14}, {0.1, -0.14}}, fin);
  b.curves({{0, -0.98},
            {-0.16, -0.8},
            {-0.2, -0.5},
            {-0.11, -0.12},
            {-0.05, -0.11},
            {0.05, -0.11},
            {0.11, -0.12},
            {0.2, -0.5},
            {0.16, -0.8},
            {0, -0.98}},
           b(0xf2f2f4));
  b.curves({{0, -0.98},
            {-0.07, -0.9},
            {-0.11, -0.82},
            {-0.135, -0.74},
            {-0.05, -0.71},
            {0.05, -0.71},
            {0.135, -0.74},
            {0.11, -0.82},
            {0.07, -0.9},
            {0, -0.98}},
           fin);
  b.canvas.ellipse(0, -0.55, 0.085, 0.085, b(0x4a5866));
  b.canvas.ellipse(0, -0.55, 0.06, 0.06, b.lamps ? b.window() : b(0x6fc8f0));
  b.canvas.line({0, -0.36}, {0, -0.14}, 0.035, fin);
  cairo_restore(cr);
}

}  // namespace disco
