// Grey and colour jitter.
#include <ATen/ATen.h>

#include "guidance/augment.h"

namespace disco {
namespace {

constexpr std::int64_t channel_axis = 1;

at::Tensor blend(const at::Tensor& x, const at::Tensor& other, double share) {
  return (x * share + other * (1 - share)).clamp(0, 1);
}

struct Hsv {
  at::Tensor hue, saturation, value;  ///< (N,h,w); hue in turns.
};

/// The hexcone model (Smith 1978). Pixels without colour have hue 0 by a divisor of 1.
Hsv to_hsv(const at::Tensor& x) {
  const at::Tensor r = x.select(channel_axis, 0), g = x.select(channel_axis, 1), b = x.select(channel_axis, 2);
  const at::Tensor largest = std::get<0>(at::max(x, channel_axis)), smallest = std::get<0>(at::min(x, channel_axis));
  const at::Tensor colourless = largest == smallest;
  const at::Tensor range = largest - smallest;
  const at::Tensor divisor = at::where(colourless, at::ones_like(range), range);
  const at::Tensor from_r = (largest - r) / divisor, from_g = (largest - g) / divisor, from_b = (largest - b) / divisor;
  const at::Tensor r_leads = largest == r, g_leads = (largest == g) & ~r_leads;
  const at::Tensor sixths =
      at::where(r_leads, from_b - from_g, at::where(g_leads, 2 + from_r - from_b, 4 + from_g - from_r));
  return {at::fmod(sixths / 6 + 1, 1), range / at::where(colourless, at::ones_like(largest), largest), largest};
}

at::Tensor to_rgb(const Hsv& hsv) {
  const at::Tensor sixths = hsv.hue * 6, sector = at::floor(sixths), rest = sixths - sector;
  const at::Tensor& v = hsv.value;
  const at::Tensor& s = hsv.saturation;
  const at::Tensor p = (v * (1 - s)).clamp(0, 1);
  const at::Tensor q = (v * (1 - s * rest)).clamp(0, 1);
  const at::Tensor t = (v * (1 - s * (1 - rest))).clamp(0, 1);
  // Which of v, p, q, t each channel is, in the six sectors of the hue.
  constexpr std::int64_t V = 0, P = 1, Q = 2, T = 3;
  const at::Tensor choice =
      at::tensor({V, Q, P, P, T, V, T, V, V, Q, P, P, P, P, T, V, V, Q}, at::kLong).to(v.device());
  const at::Tensor index = at::remainder(sector.detach().to(at::kLong), 6).unsqueeze(channel_axis);
  const at::Tensor offsets = at::tensor({0, 6, 12}, at::kLong).to(v.device()).view({1, 3, 1, 1});
  return at::stack({v, p, q, t}, channel_axis).gather(channel_axis, choice.index({index + offsets}));
}

at::Tensor turn_hue(const at::Tensor& x, double turns) {
  Hsv hsv = to_hsv(x);
  hsv.hue = at::remainder(hsv.hue + turns, 1);
  return to_rgb(hsv);
}

}  // namespace

at::Tensor grey(const at::Tensor& x) {
  return x.narrow(channel_axis, 0, 1) * .2989 + x.narrow(channel_axis, 1, 1) * .587 +
         x.narrow(channel_axis, 2, 1) * .114;
}

ColourJitter draw_colour_jitter(double strength, double hue, RandomStream& stream) {
  ColourJitter jitter;
  const std::vector<std::int64_t> order = stream.randperm(static_cast<std::int64_t>(jitter.order.size()));
  std::copy(order.begin(), order.end(), jitter.order.begin());
  jitter.brightness = stream.uniform(1 - strength, 1 + strength);
  jitter.contrast = stream.uniform(1 - strength, 1 + strength);
  jitter.saturation = stream.uniform(1 - strength, 1 + strength);
  jitter.hue = stream.uniform(-hue, hue);
  return jitter;
}

ColourSteps colour_steps(const ColourJitter& jitter) {
  const std::array<ColourStep, 4> all = {{{ColourStep::brightness, static_cast<float>(jitter.brightness)},
                                          {ColourStep::contrast, static_cast<float>(jitter.contrast)},
                                          {ColourStep::saturation, static_cast<float>(jitter.saturation)},
                                          {ColourStep::hue, static_cast<float>(jitter.hue)}}};
  ColourSteps steps;
  for (std::size_t k = 0; k < steps.size(); ++k) steps[k] = all[static_cast<std::size_t>(jitter.order[k])];
  return steps;
}

at::Tensor apply_colour_jitter(const at::Tensor& x, const ColourJitter& jitter) {
  at::Tensor y = x;
  for (const std::int64_t part : jitter.order) {
    switch (part) {
      case 0:
        y = (y * jitter.brightness).clamp(0, 1);
        break;
      case 1:
        y = blend(y, grey(y).mean({1, 2, 3}, true), jitter.contrast);
        break;
      case 2:
        y = blend(y, grey(y), jitter.saturation);
        break;
      default:
        y = turn_hue(y, jitter.hue);
    }
  }
  return y;
}

}  // namespace disco
