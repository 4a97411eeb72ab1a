#include "kernels/cut_pixels.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cut_pixels.cpp"
#include <hwy/foreach_target.h>  // Must come before highway.h.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace disco::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Lanes = hn::Vec<Floats>;
using Mask = hn::Mask<Floats>;

HWY_INLINE Lanes of(float value) { return hn::Set(Floats(), value); }

struct Rgb {
  Lanes r, g, b;
};

HWY_INLINE Rgb operator*(Rgb x, Lanes by) { return {hn::Mul(x.r, by), hn::Mul(x.g, by), hn::Mul(x.b, by)}; }
HWY_INLINE Rgb operator+(Rgb x, Lanes more) { return {hn::Add(x.r, more), hn::Add(x.g, more), hn::Add(x.b, more)}; }
HWY_INLINE Rgb operator+(Rgb x, Rgb more) { return {hn::Add(x.r, more.r), hn::Add(x.g, more.g), hn::Add(x.b, more.b)}; }
HWY_INLINE Lanes sum(Rgb x) { return hn::Add(hn::Add(x.r, x.g), x.b); }

/// NaN stays NaN, so that a ruined picture is not taken for a black one.
HWY_INLINE Lanes clamp(Lanes x) {
  const Lanes zero = hn::Zero(Floats()), one = of(1);
  return hn::IfThenElse(hn::Lt(x, zero), zero, hn::IfThenElse(hn::Gt(x, one), one, x));
}
HWY_INLINE Rgb clamp(Rgb x) { return {clamp(x.r), clamp(x.g), clamp(x.b)}; }

/// `slope` where x was not clamped, as LibTorch has it: the ends count as inside.
HWY_INLINE Lanes through_clamp(Lanes x, Lanes slope) {
  const Mask inside = hn::And(hn::Ge(x, hn::Zero(Floats())), hn::Le(x, of(1)));
  return hn::IfThenElseZero(inside, slope);
}
HWY_INLINE Rgb through_clamp(Rgb x, Rgb slope) {
  return {through_clamp(x.r, slope.r), through_clamp(x.g, slope.g), through_clamp(x.b, slope.b)};
}

HWY_INLINE Lanes grey_of(Rgb x) {
  const Lanes two = hn::Add(hn::Mul(x.r, of(grey_shares[0])), hn::Mul(x.g, of(grey_shares[1])));
  return hn::Add(two, hn::Mul(x.b, of(grey_shares[2])));
}
/// The adjoint of grey_of().
HWY_INLINE Rgb from_grey(Lanes slope) {
  return {hn::Mul(slope, of(grey_shares[0])), hn::Mul(slope, of(grey_shares[1])), hn::Mul(slope, of(grey_shares[2]))};
}

/// x·share + other·(1 − share), before the clamp.
HWY_INLINE Rgb blend(Rgb x, Lanes other, float share) { return x * of(share) + hn::Mul(other, of(1 - share)); }

/// The hexcone model, and the six sectors' colours of a turned hue.
struct Hexcone {
  Mask r_leads, g_leads, colourless;  ///< g_leads where r does not.
  Lanes largest, smallest, range, divisor, sixths;
  Lanes whole;  ///< What the range is divided by to become the saturation.
  Lanes saturation;
  Lanes sector, rest;                        ///< Of the turned hue: 0 to 5, and the rest of a sixth.
  Lanes one_less_p, one_less_q, one_less_t;  ///< p = value·one_less_p, and so on, before their clamps.
};

HWY_INLINE Lanes fraction(Lanes x) { return hn::Sub(x, hn::Floor(x)); }

HWY_INLINE Hexcone to_hexcone(Rgb x, float turns) {
  Hexcone h;
  h.largest = hn::Max(hn::Max(x.r, x.g), x.b);
  h.smallest = hn::Min(hn::Min(x.r, x.g), x.b);
  h.range = hn::Sub(h.largest, h.smallest);
  h.colourless = hn::Eq(h.largest, h.smallest);
  const Lanes one = of(1);
  h.divisor = hn::IfThenElse(h.colourless, one, h.range);
  h.whole = hn::IfThenElse(h.colourless, one, h.largest);
  h.saturation = hn::Div(h.range, h.whole);
  h.r_leads = hn::Eq(h.largest, x.r);
  h.g_leads = hn::AndNot(h.r_leads, hn::Eq(h.largest, x.g));
  const auto below = [&](Lanes channel) HWY_ATTR { return hn::Div(hn::Sub(h.largest, channel), h.divisor); };
  const Lanes r = below(x.r), g = below(x.g), b = below(x.b);
  const Lanes from_b = hn::Sub(hn::Add(of(4), g), r), from_g = hn::Sub(hn::Add(of(2), r), b), from_r = hn::Sub(b, g);
  h.sixths = hn::IfThenElse(h.r_leads, from_r, hn::IfThenElse(h.g_leads, from_g, from_b));
  const Lanes hue = fraction(hn::Add(hn::Div(h.sixths, of(6)), one));
  const Lanes turned = hn::Mul(fraction(hn::Add(hue, of(turns))), of(6));
  const Lanes sector = hn::Floor(turned);
  h.rest = hn::Sub(turned, sector);
  h.sector = hn::IfThenZeroElse(hn::Eq(sector, of(6)), sector);  // A hue that rounding took to a whole turn.
  h.one_less_p = hn::Sub(one, h.saturation);
  h.one_less_q = hn::NegMulAdd(h.saturation, h.rest, one);
  h.one_less_t = hn::NegMulAdd(h.saturation, hn::Sub(one, h.rest), one);
  return h;
}

