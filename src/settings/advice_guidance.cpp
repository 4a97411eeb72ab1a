// Advice on the strengths of the guidance and on its clamp.
#include <algorithm>
#include <cmath>

#include "settings/advice_rules.h"

namespace disco {
namespace {

constexpr double falls_apart = 300000;

/// Below this the words are hardly heard: half of Disco Diffusion's 5000, which belongs to 1280 × 768; losses are means
/// over the picture, so that larger pictures need more.
double faint_scale(const Settings& settings) { return 2500 * std::min(relative_area(settings), 4.0); }

/// The upper end of what the guide's studies use, and more for larger pictures.
double strong_scale(const Settings& settings) { return 30000 * std::clamp(relative_area(settings), 1.0, 4.0); }

AdviceFacts scale_facts(const Settings& settings) {
  return {{"scale", number_text(settings.clip_guidance_scale.maximum())},
          {"from", number_text(2 * faint_scale(settings))},
          {"to", number_text(strong_scale(settings))}};
}

std::optional<AdviceFacts> faint_guidance(const Settings& settings) {
  const double most = settings.clip_guidance_scale.maximum();
  return when(most > 0 && most < faint_scale(settings), scale_facts(settings));
}

std::optional<AdviceFacts> strong_guidance(const Settings& settings) {
  const double most = settings.clip_guidance_scale.maximum();
  return when(most > strong_scale(settings) && most <= falls_apart, scale_facts(settings));
}

bool anywhere(const Schedule& schedule) { return schedule.minimum() != 0 || schedule.maximum() != 0; }

/// Whether any loss besides CLIP's has a gradient.
bool other_losses(const Settings& settings) {
  const bool init = has_start_picture(settings) && anywhere(settings.init_scale);
  const bool range = !settings.faithful() && anywhere(settings.range_scale);
  const bool symmetry =
      settings.symmetry_loss != "none" && !settings.symmetry_loss.empty() && anywhere(settings.symmetry_loss_scale);
  return anywhere(settings.tv_scale) || anywhere(settings.sat_scale) || range || init || symmetry;
}

std::optional<AdviceFacts> scale_cancels(const Settings& settings) {
  return when(settings.clamp_grad && settings.clamp_max.maximum() > 0 && anywhere(settings.clip_guidance_scale) &&
              !other_losses(settings));
}

double usual_clamp(const Settings& settings) { return usual_clamp_max(settings.steps, settings.use_secondary_model); }

AdviceFacts clamp_facts(const Settings& settings) {
  return {{"clamp", number_text(settings.clamp_max.maximum())},
          {"usual", number_text(usual_clamp(settings))},
          {"steps", std::to_string(settings.steps)}};
}

std::optional<AdviceFacts> high_clamp(const Settings& settings) {
  return when(settings.clamp_grad && settings.clamp_max.maximum() > 2.5 * usual_clamp(settings), clamp_facts(settings));
}

std::optional<AdviceFacts> low_clamp(const Settings& settings) {
  const double most = settings.clamp_max.maximum();
  return when(settings.clamp_grad && most > 0 && most < usual_clamp(settings) / 5, clamp_facts(settings));
}

}  // namespace

double usual_clamp_max(std::int64_t steps, bool use_secondary_model) {
  struct Level {
    std::int64_t steps;
    double clamp;
  };
  static constexpr Level levels[] = {{35, 0.001}, {75, 0.0125}, {150, 0.02}, {225, 0.035}, {300, 0.05}, {500, 0.075}};
  const auto* level = std::find_if(std::begin(levels), std::end(levels),
                                   [&](const Level& candidate) { return steps <= candidate.steps; });
  const double clamp = level == std::end(levels) ? 0.1 : level->clamp;
  return use_secondary_model ? clamp : 2 * clamp;
}

std::vector<AdviceRule> guidance_advice() {
  return {
      {"guidance-none", "clip_guidance_scale",
       [](const Settings& settings) { return when(!anywhere(settings.clip_guidance_scale)); },
       "At 0 your words have no effect; the model draws what it likes.", "5000 to 20000.", "mathematics"},
      {"guidance-faint", "clip_guidance_scale", faint_guidance,
       "At this size {scale} is faint: the losses are averages over the picture, so a larger one needs more.",
       "{from} to {to}.", "guide"},
      {"guidance-strong", "clip_guidance_scale", strong_guidance,
       "{scale} is more than the guide's studies use at this size: details of the subject spread into the background.",
       "{from} to {to}: figures at the lower end, landscapes and abstract pictures higher.", "guide"},
      {"guidance-limbo", "clip_guidance_scale",
       [](const Settings& settings) {
         return when(settings.clip_guidance_scale.maximum() > falls_apart, scale_facts(settings));
       },
       "Past 300000 pictures were found to fall apart; {scale} is beyond.", "{from} to {to}.", "guide"},
      {"scale-cancels", "clip_guidance_scale", scale_cancels,
       "clamp_grad is on and no other scale acts, so wherever the gradient is clamped this number cancels out: only "
       "the "
       "direction is left, and clamp_max alone decides how far a step goes.",
       "Change clamp_max instead; the run's report says at how many steps the clamp acted.", "mathematics"},
      {"clamp-off", "clamp_grad", [](const Settings& settings) { return when(!settings.clamp_grad); },
       "Without the clamp nothing bounds a step: pictures are deep-fried, glaring and torn.",
       "Leave it on; for more contrast raise clamp_max.", "guide"},
      {"clamp-nothing", "clamp_max",
       [](const Settings& settings) { return when(settings.clamp_grad && settings.clamp_max.maximum() <= 0); },
       "A clamp_max of 0 lets nothing through: the words have no effect.", "0.05.", "mathematics"},
      {"clamp-high", "clamp_max", high_clamp,
       "{clamp} is high for {steps} steps: much detail, but overexposure, cyan and magenta fringes, or a picture that "
       "turns "
       "black at 15 to 25 %.",
       "About {usual}; or more steps, each of which then goes less far.", "ProgRockDiffusion"},
      {"clamp-low", "clamp_max", low_clamp,
       "{clamp} is low for {steps} steps: together they may not carry the picture to your words.", "About {usual}.",
       "ProgRockDiffusion"},
      {"range-nothing", "range_scale",
       [](const Settings& settings) { return when(settings.faithful() && settings.range_scale.maximum() > 150); },
       "In disco-5.7 range_scale does nothing at any value: its loss does not depend on what its gradient is taken by.",
       "Leave it at 150, or use compat none, where it acts.", "mathematics"},
      {"range-acts", "range_scale",
       [](const Settings& settings) {
         return when(!settings.faithful() && settings.range_scale.maximum() >= 1000,
                     {{"scale", number_text(settings.range_scale.maximum())}});
       },
       "Here range_scale acts, unlike in Disco Diffusion, where advice such as 10000 did no harm because it did "
       "nothing. "
       "{scale} may hold the colours back more than you expect.",
       "Start at 150 and compare at one seed.", "mathematics"},
      {"tv-secondary", "tv_scale",
       [](const Settings& settings) { return when(settings.use_secondary_model && anywhere(settings.tv_scale)); },
       "The guide saw no effect of tv_scale with the secondary model. It does enter the gradient, so it can act, most "
       "of "
       "all by taking room under the clamp from the words.",
       "Compare with 0 at one seed before you rely on it.", "mathematics"},
      {"tv-huge", "tv_scale", [](const Settings& settings) { return when(settings.tv_scale.maximum() > 1e6); },
       "tv_scale saturates; past a million pictures turn odd.", "5000 to 50000.", "guide"},
  };
}

}  // namespace disco
