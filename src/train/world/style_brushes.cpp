// Styles made of strokes, washes and lines.
#include <algorithm>
#include <cmath>

#include "train/world/style_parts.h"

namespace disco {
namespace {

float uniform(Dice& dice, double from, double to) { return static_cast<float>(dice.uniform(from, to)); }

struct Stroke {
  float x, y;                  ///< Of the middle, in pixels.
  float angle, length, width;  ///< Half the length and half the width, in pixels.
  Pixel colour;
  float relief;  ///< How much the ridges of the bristles differ in brightness.
};

/// A lens-shaped stroke whose bristles leave light and dark ridges.
void stamp(Raster& raster, const Stroke& s) {
  const float c = std::cos(s.angle), n = std::sin(s.angle);
  const float wide = std::abs(c) * s.length + std::abs(n) * s.width,
              tall = std::abs(n) * s.length + std::abs(c) * s.width;
  const int left = std::max(0, static_cast<int>(s.x - wide)),
            right = std::min(raster.side - 1, static_cast<int>(s.x + wide) + 1);
  const int top = std::max(0, static_cast<int>(s.y - tall)),
            bottom = std::min(raster.side - 1, static_cast<int>(s.y + tall) + 1);
  for (int y = top; y <= bottom; ++y) {
    for (int x = left; x <= right; ++x) {
      const float dx = static_cast<float>(x) - s.x, dy = static_cast<float>(y) - s.y;
      const float along = (dx * c + dy * n) / s.length, across = (dy * c - dx * n) / s.width;
      const float away = along * along * along * along + across * across;
      if (away >= 1) continue;
      const float ridge = s.relief * (0.7f - 1.4f * (across + 1) * 0.5f + 0.5f * std::cos(across * 7));
      const float cover = std::min(1.0f, (1 - away) * 3);
      Pixel& p = raster.at(x, y);
      p = blend(p, {s.colour[0] + ridge, s.colour[1] + ridge, s.colour[2] + ridge}, cover);
    }
  }
}

/// Places `rows`² strokes on a jittered grid, in a mixed order so that no row lies over another.
template <typename Place>
void scatter(int side, int rows, Dice& dice, const Place& place) {
  std::vector<int> order(static_cast<std::size_t>(rows * rows));
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t j = dice.below(i + 1);
    order[i] = order[j];
    order[j] = static_cast<int>(i);
  }
  const float cell = static_cast<float>(side) / static_cast<float>(rows);
  for (const int i : order) {
    const int row = i / rows, column = i % rows;
    const float x = (static_cast<float>(column) + uniform(dice, 0, 1)) * cell;
    const float y = (static_cast<float>(row) + uniform(dice, 0, 1)) * cell;
    place(std::min(x, static_cast<float>(side - 1)), std::min(y, static_cast<float>(side - 1)));
  }
}

/// Brightness from 0 to 1 over the picture's own range, as someone with one pen would render a night.
Plane tones(const Raster& raster) {
  Plane plane(raster.side);
  for (std::size_t i = 0; i < plane.values.size(); ++i) plane.values[i] = brightness(raster.values[i]);
  std::vector<float> sample;
  for (std::size_t i = 0; i < plane.values.size(); i += 61) sample.push_back(plane.values[i]);
  std::ranges::sort(sample);
  const float low = 0.8f * sample[sample.size() / 33], high = sample[sample.size() - 1 - sample.size() / 33];
  const float top = std::max(0.35f + 0.65f * high, low + 0.1f);
  for (float& v : plane.values) v = std::clamp((v - low) / (top - low), 0.0f, 1.0f);
  return plane;
}

/// Contours, on the darker side of each edge: around a star, not over it.
Plane contours(const Raster& raster, int softness) {
  const Raster soft = blurred(raster, softness), far = blurred(raster, std::max(2, raster.side / 40));
  Plane lines = blurred(edges(soft), std::max(1, softness / 2));
  for (std::size_t i = 0; i < lines.values.size(); ++i) {
    lines.values[i] *= step_between(-0.03f, 0.03f, brightness(far.values[i]) - brightness(soft.values[i]));
  }
  return lines;
}

}  // namespace