/// Which of value, p, q and t each channel is, in the six sectors.
struct Sectors {
  std::array<Mask, 6> is;
  HWY_INLINE explicit Sectors(Lanes sector)
      : is{hn::Eq(sector, of(0)), hn::Eq(sector, of(1)), hn::Eq(sector, of(2)),
           hn::Eq(sector, of(3)), hn::Eq(sector, of(4)), hn::Eq(sector, of(5))} {}
};

HWY_INLINE Rgb turn_hue(Rgb x, float turns) {
  const Hexcone h = to_hexcone(x, turns);
  const Lanes v = h.largest, p = clamp(hn::Mul(v, h.one_less_p)), q = clamp(hn::Mul(v, h.one_less_q)),
              t = clamp(hn::Mul(v, h.one_less_t));
  const Sectors in(h.sector);
  const auto choose = [&](Lanes s0, Lanes s1, Lanes s2, Lanes s3, Lanes s4, Lanes s5) HWY_ATTR {
    Lanes chosen = hn::IfThenElse(in.is[0], s0, s5);
    chosen = hn::IfThenElse(in.is[1], s1, chosen);
    chosen = hn::IfThenElse(in.is[2], s2, chosen);
    chosen = hn::IfThenElse(in.is[3], s3, chosen);
    return hn::IfThenElse(in.is[4], s4, chosen);
  };
  return {choose(v, q, p, p, t, v), choose(t, v, v, q, p, p), choose(p, p, t, v, v, q)};
}

HWY_INLINE Rgb turn_hue_backward(Rgb x, float turns, Rgb by_y) {
  const Hexcone h = to_hexcone(x, turns);
  const Lanes one = of(1), v = h.largest;
  const Sectors in(h.sector);
  const auto from = [&](int sector, Lanes slope)
                        HWY_ATTR { return hn::IfThenElseZero(in.is[static_cast<std::size_t>(sector)], slope); };
  const auto two = [&](int a, int b, Lanes slope) HWY_ATTR { return hn::Add(from(a, slope), from(b, slope)); };
  // Gradients by what the channels were chosen from, each through its own clamp.
  Lanes by_v = hn::Add(hn::Add(two(0, 5, by_y.r), two(1, 2, by_y.g)), two(3, 4, by_y.b));
  const Lanes by_p = through_clamp(hn::Mul(v, h.one_less_p),
                                   hn::Add(hn::Add(two(2, 3, by_y.r), two(4, 5, by_y.g)), two(0, 1, by_y.b)));
  const Lanes by_q =
      through_clamp(hn::Mul(v, h.one_less_q), hn::Add(hn::Add(from(1, by_y.r), from(3, by_y.g)), from(5, by_y.b)));
  const Lanes by_t =
      through_clamp(hn::Mul(v, h.one_less_t), hn::Add(hn::Add(from(4, by_y.r), from(0, by_y.g)), from(2, by_y.b)));
  by_v = hn::MulAdd(by_p, h.one_less_p, by_v);
  by_v = hn::MulAdd(by_q, h.one_less_q, by_v);
  by_v = hn::MulAdd(by_t, h.one_less_t, by_v);
  const Lanes spread = hn::Add(by_p, hn::MulAdd(by_q, h.rest, hn::Mul(by_t, hn::Sub(one, h.rest))));
  const Lanes by_saturation = hn::Neg(hn::Mul(spread, v));
  const Lanes by_sixths = hn::Mul(hn::Mul(hn::Sub(by_t, by_q), v), h.saturation);
  // The hue. sixths is a whole number of the leading channel, and a difference of two channels over the divisor.
  const Lanes over = hn::Div(by_sixths, h.divisor);
  const Lanes start = hn::IfThenElse(h.r_leads, hn::Zero(Floats()), hn::IfThenElse(h.g_leads, of(2), of(4)));
  Lanes by_range = hn::IfThenZeroElse(h.colourless, hn::Neg(hn::Mul(over, hn::Sub(h.sixths, start))));
  const Lanes back = hn::Neg(over), none = hn::Zero(Floats());
  Rgb by_x = {hn::IfThenElse(h.r_leads, none, hn::IfThenElse(h.g_leads, back, over)),
              hn::IfThenElse(h.r_leads, over, hn::IfThenElse(h.g_leads, none, back)),
              hn::IfThenElse(h.r_leads, back, hn::IfThenElse(h.g_leads, over, none))};
  // The saturation, and the largest and the smallest channel: the first of equals.
  const Lanes by_quotient = hn::Div(by_saturation, h.whole);
  by_range = hn::Add(by_range, by_quotient);
  by_v = hn::Sub(by_v, hn::IfThenZeroElse(h.colourless, hn::Mul(by_quotient, h.saturation)));
  by_v = hn::Add(by_v, by_range);
  const Mask r_least = hn::Eq(h.smallest, x.r), g_least = hn::AndNot(r_least, hn::Eq(h.smallest, x.g));
  const auto to_channel = [&](Mask first, Mask second, Lanes slope) HWY_ATTR {
    by_x.r = hn::Add(by_x.r, hn::IfThenElseZero(first, slope));
    by_x.g = hn::Add(by_x.g, hn::IfThenElseZero(second, slope));
    by_x.b = hn::Add(by_x.b, hn::IfThenZeroElse(hn::Or(first, second), slope));
  };
  to_channel(h.r_leads, h.g_leads, by_v);
  to_channel(r_least, g_least, hn::Neg(by_range));
  return by_x;
}

