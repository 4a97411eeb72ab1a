#include "train/world/palette.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

#include "train/world/canvas.h"

namespace disco {
namespace {

/// Brightness stretched so that the darkest and brightest fiftieth of the picture are about 0 and 1: a ramp of colours
/// must show a subject at night as well as by day.
class Levels {
 public:
  explicit Levels(const Picture& picture) {
    std::array<std::size_t, 256> count{};
    const std::size_t pixels = picture.samples.size() / 3;
    for (std::size_t i = 0; i < pixels; ++i) ++count[brightness(&picture.samples[3 * i])];
    const auto level = [&](std::size_t below) {
      std::size_t sum = 0, value = 0;
      while (value < 255 && (sum += count[value]) <= below) ++value;
      return static_cast<double>(value) / 255;
    };
    // Not all the way, or a night would be as bright as a day.
    low_ = 0.8 * level(pixels / 50);
    high_ = 1 - 0.8 * (1 - level(pixels - pixels / 50));
    high_ = std::max(high_, low_ + 0.1);
    // And dark pictures are lifted a little in the middle, where their shapes are.
    const double middle = std::clamp((level(pixels / 2) - low_) / (high_ - low_), 0.05, 0.95);
    gamma_ = std::clamp(std::log(0.42) / std::log(middle), 0.65, 1.0);
  }
  /// With less blue and more red than the eye has: skies and shadows are blue, and what stands before them is not.
  static std::size_t brightness(const std::uint8_t* p) { return (108u * p[0] + 124u * p[1] + 24u * p[2]) >> 8; }
  double operator()(double value) const {
    return std::pow(std::clamp((value - low_) / (high_ - low_), 0.0, 1.0), gamma_);
  }

 private:
  double low_, high_, gamma_;
};

Colour ramp(std::span<const Stop> stops, double at) {
  std::size_t i = 1;
  while (i + 1 < stops.size() && stops[i].at < at) ++i;
  const Stop &a = stops[i - 1], &b = stops[i];
  return mix(a.colour, b.colour, std::clamp((at - a.at) / (b.at - a.at), 0.0, 1.0));
}

std::vector<Stop> stops_of(Palette palette) {
  switch (palette) {
    case Palette::sepia:
      return {{0, rgb(0x22140a)}, {0.45, rgb(0x8a6644)}, {1, rgb(0xf4e4c6)}};
    case Palette::monochrome:
      return {{0, rgb(0x060606)}, {1, rgb(0xfafafa)}};
    case Palette::red:
      return {{0, rgb(0x1e0004)}, {0.45, rgb(0xbc121c)}, {0.75, rgb(0xf4604c)}, {1, rgb(0xffdccc)}};
    case Palette::yellow:
      return {{0, rgb(0x2e1e00)}, {0.4, rgb(0xb88600)}, {0.7, rgb(0xf8cc10)}, {1, rgb(0xfff8c0)}};
    case Palette::green:
      return {{0, rgb(0x02180a)}, {0.5, rgb(0x1f8f3e)}, {1, rgb(0xdcf8c8)}};
    case Palette::blue:
      return {{0, rgb(0x020828)}, {0.5, rgb(0x1c58cc)}, {1, rgb(0xd2ecff)}};
    case Palette::purple:
      return {{0, rgb(0x16042c)}, {0.5, rgb(0x8a34c0)}, {1, rgb(0xf4d8ff)}};
    case Palette::neon:
      return {
          {0, rgb(0x06021a)}, {0.28, rgb(0x3c0c8c)}, {0.55, rgb(0xf01ca4)}, {0.8, rgb(0x20e4fc)}, {1, rgb(0xf4ffd0)}};
    case Palette::natural:
    case Palette::pastel:
      break;
  }
  return {};
}

}  // namespace

void apply_palette(Picture& picture, Palette palette) {
  if (palette == Palette::natural) return;
  const Levels levels(picture);
  const std::vector<Stop> stops = stops_of(palette);
  std::array<Colour, 256> tones;
  for (std::size_t i = 0; i < tones.size(); ++i) {
    const double value = levels(static_cast<double>(i) / 255);
    tones[i] = palette == Palette::pastel ? Colour{0.53 + 0.45 * value, 0.48 + 0.48 * value, 0.56 + 0.42 * value}
                                          : ramp(stops, value);
  }
  // How much of a pixel's own colour, its difference from grey, is added to the tone; and the tone's share.
  const double keep = palette == Palette::pastel       ? 0.5
                      : palette == Palette::neon       ? 0.85
                      : palette == Palette::monochrome ? 0
                                                       : 0.1;
  const double share = palette == Palette::neon ? 0.8 : 1;
  for (std::size_t i = 0; i < picture.samples.size(); i += 3) {
    std::uint8_t* p = &picture.samples[i];
    const std::size_t bright = Levels::brightness(p);
    const double tone[3] = {tones[bright].r, tones[bright].g, tones[bright].b};
    for (std::size_t c = 0; c < 3; ++c) {
      const double own = (static_cast<double>(p[c]) - static_cast<double>(bright)) / 255;
      p[c] = static_cast<std::uint8_t>(std::clamp(255 * (share * tone[c] + keep * own) + 0.5, 0.0, 255.0));
    }
  }
}

}  // namespace disco
