// Advice on the size and shape of the picture.
#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "core/text.h"
#include "settings/advice_rules.h"
#include "settings/coverage.h"

namespace disco {
namespace {

std::string size_text(double width, double height) { return number_text(width) + " × " + number_text(height); }

std::optional<AdviceFacts> size_rounded(const Settings& settings) {
  const bool rounded = settings.width % 64 != 0 || settings.height % 64 != 0;
  const auto up = [](std::int64_t side) { return 64 * std::ceil(static_cast<double>(side) / 64); };
  return when(
      rounded,
      {{"drawn", size_text(static_cast<double>(settings.drawn_width()), static_cast<double>(settings.drawn_height()))},
       {"up", size_text(up(settings.width), up(settings.height))}});
}

double pixels(const Settings& settings) {
  return static_cast<double>(settings.drawn_width() * settings.drawn_height());
}

/// The models that learnt from pictures of 256 pixels.
bool small_scale_model(const Settings& settings) {
  static constexpr std::array<std::string_view, 4> names = {"256x256", "pixel", "watercolor", "pulp"};
  const std::string model = lower_case(settings.diffusion_model);
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view name) { return model.find(name) != std::string::npos; });
}

double aspect(const Settings& settings) {
  const auto width = static_cast<double>(settings.drawn_width()), height = static_cast<double>(settings.drawn_height());
  return width > 0 && height > 0 ? std::max(width, height) / std::min(width, height) : 1;
}

/// How much more often one inner cut covers the centre than a point near the short edge.
double crowding(const Settings& settings) {
  const int cut_size = settings.clip_models.empty() ? 224 : clip_input_size(settings.clip_models.front().name);
  const double ic_pow = settings.cut_ic_pow.at(900);
  const bool wide = settings.drawn_width() > settings.drawn_height();
  const double edge = inner_point_coverage(settings, cut_size, ic_pow, 1, wide ? 0.05 : 0.5, wide ? 0.5 : 0.05);
  return inner_point_coverage(settings, cut_size, ic_pow, 1, 0.5, 0.5) / std::max(edge, 1e-6);
}

std::optional<AdviceFacts> extreme_aspect(const Settings& settings) {
  if (aspect(settings) <= 2) return std::nullopt;
  return AdviceFacts{{"aspect", number_text(aspect(settings))}, {"times", number_text(crowding(settings))}};
}

}  // namespace

std::vector<AdviceRule> size_advice() {
  return {
      {"size-rounded", "width", size_rounded, "Sides are rounded down to multiples of 64: the picture will be {drawn}.",
       "Ask for {drawn} or for {up}.", "mathematics"},
      {"size-large", "width",
       [](const Settings& settings) { return when(pixels(settings) > 1280.0 * 960.0 && !small_scale_model(settings)); },
       "Past 1280 × 960 the guide's authors saw no gain: the model composes as it learnt to at 512, and then repeats "
       "itself, while time and memory grow with the area.",
       "Draw at 1280 × 768 or less, and enlarge the picture you like best.", "guide"},
      {"size-small", "width",
       [](const Settings& settings) {
         return when(settings.use_secondary_model && !small_scale_model(settings) && pixels(settings) < 640.0 * 640.0);
       },
       "With the secondary model, pictures below about 640 × 640 stay coarse.",
       "At least 640 × 640, or turn use_secondary_model off for small pictures.", "guide"},
      {"size-small-model", "width",
       [](const Settings& settings) { return when(small_scale_model(settings) && pixels(settings) > 640.0 * 640.0); },
       "This model learnt from pictures of 256 pixels; on a large sheet it repeats its motifs.",
       "Disco Diffusion draws with it at 512 × 448.", "Disco Diffusion"},
      {"extreme-aspect", "width", extreme_aspect,
       "The picture is {aspect} times as long as it is short. Inner cuts are squares that lie anywhere with equal "
       "chance, so "
       "the middle is looked at {times} times as often as the far ends; tall landscapes also grow a second horizon.",
       "Keep below 2 : 1, or raise cut_ic_pow: smaller cuts spread more evenly.", "mathematics"},
  };
}

}  // namespace disco