void oil(Raster& raster, Dice& dice) {
  const int side = raster.side;
  const float unit = static_cast<float>(side);
  const Raster soft = blurred(raster, std::max(1, side / 128));
  const Plane angles = flow(soft, dice), detail = blurred(edges(soft), std::max(1, side / 100));
  Raster canvas = blurred(soft, side / 50);
  const auto paint = [&](float x, float y, float length, float width) {
    const int i = static_cast<int>(x), j = static_cast<int>(y);
    const Pixel colour = saturated(soft.at(i, j), 1.3f, uniform(dice, -0.07, 0.055));
    stamp(canvas, {x, y, angles.at(i, j) + uniform(dice, -0.2, 0.2), length * unit, width * unit, colour, 0.1f});
  };
  // Broad enough to be seen as strokes where a picture has 64 pixels a side.
  scatter(side, 21, dice, [&](float x, float y) { paint(x, y, 0.09f, 0.023f); });
  scatter(side, 44, dice, [&](float x, float y) {
    if (detail.at(static_cast<int>(x), static_cast<int>(y)) > 0.035f) paint(x, y, 0.03f, 0.01f);
  });
  scatter(side, 84, dice, [&](float x, float y) {
    if (detail.at(static_cast<int>(x), static_cast<int>(y)) > 0.08f) paint(x, y, 0.014f, 0.006f);
  });
  raster = std::move(canvas);
}

void impressionist(Raster& raster, Dice& dice) {
  const int side = raster.side;
  const float unit = static_cast<float>(side);
  const Raster soft = blurred(raster, std::max(1, side / 128));
  const Plane detail = blurred(edges(soft), std::max(1, side / 100));
  const Pixel ground{0.93f, 0.88f, 0.8f};
  Raster canvas = blurred(soft, side / 32);
  for (Pixel& p : canvas.values) p = blend(p, ground, 0.5f);
  const auto dab = [&](float x, float y, float size) {
    Pixel colour = saturated(soft.at(static_cast<int>(x), static_cast<int>(y)), 1.4f, 0.06f);
    // Broken colour: every dab leans to another hue.
    const float bright = uniform(dice, -0.05, 0.06);
    for (float& c : colour) c += bright + uniform(dice, -0.09, 0.09);
    stamp(canvas, {x, y, uniform(dice, -0.5, 0.5), size * 1.15f * unit, size * unit, colour, 0.02f});
  };
  // Single dots, with the primed canvas between them, also where a picture has 64 pixels a side.
  scatter(side, 29, dice, [&](float x, float y) { dab(x, y, 0.0215f); });
  scatter(side, 66, dice, [&](float x, float y) {
    if (detail.at(static_cast<int>(x), static_cast<int>(y)) > 0.045f) dab(x, y, 0.01f);
  });
  raster = std::move(canvas);
}

void watercolour(Raster& raster, Dice& dice) {
  const int side = raster.side;
  const float unit = static_cast<float>(side);
  const Plane drift = noise(side, 24, dice), lift = noise(side, 24, dice), pool = noise(side, 5, dice),
              blot = noise(side, 9, dice);
  const Plane grain = noise(side, 100, dice), ragged = noise(side, 16, dice);
  // The wet paper carries the pigment a little way.
  Raster wet(side);
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      wet.at(x, y) = raster.near(x + static_cast<int>((drift.at(x, y) - 0.5f) * 0.035f * unit),
                                 y + static_cast<int>((lift.at(x, y) - 0.5f) * 0.035f * unit));
    }
  }
  wet = blurred(wet, std::max(1, side / 160));
  const Raster far = blurred(wet, std::max(1, side / 40));
  const Pixel paper{0.985f, 0.972f, 0.94f};
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const Pixel colour = saturated(wet.at(x, y), 1.15f);
      // Pigment gathers at the rim of darker washes, and where pools dried.
      const float rim = std::clamp((brightness(far.at(x, y)) - brightness(wet.at(x, y))) * 0.9f, -0.12f, 0.2f);
      const float dried = 0.04f * step_between(0.035f, 0, std::abs(blot.at(x, y) - 0.52f));
      const float density = 0.42f + 0.4f * pool.at(x, y) + rim + dried + 0.1f * (grain.at(x, y) - 0.5f);
      const float border = static_cast<float>(std::min(std::min(x, side - 1 - x), std::min(y, side - 1 - y))) / unit;
      const float inside = step_between(0.025f, 0.045f, border + 0.075f * (ragged.at(x, y) - 0.5f));
      Pixel& p = raster.at(x, y);
      for (std::size_t c = 0; c < 3; ++c)
        p[c] = paper[c] * (1 - inside * std::clamp(density, 0.0f, 1.0f) * (1 - colour[c]) * 1.05f);
    }
  }
}

