#include "run/contact_sheet.h"

#include <cairo.h>
#include <pango/pangocairo.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>

#include "core/error.h"

namespace disco {
namespace {

constexpr int gap = 12;
constexpr int label_height = 26;

using Surface = std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)>;
using Context = std::unique_ptr<cairo_t, decltype(&cairo_destroy)>;

Surface make_surface(int width, int height) {
  return {cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height), &cairo_surface_destroy};
}

Surface surface_of(const Picture& picture) {
  Surface surface = make_surface(picture.width, picture.height);
  unsigned char* data = cairo_image_surface_get_data(surface.get());
  const int stride = cairo_image_surface_get_stride(surface.get());
  for (int y = 0; y < picture.height; ++y) {
    auto* row = reinterpret_cast<std::uint32_t*>(data + static_cast<std::ptrdiff_t>(y) * stride);
    for (int x = 0; x < picture.width; ++x) {
      const auto channel = [&](int c) { return static_cast<std::uint32_t>(picture.at(x, y, c)); };
      row[x] = channel(0) << 16 | channel(1) << 8 | channel(2);
    }
  }
  cairo_surface_mark_dirty(surface.get());
  return surface;
}

Picture picture_of(cairo_surface_t* surface) {
  cairo_surface_flush(surface);
  Picture picture(cairo_image_surface_get_width(surface), cairo_image_surface_get_height(surface), 3);
  const unsigned char* data = cairo_image_surface_get_data(surface);
  const int stride = cairo_image_surface_get_stride(surface);
  for (int y = 0; y < picture.height; ++y) {
    const auto* row = reinterpret_cast<const std::uint32_t*>(data + static_cast<std::ptrdiff_t>(y) * stride);
    for (int x = 0; x < picture.width; ++x) {
      for (int c = 0; c < 3; ++c) picture.at(x, y, c) = static_cast<std::uint8_t>(row[x] >> (16 - 8 * c));
    }
  }
  return picture;
}

void draw_label(cairo_t* context, const std::string& text, double x, double y, double width) {
  const std::unique_ptr<PangoLayout, decltype(&g_object_unref)> layout(pango_cairo_create_layout(context),
                                                                       &g_object_unref);
  const std::unique_ptr<PangoFontDescription, decltype(&pango_font_description_free)> font(
      pango_font_description_from_string("DejaVu Sans Bold 12"), &pango_font_description_free);
  pango_layout_set_font_description(layout.get(), font.get());
  pango_layout_set_text(layout.get(), text.c_str(), static_cast<int>(text.size()));
  pango_layout_set_width(layout.get(), static_cast<int>(width * PANGO_SCALE));
  pango_layout_set_alignment(layout.get(), PANGO_ALIGN_CENTER);
  pango_layout_set_ellipsize(layout.get(), PANGO_ELLIPSIZE_END);
  cairo_set_source_rgb(context, 0.92, 0.92, 0.92);
  cairo_move_to(context, x, y);
  pango_cairo_show_layout(context, layout.get());
}

/// Whole factors for small pictures, the exact fraction for large ones.
double cell_scale(const Picture& picture, int cell) {
  const double scale = static_cast<double>(cell) / picture.width;
  return scale >= 1 ? std::floor(scale) : scale;
}

}  // namespace

Picture contact_sheet(const std::vector<Picture>& pictures, const std::vector<std::string>& labels, int cell,
                      int columns) {
  if (pictures.empty()) throw Error("there is nothing to put on a contact sheet");
  const int count = static_cast<int>(pictures.size());
  const double scale = cell_scale(pictures.front(), cell);
  const int width = std::max(1, static_cast<int>(std::lround(pictures.front().width * scale)));
  const int height = std::max(1, static_cast<int>(std::lround(pictures.front().height * scale)));
  if (columns <= 0) columns = static_cast<int>(std::lround(std::sqrt(double(count) * height / width)));
  columns = std::clamp(columns, 1, count);
  const int rows = (count + columns - 1) / columns;
  const Surface sheet = make_surface(columns * (width + gap) + gap, rows * (height + label_height + gap) + gap);
  const Context context(cairo_create(sheet.get()), &cairo_destroy);
  cairo_set_source_rgb(context.get(), 0.11, 0.11, 0.12);
  cairo_paint(context.get());
  for (int k = 0; k < count; ++k) {
    const int row = k / columns, column = k % columns;
    const double left = gap + column * (width + gap), top = gap + row * (height + label_height + gap);
    const Surface picture = surface_of(pictures[static_cast<std::size_t>(k)]);
    cairo_save(context.get());
    cairo_translate(context.get(), left, top);
    cairo_scale(context.get(), scale, scale);
    cairo_set_source_surface(context.get(), picture.get(), 0, 0);
    cairo_pattern_set_filter(cairo_get_source(context.get()), scale >= 1 ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_BEST);
    cairo_paint(context.get());
    cairo_restore(context.get());
    draw_label(context.get(), labels[static_cast<std::size_t>(k)], left, top + height + 4, width);
  }
  return picture_of(sheet.get());
}

}  // namespace disco