HWY_INLINE Rgb apply(ColourStep step, Rgb x, Lanes mean) {
  switch (step.kind) {
    case ColourStep::brightness:
      return clamp(x * of(step.amount));
    case ColourStep::contrast:
      return clamp(blend(x, mean, step.amount));
    case ColourStep::saturation:
      return clamp(blend(x, grey_of(x), step.amount));
    default:
      return turn_hue(x, step.amount);
  }
}

/// The gradient by x of one step, its mean grey taken as given.
HWY_INLINE Rgb apply_backward(ColourStep step, Rgb x, Lanes mean, Rgb by_y) {
  switch (step.kind) {
    case ColourStep::brightness:
      return through_clamp(x * of(step.amount), by_y) * of(step.amount);
    case ColourStep::contrast:
      return through_clamp(blend(x, mean, step.amount), by_y) * of(step.amount);
    case ColourStep::saturation: {
      const Rgb slope = through_clamp(blend(x, grey_of(x), step.amount), by_y);
      return slope * of(step.amount) + from_grey(hn::Mul(sum(slope), of(1 - step.amount)));
    }
    default:
      return turn_hue_backward(x, step.amount, by_y);
  }
}

/// Vectors of a plane, the last of which may be partial: its missing pixels are read as 0 and not written.
struct Reader {
  std::int64_t plane, at;
  HWY_INLINE Lanes load(const float* from) const {
    const Floats f;
    const auto left = static_cast<std::size_t>(plane - at);
    if (left >= hn::Lanes(f)) return hn::LoadU(f, from + at);
    return hn::MaskedLoad(hn::FirstN(f, left), f, from + at);
  }
  HWY_INLINE void store(Lanes value, float* to) const {
    const Floats f;
    const auto left = static_cast<std::size_t>(plane - at);
    if (left >= hn::Lanes(f)) {
      hn::StoreU(value, f, to + at);
    } else {
      hn::BlendedStore(value, hn::FirstN(f, left), f, to + at);
    }
  }
  HWY_INLINE Rgb load_rgb(const float* from) const { return {load(from), load(from + plane), load(from + 2 * plane)}; }
  HWY_INLINE void store_rgb(Rgb value, float* to) const {
    store(value.r, to);
    store(value.g, to + plane);
    store(value.b, to + 2 * plane);
  }
};

template <typename Work>
HWY_INLINE void over_pixels(std::int64_t plane, const Work& work) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Floats()));
  for (std::int64_t at = 0; at < plane; at += lanes) work(Reader{plane, at});
}

/// Sums of vectors in double precision, so that the order of so many terms does not matter.
struct Total {
  double value = 0;
  HWY_INLINE void add(Lanes x) { value += static_cast<double>(hn::GetLane(hn::SumOfLanes(Floats(), x))); }
};

void AddNoises(CutPixels x, const float* first, const float* second, float strength, bool grey, float* y) {
  over_pixels(x.plane, [&](Reader pixels) HWY_ATTR {
    Rgb value = pixels.load_rgb(x.values) + pixels.load_rgb(first) * of(strength);
    if (grey) {
      const Lanes shade = grey_of(value);
      value = {shade, shade, shade};
    }
    pixels.store_rgb(value + pixels.load_rgb(second) * of(strength), y);
  });
}

