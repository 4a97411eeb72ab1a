// One pixel of a cutout: grey, and colour jitter with its gradient, as kernels/cut_pixels.cpp has them in vectors.
#pragma once

#include <cmath>

#include "core/host_device.h"
#include "kernels/cut_pixels.h"

namespace disco::pixel {

struct Rgb {
  float r, g, b;
};

DISCO_HOST_DEVICE inline Rgb operator*(Rgb x, float by) { return {x.r * by, x.g * by, x.b * by}; }
DISCO_HOST_DEVICE inline Rgb operator+(Rgb x, Rgb y) { return {x.r + y.r, x.g + y.g, x.b + y.b}; }
DISCO_HOST_DEVICE inline float sum(Rgb x) { return x.r + x.g + x.b; }

/// NaN stays NaN, so that a ruined picture is not taken for a black one.
DISCO_HOST_DEVICE inline float clamp(float x) { return x < 0 ? 0 : x > 1 ? 1 : x; }
DISCO_HOST_DEVICE inline Rgb clamp(Rgb x) { return {clamp(x.r), clamp(x.g), clamp(x.b)}; }

/// `slope` where x was not clamped, as LibTorch has it: the ends count as inside.
DISCO_HOST_DEVICE inline float through_clamp(float x, float slope) { return x >= 0 && x <= 1 ? slope : 0; }
DISCO_HOST_DEVICE inline Rgb through_clamp(Rgb x, Rgb slope) {
  return {through_clamp(x.r, slope.r), through_clamp(x.g, slope.g), through_clamp(x.b, slope.b)};
}

constexpr float red_share = .2989f, green_share = .587f, blue_share = .114f;
static_assert(red_share == grey_shares[0] && green_share == grey_shares[1] && blue_share == grey_shares[2]);

DISCO_HOST_DEVICE inline float grey_of(Rgb x) { return x.r * red_share + x.g * green_share + x.b * blue_share; }
/// The adjoint of grey_of().
DISCO_HOST_DEVICE inline Rgb from_grey(float slope) {
  return {slope * red_share, slope * green_share, slope * blue_share};
}

/// x·share + other·(1 − share), before the clamp.
DISCO_HOST_DEVICE inline Rgb blend(Rgb x, float other, float share) {
  const float rest = other * (1 - share);
  return {x.r * share + rest, x.g * share + rest, x.b * share + rest};
}

/// The hexcone model (Smith 1978), and what the six sectors of a turned hue are made of.
struct Hexcone {
  bool r_leads, g_leads, colourless;  ///< g_leads where r does not.
  float largest, smallest, divisor, sixths;
  float whole;  ///< What the range is divided by to become the saturation.
  float saturation;
  int sector;                                ///< Of the turned hue, 0 to 5,
  float rest;                                ///< and the rest of a sixth.
  float one_less_p, one_less_q, one_less_t;  ///< p = largest·one_less_p, and so on, before their clamps.
};

DISCO_HOST_DEVICE inline float fraction(float x) { return x - std::floor(x); }

DISCO_HOST_DEVICE inline Hexcone to_hexcone(Rgb x, float turns) {
  Hexcone h;
  h.largest = x.r > x.g ? x.r : x.g;
  h.largest = h.largest > x.b ? h.largest : x.b;
  h.smallest = x.r < x.g ? x.r : x.g;
  h.smallest = h.smallest < x.b ? h.smallest : x.b;
  const float range = h.largest - h.smallest;
  h.colourless = h.largest == h.smallest;
  h.divisor = h.colourless ? 1 : range;
  h.whole = h.colourless ? 1 : h.largest;
  h.saturation = range / h.whole;
  h.r_leads = h.largest == x.r;
  h.g_leads = !h.r_leads && h.largest == x.g;
  const float r = (h.largest - x.r) / h.divisor, g = (h.largest - x.g) / h.divisor, b = (h.largest - x.b) / h.divisor;
  h.sixths = h.r_leads ? b - g : h.g_leads ? 2 + r - b : 4 + g - r;
  const float hue = fraction(h.sixths / 6 + 1);
  const float turned = fraction(hue + turns) * 6;
  const float sector = std::floor(turned);
  h.rest = turned - sector;
  h.sector = sector >= 0 && sector < 6 ? static_cast<int>(sector) : 0;  // A hue that rounding took to a whole turn.
  h.one_less_p = 1 - h.saturation;
  h.one_less_q = 1 - h.saturation * h.rest;
  h.one_less_t = 1 - h.saturation * (1 - h.rest);
  return h;
}

DISCO_HOST_DEVICE inline Rgb turn_hue(Rgb x, float turns) {
  const Hexcone h = to_hexcone(x, turns);
  const float v = h.largest, p = clamp(v * h.one_less_p), q = clamp(v * h.one_less_q), t = clamp(v * h.one_less_t);
  switch (h.sector) {
    case 0:
      return {v, t, p};
    case 1:
      return {q, v, p};
    case 2:
      return {p, v, t};
    case 3:
      return {p, q, v};
    case 4:
      return {t, p, v};
    default:
      return {v, p, q};
  }
}

/// Gradients by v, p, q and t: the adjoint of their choice in turn_hue().
struct BySectorParts {
  float v, p, q, t;
};
DISCO_HOST_DEVICE inline BySectorParts by_sector_parts(int sector, Rgb by_y) {
  switch (sector) {
    case 0:
      return {by_y.r, by_y.b, 0, by_y.g};
    case 1:
      return {by_y.g, by_y.b, by_y.r, 0};
    case 2:
      return {by_y.g, by_y.r, 0, by_y.b};
    case 3:
      return {by_y.b, by_y.r, by_y.g, 0};
    case 4:
      return {by_y.b, by_y.g, 0, by_y.r};
    default:
      return {by_y.r, by_y.g, by_y.b, 0};
  }
}

DISCO_HOST_DEVICE inline Rgb turn_hue_backward(Rgb x, float turns, Rgb by_y) {
  const Hexcone h = to_hexcone(x, turns);
  const float v = h.largest;
  BySectorParts by = by_sector_parts(h.sector, by_y);
  by.p = through_clamp(v * h.one_less_p, by.p);
  by.q = through_clamp(v * h.one_less_q, by.q);
  by.t = through_clamp(v * h.one_less_t, by.t);
  by.v += by.p * h.one_less_p + by.q * h.one_less_q + by.t * h.one_less_t;
  const float by_saturation = -(by.p + by.q * h.rest + by.t * (1 - h.rest)) * v;
  // The hue: sixths is a whole number of the leading channel, and a difference of two channels over the divisor.
  const float over = (by.t - by.q) * v * h.saturation / h.divisor;
  const float start = h.r_leads ? 0 : h.g_leads ? 2 : 4;
  float by_range = h.colourless ? 0 : -over * (h.sixths - start);
  Rgb by_x = h.r_leads ? Rgb{0, over, -over} : h.g_leads ? Rgb{-over, 0, over} : Rgb{over, -over, 0};
  // The saturation, and the largest and the smallest channel: the first of equals.
  const float by_quotient = by_saturation / h.whole;
  by_range += by_quotient;
  if (!h.colourless) by.v -= by_quotient * h.saturation;
  by.v += by_range;
  (h.r_leads ? by_x.r : h.g_leads ? by_x.g : by_x.b) += by.v;
  const bool r_least = h.smallest == x.r, g_least = !r_least && h.smallest == x.g;
  (r_least ? by_x.r : g_least ? by_x.g : by_x.b) -= by_range;
  return by_x;
}

DISCO_HOST_DEVICE inline Rgb apply(ColourStep step, Rgb x, float mean) {
  switch (step.kind) {
    case ColourStep::brightness:
      return clamp(x * step.amount);
    case ColourStep::contrast:
      return clamp(blend(x, mean, step.amount));
    case ColourStep::saturation:
      return clamp(blend(x, grey_of(x), step.amount));
    default:
      return turn_hue(x, step.amount);
  }
}

/// The gradient by x of one step, its mean grey taken as given.
DISCO_HOST_DEVICE inline Rgb apply_backward(ColourStep step, Rgb x, float mean, Rgb by_y) {
  switch (step.kind) {
    case ColourStep::brightness:
      return through_clamp(x * step.amount, by_y) * step.amount;
    case ColourStep::contrast:
      return through_clamp(blend(x, mean, step.amount), by_y) * step.amount;
    case ColourStep::saturation: {
      const Rgb slope = through_clamp(blend(x, grey_of(x), step.amount), by_y);
      return slope * step.amount + from_grey(sum(slope) * (1 - step.amount));
    }
    default:
      return turn_hue_backward(x, step.amount, by_y);
  }
}

/// The steps as a kernel takes them. `contrast` is the place of the step of contrast, or `count`.
struct Steps {
  static constexpr int count = 4;
  ColourStep step[count];
  int contrast;
};

/// What the step of contrast takes the mean of.
DISCO_HOST_DEVICE inline float grey_before_contrast(const Steps& steps, Rgb x) {
  for (int k = 0; k < steps.contrast; ++k) x = apply(steps.step[k], x, 0);
  return grey_of(x);
}

DISCO_HOST_DEVICE inline Rgb apply_all(const Steps& steps, Rgb x, float mean) {
  for (int k = 0; k < Steps::count; ++k) x = apply(steps.step[k], x, mean);
  return x;
}

/// The values that each step sees.
struct Seen {
  Rgb by_step[Steps::count];
};
DISCO_HOST_DEVICE inline Seen see(const Steps& steps, Rgb x, float mean) {
  Seen seen;
  for (int k = 0; k < Steps::count; ++k) {
    seen.by_step[k] = x;
    x = apply(steps.step[k], x, mean);
  }
  return seen;
}

/// Back through steps last − 1 to `first`.
DISCO_HOST_DEVICE inline Rgb back(const Steps& steps, const Seen& seen, int last, int first, float mean, Rgb slope) {
  for (int k = last - 1; k >= first; --k) slope = apply_backward(steps.step[k], seen.by_step[k], mean, slope);
  return slope;
}

/// The pixel's part of the gradient by the mean grey.
DISCO_HOST_DEVICE inline float by_mean_grey(const Steps& steps, Rgb x, float mean, Rgb by_y) {
  const Seen seen = see(steps, x, mean);
  const Rgb slope = back(steps, seen, Steps::count, steps.contrast + 1, mean, by_y);
  const float share = steps.step[steps.contrast].amount;
  return sum(through_clamp(blend(seen.by_step[steps.contrast], mean, share), slope)) * (1 - share);
}

/// The gradient by x. `by_mean` is that by the mean grey, divided by the number of pixels.
DISCO_HOST_DEVICE inline Rgb apply_all_backward(const Steps& steps, Rgb x, float mean, float by_mean, Rgb by_y) {
  const Seen seen = see(steps, x, mean);
  if (steps.contrast == Steps::count) return back(steps, seen, Steps::count, 0, mean, by_y);
  const Rgb slope = back(steps, seen, Steps::count, steps.contrast, mean, by_y);
  return back(steps, seen, steps.contrast, 0, mean, slope + from_grey(by_mean));
}

}  // namespace disco::pixel
