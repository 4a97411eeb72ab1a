#include <utility>

#include "train/world/brush.h"

namespace disco {

void whale(Brush& b) {
  // The spout, then the back, the belly and the raised fluke.
  for (const double side : {-1.0, 1.0}) {
    b.canvas.stroke({{-0.3, -0.5}, {-0.3, -0.75}, {-0.3 + side * 0.08, -0.96}, {-0.3 + side * 0.24, -0.78}}, 0.045,
                    fade(b(0xe4f4ff), 0.95));
  }
  b.canvas.stroke({{-0.3, -0.5}, {-0.3, -0.65}, {-0.3, -0.8}, {-0.3, -0.95}}, 0.04, fade(b(0xffffff), 0.95));
  const Colour skin = b(0x3b6ea0);
  b.curves({{0.62, -0.44},
            {0.6, -0.62},
            {0.46, -0.74},
            {0.4, -0.82},
            {0.52, -0.84},
            {0.62, -0.78},
            {0.68, -0.68},
            {0.74, -0.78},
            {0.84, -0.84},
            {0.96, -0.8},
            {0.88, -0.66},
            {0.78, -0.6},
            {0.74, -0.44}},
           scaled(skin, 0.86));
  b.curves({{-0.78, 0.04},
            {-0.86, -0.28},
            {-0.66, -0.54},
            {-0.3, -0.54},
            {0.1, -0.54},
            {0.36, -0.16},
            {0.5, -0.22},
            {0.6, -0.28},
            {0.62, -0.42},
            {0.6, -0.58},
            {0.7, -0.66},
            {0.78, -0.56},
            {0.76, -0.4},
            {0.72, -0.1},
            {0.5, 0.06},
            {0.3, 0.06}},
           skin);
  b.curves({{-0.79, 0.06}, {-0.84, -0.14}, {-0.7, -0.16}, {-0.5, -0.12}, {-0.2, -0.06}, {0.1, 0.0}, {0.4, 0.06}},
           b(0xd4e4ee));
  for (int i = 0; i < 4; ++i)
    b.canvas.line({-0.7 + 0.13 * i, -0.08 + 0.02 * i}, {-0.64 + 0.13 * i, 0.03}, 0.012, b(0x8aa8bc));
  b.curves({{-0.3, -0.06}, {-0.2, -0.08}, {-0.06, 0.02}, {-0.04, 0.1}, {-0.2, 0.1}, {-0.3, 0.04}, {-0.3, -0.06}},
           scaled(skin, 0.75));
  b.canvas.ellipse(-0.58, -0.24, 0.04, 0.04, b(0xffffff));
  b.canvas.ellipse(-0.59, -0.24, 0.024, 0.026, b(0x10141c));
}

void bird(Brush& b) {
  const Colour coat = b.body(0x3f7fd0);
  // The far wing, tail, body, the near wing with its feathers, head and beak.
  b.curves({{0.02, -0.42}, {0.04, -0.7}, {0.22, -0.92}, {0.46, -1.0}, {0.44, -0.74}, {0.34, -0.5}, {0.18, -0.36}},
           scaled(coat, 0.68));
  b.shape({{0.3, -0.3}, {0.74, -0.22}, {0.7, -0.1}, {0.6, -0.13}, {0.62, -0.02}, {0.28, -0.18}}, scaled(coat, 0.75));
  b.curves({{-0.46, -0.42},
            {-0.36, -0.54},
            {-0.1, -0.5},
            {0.1, -0.4},
            {0.24, -0.34},
            {0.36, -0.28},
            {0.4, -0.24},
            {0.3, -0.08},
            {-0.1, -0.06},
            {-0.28, -0.2},
            {-0.38, -0.28},
            {-0.46, -0.3},
            {-0.46, -0.42}},
           coat);
  b.curves({{-0.3, -0.24}, {-0.16, -0.08}, {0.1, -0.08}, {0.24, -0.14}, {0.1, -0.24}, {-0.1, -0.3}, {-0.3, -0.24}},
           b(0xfbf0dc));
  b.oval(-0.44, -0.43, 0.125, 0.115, coat);
  b.canvas.polygon({{-0.54, -0.47}, {-0.72, -0.4}, {-0.54, -0.36}}, b(0xf5a623));
  b.canvas.ellipse(-0.48, -0.46, 0.026, 0.028, b(0x10141c));
  b.canvas.ellipse(-0.488, -0.468, 0.009, 0.009, b(0xffffff));
  b.curves({{-0.22, -0.42},
            {-0.34, -0.66},
            {-0.42, -0.86},
            {-0.36, -1.04},
            {-0.1, -0.96},
            {0.2, -0.7},
            {0.2, -0.34},
            {0.1, -0.26},
            {-0.1, -0.28},
            {-0.22, -0.42}},
           scaled(coat, 1.1));
  for (const auto& [x, y] : {std::pair{-0.2, -0.86}, std::pair{-0.1, -0.72}, std::pair{-0.02, -0.58}}) {
    b.canvas.stroke({{x, y}, {x + 0.08, y + 0.08}, {x + 0.14, y + 0.18}, {x + 0.15, y + 0.28}}, 0.022,
                    scaled(coat, 0.62));
  }
}

void cat(Brush& b) {
  const Colour fur = b.body(0xe08a3c), dark = scaled(fur, 0.66), pale = b(0xfff0dc);
  b.canvas.stroke({{0.22, -0.08}, {0.62, 0.04}, {0.66, -0.34}, {0.48, -0.5}}, 0.1, dark);
  b.canvas.stroke({{0.22, -0.08}, {0.6, 0.04}, {0.64, -0.34}, {0.48, -0.48}}, 0.07, fur);
  b.curves({{-0.2, 0.02},
            {-0.34, -0.2},
            {-0.22, -0.5},
            {-0.1, -0.6},
            {0.05, -0.62},
            {0.2, -0.58},
            {0.26, -0.46},
            {0.36, -0.26},
            {0.38, -0.06},
            {0.3, 0.02}},
           fur);
  b.canvas.ellipse(-0.04, -0.28, 0.11, 0.2, pale);
  for (const double y : {-0.4, -0.3, -0.2}) b.canvas.line({0.2, y - 0.02}, {0.29, y}, 0.026, dark);
  for (const double x : {-0.13, 0.06}) b.canvas.ellipse(x, 0.0, 0.085, 0.045, pale);
  for (const double side : {-1.0, 1.0}) {
    const double x = -0.02 + 0.17 * side;
    b.shape({{x - 0.1, -0.82}, {x + side * 0.05, -1.04}, {x + 0.1, -0.82}}, fur);
    b.canvas.polygon({{x - 0.05, -0.84}, {x + side * 0.04, -0.97}, {x + 0.05, -0.84}}, b(0xf0a0a0));
  }
  b.oval(-0.02, -0.72, 0.26, 0.21, fur);
  for (const double x : {-0.09, -0.02, 0.05}) b.canvas.line({x, -0.91}, {x, -0.83}, 0.024, dark);
  b.canvas.ellipse(-0.02, -0.64, 0.11, 0.075, pale);
  for (const double side : {-1.0, 1.0}) {
    const double x = -0.02 + 0.11 * side;
    b.canvas.ellipse(x, -0.75, 0.048, 0.05, b.lamps ? rgb(0xd8ff70) : b(0x7ed04a));
    b.canvas.ellipse(x, -0.75, 0.018, 0.044, b(0x10141c));
    for (const double y : {-0.66, -0.62})
      b.canvas.line({x, y}, {x + side * 0.22, y + (y + 0.65) * 1.2}, 0.008, b(0xffffff));
  }
  b.canvas.polygon({{-0.05, -0.68}, {0.01, -0.68}, {-0.02, -0.645}}, b(0xd86a78));
}

void fish(Brush& b) {
  // It leaps out of the water: head up to the left, and drops around it.
  cairo_t* cr = b.canvas.cairo();
  for (int i = 0; i < 7; ++i)
    b.canvas.ellipse(0.1 + 0.07 * i, -0.1 - 0.08 * ((i * 3) % 5), 0.022, 0.028, fade(b(0xe4f4ff), 0.9));
  cairo_save(cr);
  cairo_translate(cr, 0, -0.5);
  cairo_rotate(cr, 0.5);
  const Colour scale = b.body(0xf08a3a);
  b.curves({{0.34, 0},
            {0.46, -0.16},
            {0.6, -0.26},
            {0.72, -0.26},
            {0.66, -0.1},
            {0.66, 0.1},
            {0.72, 0.26},
            {0.6, 0.26},
            {0.46, 0.16},
            {0.34, 0}},
           scaled(scale, 0.82));
  b.curves({{-0.2, -0.2}, {-0.1, -0.42}, {0.1, -0.44}, {0.24, -0.36}, {0.2, -0.26}, {0.2, -0.2}, {0.22, -0.12}},
           scaled(scale, 0.76));
  b.curves({{-0.58, 0.02}, {-0.42, -0.34}, {0.1, -0.36}, {0.4, 0}, {0.1, 0.36}, {-0.42, 0.32}, {-0.58, 0.02}}, scale);
  b.curves({{-0.54, 0.08}, {-0.4, 0.26}, {0.0, 0.28}, {0.26, 0.12}, {0, 0.16}, {-0.3, 0.14}, {-0.54, 0.08}},
           b(0xffe6c0));
  for (const double x : {-0.12, 0.02, 0.16})
    b.canvas.stroke({{x, -0.17}, {x + 0.07, -0.08}, {x + 0.07, 0.04}, {x, 0.12}}, 0.022, scaled(scale, 0.66));
  b.curves({{-0.14, 0.06}, {-0.02, 0.02}, {0.1, 0.14}, {0.12, 0.22}, {0.0, 0.22}, {-0.12, 0.18}, {-0.14, 0.06}},
           scaled(scale, 0.72));
  b.canvas.ellipse(-0.36, -0.05, 0.06, 0.06, b(0xffffff));
  b.canvas.ellipse(-0.37, -0.05, 0.035, 0.037, b(0x10141c));
  cairo_restore(cr);
}

void butterfly(Brush& b) {
  const Colour wing = b.body(0xf58a1e), rim = b(0x2a1c24);
  for (const double side : {-1.0, 1.0}) {
    const Canvas::Frame half(b.canvas, {0, -0.5}, side, 1);
    for (const double grow : {1.0, 0.82}) {
      const Colour c = grow == 1 ? rim : wing;
      const auto at = [&](double x, double y) {
        return Point{0.03 + (x - 0.03) * grow + (1 - grow) * 0.22, y * grow - (1 - grow) * (y < 0 ? 0.2 : -0.2)};
      };
      b.canvas.curve({at(0.03, -0.05), at(0.12, -0.42), at(0.42, -0.58), at(0.58, -0.46), at(0.66, -0.3),
                      at(0.46, -0.02), at(0.03, 0.0)});
      b.canvas.fill(c);
      b.canvas.curve({at(0.03, 0.0), at(0.3, -0.02), at(0.52, 0.08), at(0.46, 0.28), at(0.4, 0.48), at(0.16, 0.46),
                      at(0.03, 0.08)});
      b.canvas.fill(grow == 1 ? c : scaled(c, 0.82));
    }
    b.canvas.line({0.06, -0.04}, {0.4, -0.36}, 0.018, rim);
    b.canvas.line({0.06, -0.03}, {0.48, -0.18}, 0.018, rim);
    b.canvas.line({0.06, 0.04}, {0.34, 0.3}, 0.018, rim);
    b.canvas.ellipse(0.5, -0.4, 0.03, 0.035, b(0xffffff));
    b.canvas.ellipse(0.38, 0.3, 0.035, 0.04, b(0xffe88a));
    b.canvas.stroke({{0.01, -0.26}, {0.04, -0.4}, {0.1, -0.46}, {0.16, -0.46}}, 0.018, rim);
  }
  b.canvas.ellipse(0, -0.49, 0.045, 0.25, b(0x2a1c24));
  b.canvas.ellipse(0, -0.76, 0.05, 0.05, b(0x2a1c24));
}

void dragon(Brush& b) {
  const Colour skin = b.body(0x3c9a4c), dark = scaled(skin, 0.66), belly = b(0xf2d890);
  const auto wing = [&](double shift, Colour c) {
    b.curves({{0.0 + shift, -0.46},
              {-0.02 + shift, -0.74},
              {0.06 + shift, -0.92},
              {0.2 + shift, -1.04},
              {0.36 + shift, -0.96},
              {0.56 + shift, -0.82},
              {0.66 + shift, -0.62},
              {0.54 + shift, -0.64},
              {0.46 + shift, -0.6},
              {0.42 + shift, -0.5},
              {0.34 + shift, -0.54},
              {0.26 + shift, -0.5},
              {0.22 + shift, -0.4}},
             c);
    for (const auto& [x, y] : {std::pair{0.42, -0.52}, std::pair{0.62, -0.64}})
      b.canvas.line({0.2 + shift, -1.0}, {x + shift, y}, 0.018, scaled(c, 0.7));
  };
  wing(-0.32, b(0x8a3e2c));
  // Fire, the tail with its point, the body and the neck.
  b.canvas.stroke({{0.24, -0.26}, {0.5, -0.1}, {0.6, -0.2}, {0.76, -0.3}}, 0.07, skin);
  b.canvas.polygon({{0.72, -0.28}, {0.78, -0.4}, {0.88, -0.36}, {0.8, -0.24}}, dark);
  b.curves({{-0.42, -0.6},
            {-0.3, -0.62},
            {-0.26, -0.46},
            {-0.1, -0.46},
            {0.1, -0.48},
            {0.36, -0.4},
            {0.4, -0.24},
            {0.3, -0.1},
            {0.0, -0.06},
            {-0.16, -0.16},
            {-0.32, -0.24},
            {-0.44, -0.44},
            {-0.42, -0.6}},
           skin);
  b.curves({{-0.36, -0.4}, {-0.2, -0.14}, {0.1, -0.08}, {0.24, -0.14}, {0.1, -0.22}, {-0.14, -0.24}, {-0.36, -0.4}},
           belly);
  for (const double x : {-0.06, 0.2}) {
    b.canvas.stroke({{x, -0.16}, {x - 0.02, -0.06}, {x + 0.04, -0.02}, {x - 0.04, 0.0}}, 0.06, dark);
  }
  b.curves({{-0.3, -0.66},
            {-0.34, -0.76},
            {-0.48, -0.76},
            {-0.54, -0.68},
            {-0.64, -0.66},
            {-0.7, -0.6},
            {-0.68, -0.54},
            {-0.56, -0.5},
            {-0.36, -0.48},
            {-0.3, -0.66}},
           skin);
  b.canvas.polygon({{-0.4, -0.72}, {-0.26, -0.88}, {-0.32, -0.68}}, belly);
  b.canvas.ellipse(-0.47, -0.67, 0.03, 0.03, b(0xffe060));
  b.canvas.ellipse(-0.475, -0.67, 0.014, 0.02, b(0x10141c));
  for (const auto& [x, y] : {std::pair{-0.27, -0.5}, std::pair{-0.16, -0.47}, std::pair{0.26, -0.36}})
    b.canvas.polygon({{x - 0.05, y + 0.02}, {x + 0.02, y - 0.09}, {x + 0.06, y + 0.02}}, dark);
  wing(-0.06, b(0xc8603e));
  b.canvas.curve(
      {{-0.66, -0.55}, {-0.78, -0.56}, {-0.88, -0.5}, {-0.94, -0.36}, {-0.82, -0.4}, {-0.74, -0.42}, {-0.66, -0.55}});
  b.canvas.fill(rgb(0xff8a24));
  b.canvas.curve(
      {{-0.67, -0.54}, {-0.76, -0.54}, {-0.82, -0.48}, {-0.86, -0.42}, {-0.78, -0.44}, {-0.72, -0.46}, {-0.67, -0.54}});
  b.canvas.fill(rgb(0xffe680));
}

}  // namespace disco
