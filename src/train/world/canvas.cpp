#include "train/world/canvas.h"

#include <cmath>
#include <numbers>
#include <string>

#include "core/error.h"

namespace disco {
namespace {

void fill_between(cairo_t* cairo, Point from, Colour a, Point to, Colour b) {
  cairo_pattern_t* pattern = cairo_pattern_create_linear(from.x, from.y, to.x, to.y);
  cairo_pattern_add_color_stop_rgba(pattern, 0, a.r, a.g, a.b, a.a);
  cairo_pattern_add_color_stop_rgba(pattern, 1, b.r, b.g, b.b, b.a);
  cairo_set_source(cairo, pattern);
  cairo_fill(cairo);
  cairo_pattern_destroy(pattern);
}

}  // namespace

Canvas::Canvas(int side)
    : side_(side),
      surface_(cairo_image_surface_create(CAIRO_FORMAT_RGB24, side, side)),
      cairo_(cairo_create(surface_.get())) {
  if (cairo_status(cairo_.get()) != CAIRO_STATUS_SUCCESS) {
    throw Error(std::string("no drawing surface: ") + cairo_status_to_string(cairo_status(cairo_.get())));
  }
  cairo_scale(cairo_.get(), side, side);
  cairo_set_line_cap(cairo_.get(), CAIRO_LINE_CAP_ROUND);
}

void Canvas::fill(Colour c) {
  cairo_set_source_rgba(cairo_.get(), c.r, c.g, c.b, c.a);
  cairo_fill(cairo_.get());
}

void Canvas::fill_across(double left, Colour a, double right, Colour b) {
  fill_between(cairo_.get(), {left, 0}, a, {right, 0}, b);
}

void Canvas::fill_down(double top, Colour a, double bottom, Colour b) {
  fill_between(cairo_.get(), {0, top}, a, {0, bottom}, b);
}

void Canvas::curve(std::initializer_list<Point> points) {
  const Point* p = points.begin();
  cairo_line_to(cairo_.get(), p->x, p->y);  // On an empty path Cairo takes this as the start.
  for (++p; p + 2 < points.end(); p += 3) {
    cairo_curve_to(cairo_.get(), p[0].x, p[0].y, p[1].x, p[1].y, p[2].x, p[2].y);
  }
}

void Canvas::stroke(std::initializer_list<Point> points, double width, Colour c) {
  curve(points);
  cairo_set_line_width(cairo_.get(), width);
  cairo_set_source_rgba(cairo_.get(), c.r, c.g, c.b, c.a);
  cairo_stroke(cairo_.get());
}

void Canvas::polygon(std::initializer_list<Point> points, Colour colour) {
  polygon(std::span<const Point>(points.begin(), points.size()), colour);
}

void Canvas::polygon(std::span<const Point> points, Colour colour) {
  for (const Point& p : points) cairo_line_to(cairo_.get(), p.x, p.y);
  cairo_close_path(cairo_.get());
  fill(colour);
}

void Canvas::rectangle(double x, double y, double width, double height, Colour colour) {
  cairo_rectangle(cairo_.get(), x, y, width, height);
  fill(colour);
}

void Canvas::ellipse(double x, double y, double rx, double ry, Colour colour) {
  cairo_save(cairo_.get());
  cairo_translate(cairo_.get(), x, y);
  cairo_scale(cairo_.get(), rx, ry);
  cairo_arc(cairo_.get(), 0, 0, 1, 0, 2 * std::numbers::pi);
  cairo_restore(cairo_.get());
  fill(colour);
}

void Canvas::line(Point from, Point to, double width, Colour c) {
  cairo_set_line_width(cairo_.get(), width);
  cairo_set_source_rgba(cairo_.get(), c.r, c.g, c.b, c.a);
  cairo_move_to(cairo_.get(), from.x, from.y);
  cairo_line_to(cairo_.get(), to.x, to.y);
  cairo_stroke(cairo_.get());
}

void Canvas::band(double top, double bottom, std::initializer_list<Stop> stops) {
  cairo_pattern_t* pattern = cairo_pattern_create_linear(0, top, 0, bottom);
  for (const Stop& s : stops) {
    cairo_pattern_add_color_stop_rgba(pattern, s.at, s.colour.r, s.colour.g, s.colour.b, s.colour.a);
  }
  cairo_set_source(cairo_.get(), pattern);
  cairo_rectangle(cairo_.get(), 0, top, 1, bottom - top);
  cairo_fill(cairo_.get());
  cairo_pattern_destroy(pattern);
}

void Canvas::glow(double x, double y, double radius, Colour c) {
  cairo_pattern_t* pattern = cairo_pattern_create_radial(x, y, 0, x, y, radius);
  cairo_pattern_add_color_stop_rgba(pattern, 0, c.r, c.g, c.b, c.a);
  cairo_pattern_add_color_stop_rgba(pattern, 1, c.r, c.g, c.b, 0);
  cairo_set_source(cairo_.get(), pattern);
  cairo_rectangle(cairo_.get(), x - radius, y - radius, 2 * radius, 2 * radius);
  cairo_fill(cairo_.get());
  cairo_pattern_destroy(pattern);
}

void Canvas::hills(double middle, double height, double waves, double phase, Colour colour) {
  constexpr int pieces = 24;
  cairo_move_to(cairo_.get(), 0, 1);
  for (int i = 0; i <= pieces; ++i) {
    const double x = static_cast<double>(i) / pieces;
    cairo_line_to(cairo_.get(), x, middle + height * std::sin(2 * std::numbers::pi * (x * waves + phase)));
  }
  cairo_line_to(cairo_.get(), 1, 1);
  cairo_close_path(cairo_.get());
  fill(colour);
}

Canvas::Frame::Frame(Canvas& canvas, Point origin, double unit_x, double unit_y) : cairo_(canvas.cairo()) {
  cairo_save(cairo_);
  cairo_translate(cairo_, origin.x, origin.y);
  cairo_scale(cairo_, unit_x, unit_y);
}

Canvas::Frame::~Frame() { cairo_restore(cairo_); }

Picture Canvas::picture() const {
  cairo_surface_flush(surface_.get());
  const unsigned char* data = cairo_image_surface_get_data(surface_.get());
  const auto stride = static_cast<std::size_t>(cairo_image_surface_get_stride(surface_.get()));
  Picture picture(side_, side_, 3);
  for (int y = 0; y < side_; ++y) {
    const unsigned char* row = data + static_cast<std::size_t>(y) * stride;
    for (int x = 0; x < side_; ++x) {
      // CAIRO_FORMAT_RGB24 is a 32-bit word 0x00RRGGBB: B, G, R in memory on little-endian machines.
      for (int c = 0; c < 3; ++c) picture.at(x, y, c) = row[4 * x + 2 - c];
    }
  }
  return picture;
}

}  // namespace disco
