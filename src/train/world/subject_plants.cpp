#include <cmath>
#include <numbers>

#include "train/world/brush.h"

namespace disco {

using std::numbers::pi;

void tree(Brush& b, Dice& dice) {
  b.curves({{-0.15, 0.02},
            {-0.05, -0.08},
            {-0.06, -0.3},
            {-0.05, -0.55},
            {-0.02, -0.56},
            {0.02, -0.56},
            {0.05, -0.55},
            {0.06, -0.3},
            {0.05, -0.08},
            {0.15, 0.02}},
           b(0x6b4224));
  b.canvas.line({0, -0.32}, {0.19, -0.52}, 0.05, b(0x5d381e));
  b.canvas.line({0, -0.36}, {-0.19, -0.54}, 0.05, b(0x5d381e));
  static constexpr struct {
    double x, y, r;
  } heads[] = {{-0.27, -0.54, 0.19}, {0.27, -0.54, 0.19}, {0, -0.6, 0.27},
               {-0.19, -0.72, 0.19}, {0.18, -0.73, 0.19}, {0, -0.82, 0.2}};
  for (const auto& h : heads) b.canvas.ellipse(h.x, h.y + 0.03, h.r, h.r * 0.9, b(0x1c5c28));
  for (const auto& h : heads) b.oval(h.x * 0.97, h.y, h.r * 0.86, h.r * 0.76, b(0x318a38));
  for (int i = 0; i < 42; ++i) {  // Leaves that catch the light.
    const double angle = dice.uniform(0, 2 * pi), away = std::sqrt(dice.uniform());
    const double x = 0.4 * away * std::cos(angle), y = -0.68 + 0.3 * away * std::sin(angle);
    b.canvas.ellipse(x, y, 0.03, 0.022, b(y < -0.68 ? 0x6cc254 : 0x247530));
  }
}

void mushroom(Brush& b) {
  b.curves({{-0.15, 0.02},
            {-0.16, -0.1},
            {-0.1, -0.3},
            {-0.1, -0.5},
            {-0.05, -0.52},
            {0.05, -0.52},
            {0.1, -0.5},
            {0.1, -0.3},
            {0.16, -0.1},
            {0.15, 0.02}},
           b(0xf6ead0));
  b.canvas.ellipse(0, -0.43, 0.43, 0.075, b(0xd9c3a0));
  for (int i = -5; i <= 5; ++i) b.canvas.line({0.05 * i, -0.46}, {0.075 * i, -0.38}, 0.008, b(0xb89c78));
  b.curves({{-0.14, -0.34}, {-0.1, -0.28}, {0.1, -0.28}, {0.14, -0.34}, {0.08, -0.38}, {-0.08, -0.38}, {-0.14, -0.34}},
           b(0xfff6e2));
  const Colour cap = b.body(0xe01f26);
  b.curves({{-0.48, -0.43},
            {-0.48, -0.82},
            {-0.22, -1.0},
            {0, -1.0},
            {0.22, -1.0},
            {0.48, -0.82},
            {0.48, -0.43},
            {0.3, -0.47},
            {-0.3, -0.47},
            {-0.48, -0.43}},
           cap);
  for (const auto& [x, y, r] :
       {std::array{-0.24, -0.66, 0.07}, std::array{0.03, -0.83, 0.075}, std::array{0.27, -0.68, 0.065},
        std::array{0.03, -0.58, 0.06}, std::array{-0.37, -0.52, 0.04}, std::array{0.4, -0.53, 0.035},
        std::array{-0.14, -0.89, 0.035}}) {
    b.canvas.ellipse(x, y, r, r * 0.85, b(0xffffff));
  }
}

void flower(Brush& b) {
  b.canvas.stroke({{0.02, 0.02}, {-0.06, -0.2}, {0.04, -0.4}, {0, -0.62}}, 0.05, b(0x2f8a34));
  b.curves({{-0.01, -0.12}, {-0.1, -0.34}, {-0.3, -0.36}, {-0.36, -0.3}, {-0.26, -0.16}, {-0.12, -0.1}, {-0.01, -0.12}},
           b(0x3ca044));
  b.curves({{0.0, -0.2}, {0.1, -0.4}, {0.28, -0.42}, {0.35, -0.36}, {0.26, -0.22}, {0.12, -0.17}, {0.0, -0.2}},
           b(0x2f8a34));
  const Colour petal = b.body(0xf06aa8);
  for (int ring = 0; ring < 2; ++ring) {
    for (int i = 0; i < 8; ++i) {
      const double angle = pi / 4 * (i + 0.5 * ring), away = ring == 0 ? 0.22 : 0.16;
      cairo_t* cr = b.canvas.cairo();
      cairo_save(cr);
      cairo_translate(cr, 0, -0.68);
      cairo_rotate(cr, angle);
      b.canvas.ellipse(away, 0, away * 0.72, 0.085, scaled(petal, ring == 0 ? 0.78 : 1.05));
      cairo_restore(cr);
    }
  }
  b.canvas.ellipse(0, -0.68, 0.115, 0.11, b(0xc77a18));
  b.canvas.ellipse(-0.01, -0.69, 0.09, 0.085, b(0xffd23a));
}

}  // namespace disco