void pencil(Raster& raster, Dice& dice) {
  const int side = raster.side;
  const Plane line = contours(raster, std::max(1, side / 200)), tone = tones(raster);
  const Plane wobble = noise(side, 12, dice), grain = noise(side, 110, dice), press = noise(side, 6, dice);
  const float spacing = 0.036f;
  const Pixel paper{0.955f, 0.94f, 0.9f}, lead{0.17f, 0.17f, 0.2f};
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const float u = static_cast<float>(x) / static_cast<float>(side);
      const float v = static_cast<float>(y) / static_cast<float>(side);
      const Pixel own = raster.at(x, y);
      const float dark = 1 - std::sqrt(tone.at(x, y));
      const auto hatch = [&](float slant, float from) {
        const float phase = (u * slant + v + 0.03f * wobble.at(x, y)) / spacing;
        return step_between(0.2f, 0.75f, std::abs(2 * (phase - std::floor(phase)) - 1)) *
               step_between(from, from + 0.25f, dark);
      };
      const float hatching = 0.3f * hatch(0.9f, 0.08f) + 0.14f * hatch(-0.6f, 0.55f);
      const float outline = 0.95f * step_between(0.025f, 0.15f, line.at(x, y));
      const float rub = (0.75f + 0.5f * grain.at(x, y)) * (0.8f + 0.4f * press.at(x, y));
      const float mark = std::clamp((hatching + outline + 0.72f * dark * dark + 0.15f * dark) * rub, 0.0f, 1.0f);
      const Pixel tinted = blend(paper, saturated(own, 1.2f, 0.75f - brightness(own)), 0.22f);
      raster.at(x, y) = blend(tinted, lead, mark);
    }
  }
}

void ink(Raster& raster, Dice& dice) {
  const int side = raster.side, softness = std::max(1, side / 128);
  const Raster soft = blurred(raster, softness);
  const Plane line = contours(raster, softness), tone = tones(soft), wobble = noise(side, 14, dice);
  const float spacing = 0.032f;
  const Pixel paper{0.98f, 0.96f, 0.9f}, black{0.05f, 0.06f, 0.13f};
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const float u = static_cast<float>(x) / static_cast<float>(side);
      const float v = static_cast<float>(y) / static_cast<float>(side);
      // Parallel lines that swell with the darkness until they close.
      const float phase = (v + 0.12f * u + 0.04f * wobble.at(x, y)) / spacing;
      const float ridge = std::abs(2 * (phase - std::floor(phase)) - 1);
      const float swell = std::clamp((0.5f - tone.at(x, y)) / 0.4f, 0.0f, 1.0f);
      const float lines =
          step_between(0.94f - 1.05f * swell, 1.04f - 1.05f * swell, ridge) * step_between(0, 0.05f, swell);
      const float outline = step_between(0.03f, 0.055f, line.at(x, y));
      const Pixel own = soft.at(x, y);
      const Pixel wash = blend(paper, saturated(own, 1.3f, 0.72f - brightness(own)), 0.2f);
      raster.at(x, y) = blend(wash, black, std::max(lines, outline));
    }
  }
}

}  // namespace disco