void AddNoisesBackward(CutPixels by_y, bool grey, float* by_x) {
  if (!grey) {
    if (by_y.values != by_x) std::copy_n(by_y.values, 3 * by_y.plane, by_x);
    return;
  }
  over_pixels(by_y.plane,
              [&](Reader pixels) HWY_ATTR { pixels.store_rgb(from_grey(sum(pixels.load_rgb(by_y.values))), by_x); });
}

std::size_t place_of_contrast(const ColourSteps& steps) {
  const auto is_contrast = [](ColourStep step) { return step.kind == ColourStep::contrast; };
  return static_cast<std::size_t>(std::find_if(steps.begin(), steps.end(), is_contrast) - steps.begin());
}

float MeanGrey(const ColourSteps& steps, CutPixels x) {
  const std::size_t contrast = place_of_contrast(steps);
  if (contrast == steps.size()) return 0;
  Total total;
  over_pixels(x.plane, [&](Reader pixels) HWY_ATTR {
    Rgb value = pixels.load_rgb(x.values);
    for (std::size_t k = 0; k < contrast; ++k) value = apply(steps[k], value, of(0));
    total.add(grey_of(value));
  });
  return static_cast<float>(total.value / static_cast<double>(x.plane));
}

void ApplySteps(const ColourSteps& steps, CutPixels x, float mean, float* y) {
  over_pixels(x.plane, [&](Reader pixels) HWY_ATTR {
    Rgb value = pixels.load_rgb(x.values);
    for (const ColourStep step : steps) value = apply(step, value, of(mean));
    pixels.store_rgb(value, y);
  });
}

void ApplyStepsBackward(const ColourSteps& steps, CutPixels x, float mean, const float* by_y, float* by_x) {
  const std::size_t contrast = place_of_contrast(steps);
  // Back through the steps from the last to `from`, from the values that each step saw.
  const auto back = [&](const std::array<Rgb, 4>& seen, std::size_t last, std::size_t from, Rgb slope) HWY_ATTR {
    for (std::size_t k = last; k-- > from;) slope = apply_backward(steps[k], seen[k], of(mean), slope);
    return slope;
  };
  const auto see = [&](Reader pixels) HWY_ATTR {
    std::array<Rgb, 4> seen;
    Rgb value = pixels.load_rgb(x.values);
    for (std::size_t k = 0; k < steps.size(); ++k) {
      seen[k] = value;
      value = apply(steps[k], value, of(mean));
    }
    return seen;
  };
  float by_grey = 0;
  if (contrast < steps.size()) {
    const float rest = 1 - steps[contrast].amount;
    Total total;
    over_pixels(x.plane, [&](Reader pixels) HWY_ATTR {
      const std::array<Rgb, 4> seen = see(pixels);
      const Rgb slope = back(seen, steps.size(), contrast + 1, pixels.load_rgb(by_y));
      total.add(sum(through_clamp(blend(seen[contrast], of(mean), steps[contrast].amount), slope)));
    });
    by_grey = static_cast<float>(total.value * static_cast<double>(rest) / static_cast<double>(x.plane));
  }
  over_pixels(x.plane, [&](Reader pixels) HWY_ATTR {
    const std::array<Rgb, 4> seen = see(pixels);
    const std::size_t first = contrast < steps.size() ? contrast : 0;
    Rgb slope = back(seen, steps.size(), first, pixels.load_rgb(by_y));
    if (contrast < steps.size()) slope = back(seen, contrast, 0, slope + from_grey(of(by_grey)));
    pixels.store_rgb(slope, by_x);
  });
}

}  // namespace disco::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace disco {

HWY_EXPORT(AddNoises);
HWY_EXPORT(AddNoisesBackward);
HWY_EXPORT(MeanGrey);
HWY_EXPORT(ApplySteps);
HWY_EXPORT(ApplyStepsBackward);

void add_noises(CutPixels x, const float* first, const float* second, float strength, bool grey, float* y) {
  HWY_DYNAMIC_DISPATCH(AddNoises)(x, first, second, strength, grey, y);
}

void add_noises_backward(CutPixels by_y, bool grey, float* by_x) {
  HWY_DYNAMIC_DISPATCH(AddNoisesBackward)(by_y, grey, by_x);
}

float mean_grey(const ColourSteps& steps, CutPixels x) { return HWY_DYNAMIC_DISPATCH(MeanGrey)(steps, x); }

void apply_steps(const ColourSteps& steps, CutPixels x, float mean, float* y) {
  HWY_DYNAMIC_DISPATCH(ApplySteps)(steps, x, mean, y);
}

void apply_steps_backward(const ColourSteps& steps, CutPixels x, float mean, const float* by_y, float* by_x) {
  HWY_DYNAMIC_DISPATCH(ApplyStepsBackward)(steps, x, mean, by_y, by_x);
}

}  // namespace disco
#endif
