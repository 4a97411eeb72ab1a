// Advice on what a run starts from: init image, Perlin noise, skipped steps.
#include <cmath>

#include "settings/advice_rules.h"

namespace disco {
namespace {

/// How much of a start picture is in the x that the first step sees.
double start_share(const Settings& settings) {
  const auto skipped = settings.skip_steps.of(static_cast<int>(settings.steps));
  const std::int64_t first = settings.steps - 1 - skipped;
  return first >= 0 ? clean_share(settings.steps, first) : 1;
}

std::optional<AdviceFacts> unseen(bool holds, const Settings& settings) {
  const auto about = [&](double share) {
    return std::to_string(std::max<std::int64_t>(1, std::llround(share * static_cast<double>(settings.steps))));
  };
  return when(holds, {{"share", percent_text(start_share(settings))}, {"few", about(0.05)}, {"half", about(0.5)}});
}

std::optional<AdviceFacts> perlin_unseen(const Settings& settings) {
  return unseen(settings.perlin_init && skipped_share(settings) == 0, settings);
}

std::optional<AdviceFacts> init_unseen(const Settings& settings) {
  return unseen(!settings.init_image.empty() && !settings.perlin_init && skipped_share(settings) < 0.1, settings);
}

std::optional<AdviceFacts> init_untouched(const Settings& settings) {
  return when(!settings.init_image.empty() && skipped_share(settings) > 0.8,
              {{"share", percent_text(skipped_share(settings))}});
}

std::optional<AdviceFacts> grey_start(const Settings& settings) {
  return when(!has_start_picture(settings) && skipped_share(settings) > 0.06,
              {{"share", percent_text(skipped_share(settings))}, {"clean", percent_text(start_share(settings))}});
}

}  // namespace

std::vector<AdviceRule> start_advice() {
  return {
      {"perlin-unseen", "perlin_init", perlin_unseen,
       "With no step skipped the start is noise, and {share} of the Perlin picture is left in it: too little to "
       "matter.",
       "Skip 4 to 6 % of the steps, here about {few}.", "mathematics"},
      {"init-unseen", "skip_steps", init_unseen,
       "With so few steps skipped, {share} of the init image is left in the noise that the first step sees.",
       "About half the steps, {half}, to keep its shapes; 20 to 30 % to work from a sketch; 60 to 70 % to touch it up.",
       "mathematics"},
      {"init-untouched", "skip_steps", init_untouched,
       "{share} of the steps are skipped: the init image will come out almost as it went in.",
       "50 % for a new picture of the same shapes.", "guide"},
      {"init-and-perlin", "perlin_init",
       [](const Settings& settings) { return when(settings.perlin_init && !settings.init_image.empty()); },
       "Perlin noise takes the place of the init image, which is not used.", "Turn one of them off.",
       "Disco Diffusion"},
      {"init-scale-high", "init_scale",
       [](const Settings& settings) {
         return when(!settings.init_image.empty() && settings.init_scale.maximum() > 10000,
                     {{"scale", number_text(settings.init_scale.maximum())}});
       },
       "An init_scale of {scale} pins the picture to the init image against the words.",
       "0 to 1000; skip_steps is the main knob, init_scale the fine one.", "guide"},
      {"grey-start", "skip_steps", grey_start,
       "The first steps spread colour over the picture. With {share} of the steps skipped and nothing to start from, "
       "the "
       "noise is taken for one that already holds {clean} of a picture, a grey one, and colours stay pale.",
       "Perlin noise as a start, or a higher clamp_max; or skip 4 % at most.", "mathematics"},
  };
}

}  // namespace disco
