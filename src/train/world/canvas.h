// Drawing on the unit square with Cairo: x to the right, y down, both 0 … 1.
#pragma once

#include <cairo.h>

#include <initializer_list>
#include <memory>
#include <span>

#include "picture/picture.h"

namespace disco {

/// Linear components, 0 … 1, as the screen shows them.
struct Colour {
  double r = 0, g = 0, b = 0, a = 1;
};

/// 0xRRGGBB.
constexpr Colour rgb(unsigned hex) {
  return {((hex >> 16) & 255) / 255.0, ((hex >> 8) & 255) / 255.0, (hex & 255) / 255.0, 1};
}
constexpr Colour mix(Colour a, Colour b, double share) {
  return {a.r + (b.r - a.r) * share, a.g + (b.g - a.g) * share, a.b + (b.b - a.b) * share, a.a + (b.a - a.a) * share};
}
constexpr Colour fade(Colour c, double alpha) { return {c.r, c.g, c.b, c.a * alpha}; }
/// A surface of colour `c` in light of colour `light`.
constexpr Colour lit(Colour c, Colour light) { return {c.r * light.r, c.g * light.g, c.b * light.b, c.a}; }
/// Brighter (above 1) or darker.
constexpr Colour scaled(Colour c, double by) {
  return {c.r * by > 1 ? 1 : c.r * by, c.g * by > 1 ? 1 : c.g * by, c.b * by > 1 ? 1 : c.b * by, c.a};
}
constexpr double luminance(Colour c) { return 0.299 * c.r + 0.587 * c.g + 0.114 * c.b; }

struct Point {
  double x, y;
};
struct Stop {
  double at;  ///< 0 … 1 along the gradient.
  Colour colour;
};

class Canvas {
 public:
  /// `side` × `side` pixels, black.
  explicit Canvas(int side);

  void polygon(std::initializer_list<Point> points, Colour colour);
  void polygon(std::span<const Point> points, Colour colour);
  void rectangle(double x, double y, double width, double height, Colour colour);
  void ellipse(double x, double y, double rx, double ry, Colour colour);
  void line(Point from, Point to, double width, Colour colour);
  /// The band between two heights, over the whole width.
  void band(double top, double bottom, std::initializer_list<Stop> stops);
  /// A disc that fades to nothing at its rim.
  void glow(double x, double y, double radius, Colour colour);
  /// Everything below y(x) = middle + height·sin(2π(x·waves + phase)).
  void hills(double middle, double height, double waves, double phase, Colour colour);

  /// A curved line: from, then two control points and an end for each piece.
  void stroke(std::initializer_list<Point> curve, double width, Colour colour);

  /// For outlines with curves: build a path with Cairo's own calls or with curve(), then fill it.
  cairo_t* cairo() { return cairo_.get(); }
  /// Adds to the path, in the manner of stroke(), from where it is or, on an empty path, from the first point.
  void curve(std::initializer_list<Point> points);
  void fill(Colour colour);
  /// From one colour at x = left to another at x = right.
  void fill_across(double left, Colour at_left, double right, Colour at_right);
  void fill_down(double top, Colour at_top, double bottom, Colour at_bottom);

  /// Until the frame dies, coordinates are relative to `origin`, in units of `unit` (negative `unit_x` mirrors).
  class Frame {
   public:
    Frame(Canvas& canvas, Point origin, double unit_x, double unit_y);
    ~Frame();
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;

   private:
    cairo_t* cairo_;
  };

  /// What was painted, as RGB.
  Picture picture() const;

 private:
  struct Free {
    void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
    void operator()(cairo_t* cairo) const { cairo_destroy(cairo); }
  };
  int side_;
  std::unique_ptr<cairo_surface_t, Free> surface_;
  std::unique_ptr<cairo_t, Free> cairo_;
};

}  // namespace disco
