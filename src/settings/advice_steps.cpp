// Advice on steps, samplers, symmetry and the files that show progress.
#include <algorithm>
#include <cmath>

#include "settings/advice_rules.h"

namespace disco {
namespace {

std::optional<AdviceFacts> steps_chart(const Settings& settings) {
  if (settings.steps >= 1000 || 1000 % settings.steps == 0) return std::nullopt;
  const std::int64_t total = 1000 / settings.steps * settings.steps;
  return AdviceFacts{{"steps", std::to_string(settings.steps)},
                     {"total", std::to_string(total)},
                     {"start", percent_text(clean_share(settings.steps, settings.steps - 1))},
                     {"end", percent_text(clean_share(settings.steps, 0))}};
}

bool mirrors(const Settings& settings) { return settings.use_horizontal_symmetry || settings.use_vertical_symmetry; }

bool symmetry_is_lost(const Settings& settings) {
  return settings.diffusion_sampling_mode == "plms" || settings.plms_share > 0;
}

std::optional<AdviceFacts> mirror_early(const Settings& settings) {
  if (!mirrors(settings) || symmetry_is_lost(settings) || settings.transformation_percent.empty()) return std::nullopt;
  const double last = *std::max_element(settings.transformation_percent.begin(), settings.transformation_percent.end());
  return when(last < 0.2, {{"share", percent_text(last)}});
}

std::optional<AdviceFacts> weak_symmetry_loss(const Settings& settings) {
  const double most = settings.symmetry_loss_scale.maximum();
  return when(!settings.symmetry_loss.empty() && settings.symmetry_loss != "none" && most < 20000,
              {{"scale", number_text(most)}});
}

std::optional<AdviceFacts> ends_early(const Settings& settings) {
  const auto steps = static_cast<int>(settings.steps);
  const double share = steps > 0 ? static_cast<double>(settings.skip_end_steps.of(steps)) / steps : 0;
  return when(share > 0.25, {{"share", percent_text(share)}});
}

std::optional<AdviceFacts> rare_display(const Settings& settings) {
  const bool rare = settings.display_rate > 0 &&
                    static_cast<double>(settings.display_rate) > 0.15 * static_cast<double>(settings.steps);
  const auto suggested = std::max<std::int64_t>(1, settings.steps / 25);
  return when(rare, {{"rate", std::to_string(settings.display_rate)}, {"suggested", std::to_string(suggested)}});
}

}  // namespace

std::vector<AdviceRule> step_advice() {
  return {
      {"steps-chart", "steps", steps_chart,
       "Charts warn of step counts that do not divide 1000. No need: for {steps} steps the noise is planned over "
       "{total} "
       "levels and made that much stronger, so the run starts from noise with {start} of picture in it and ends with "
       "{end}.",
       "Choose the number by the time you have; {steps} is as good as its neighbours.", "mathematics"},
      {"steps-over-1000", "steps", [](const Settings& settings) { return when(settings.steps > 1000); },
       "The model learnt 1000 levels of noise. More steps fall between levels it already knows: twice the time, no "
       "gain seen.",
       "500 is plenty with the secondary model, 250 without.", "guide"},
      {"few-steps-primary", "steps",
       [](const Settings& settings) {
         return when(!settings.use_secondary_model && !all_plms(settings) && settings.steps < 200);
       },
       "Without the secondary model, fewer than 200 steps lose detail.", "200 to 250; fewer for drafts.", "guide"},
      {"few-steps-secondary", "steps",
       [](const Settings& settings) {
         return when(settings.use_secondary_model && !all_plms(settings) && settings.steps < 250);
       },
       "The secondary model wants small steps: at 250 pictures already tend to overexposure, and below it more so.",
       "250 to 500; for drafts rather lower cutn_batches to 1 or 2.", "guide"},
      {"plms-steps", "steps", [](const Settings& settings) { return when(all_plms(settings) && settings.steps > 150); },
       "PLMS has its picture in 75 to 150 steps; more cost time and add its grain.",
       "100 steps, with a lower clamp_max; or plms_share 0.5, its composition without its grain.", "guide"},
      {"eta-plms", "eta",
       [](const Settings& settings) { return when(all_plms(settings) && settings.eta != 0.8 && settings.eta != 0); },
       "PLMS adds no noise between steps, so eta has no effect.", "Leave eta alone, or draw with ddim.", "mathematics"},
      {"eta-negative", "eta",
       [](const Settings& settings) {
         return when(settings.eta < 0 && !all_plms(settings), {{"eta", number_text(-settings.eta)}});
       },
       "A negative eta only turns the sign of the added noise, which is as likely either way: pictures are of the same "
       "kind "
       "as with {eta}.",
       "Use {eta}.", "mathematics"},
      {"eta-low", "eta",
       [](const Settings& settings) { return when(settings.eta >= 0 && settings.eta < 0.5 && !all_plms(settings)); },
       "With little fresh noise between the steps pictures turn out smooth and sparse.", "0.7 to 1.", "guide"},
      {"ends-early", "skip_end_steps", ends_early,
       "The last {share} of the steps are left out: that is a draft, the fine detail is drawn there.",
       "For a draft stop at 40 to 50 %; for a finished picture leave out none, or with PLMS up to 20 %.", "guide"},
      {"symmetry-plms", "use_horizontal_symmetry",
       [](const Settings& settings) { return when(mirrors(settings) && symmetry_is_lost(settings)); },
       "Mirroring is part of the DDIM sampler only: the PLMS steps pass it by.",
       "Draw with ddim, or use symmetry_loss, which works with both.", "mathematics"},
      {"symmetry-early", "transformation_percent", mirror_early,
       "The halves are mirrored for the last time at {share} of the run, and then drift apart.",
       "0.3 to 0.4; mirroring at several shares, such as [0.1, 0.25, 0.4], costs nothing.", "guide"},
      {"symmetry-loss-weak", "symmetry_loss_scale", weak_symmetry_loss,
       "A symmetry_loss_scale of {scale} is hardly felt beside the words.",
       "About 160000 for the first 28 % of the steps; ProgRockDiffusion has 20000.", "guide"},
      {"batches-compat", "n_batches",
       [](const Settings& settings) { return when(settings.n_batches > 1 && settings.faithful()); },
       "In disco-5.7 the pictures of a batch share one stream of chance: the second can only be drawn again by drawing "
       "the "
       "first.",
       "n_batches 1 and a seed each; or compat none, where picture k is drawn from seed + k alone.", "mathematics"},
      {"batches-many", "n_batches",
       [](const Settings& settings) {
         return when(settings.n_batches >= 20, {{"count", std::to_string(settings.n_batches)}});
       },
       "That will be {count} pictures, one after the other; a first one tells whether the settings are right.",
       "n_batches 1 until you like what you see.", "guide"},
      {"display-rare", "display_rate", rare_display,
       "Shown every {rate} steps, the picture is hidden while it goes wrong: black or posterised pictures can be seen "
       "coming "
       "at 15 to 25 % of the run.",
       "{suggested}, about 4 % of the steps.", "guide"},
  };
}

}  // namespace disco
