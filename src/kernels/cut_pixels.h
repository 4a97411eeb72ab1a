// Passes over the pixels of one cutout, three planes of equal size: grey, and colour jitter with its gradient. No torch
// here: cut_pixels.cpp is compiled once for each instruction set.
#pragma once

#include <array>
#include <cstdint>

namespace disco {

/// The shares of R, G and B in grey, of ITU-R BT.601 as torchvision rounds them.
constexpr std::array<float, 3> grey_shares = {.2989f, .587f, .114f};

/// One step of colour jitter. Each but hue clamps to [0,1].
struct ColourStep {
  enum Kind : std::uint8_t {
    brightness,  ///< amount·x
    contrast,    ///< amount·x + (1 − amount)·the cutout's mean grey
    saturation,  ///< amount·x + (1 − amount)·grey
    hue,         ///< Turned by `amount` turns in the hexcone model (Smith 1978).
  } kind = brightness;
  float amount = 1;
};
/// In order. At most one is `contrast`.
using ColourSteps = std::array<ColourStep, 4>;

/// The pixels of one cutout: `plane` values of R, then of G, then of B.
struct CutPixels {
  const float* values;
  std::int64_t plane;
};

/// y = grey or not (x + strength·first) + strength·second, of all three planes. `first` and `second` are laid out as x.
void add_noises(CutPixels x, const float* first, const float* second, float strength, bool grey, float* y);
/// The gradient by x, from that by y. They may be the same memory.
void add_noises_backward(CutPixels by_y, bool grey, float* by_x);

/// The mean grey that the step of contrast is to see; 0 when there is none.
float mean_grey(const ColourSteps& steps, CutPixels x);
void apply_steps(const ColourSteps& steps, CutPixels x, float mean, float* y);
/// The gradient by x, that through the mean grey included. Recomputes the steps.
void apply_steps_backward(const ColourSteps& steps, CutPixels x, float mean, const float* by_y, float* by_x);

}  // namespace disco
