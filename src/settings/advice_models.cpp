// Advice on the mix of CLIP models and on the diffusion model.
#include <algorithm>

#include "core/text.h"
#include "settings/advice_rules.h"

namespace disco {
namespace {

bool begins(const std::string& name, std::string_view start) { return name.rfind(start, 0) == 0; }
bool holds(const std::string& name, std::string_view part) { return name.find(part) != std::string::npos; }

bool is_large_vit(const std::string& name) { return begins(name, "ViT-L/14") || begins(name, "ViT-L-14"); }
bool is_large_336(const std::string& name) { return is_large_vit(name) && holds(name, "336"); }
/// "RN50" and its other trainings ("RN50::cc12m"), but not "RN50x4".
bool is_resnet(const std::string& name, const std::string& kind) { return name == kind || begins(name, kind + "::"); }

template <typename Condition>
std::ptrdiff_t count_clips(const Settings& settings, Condition condition) {
  return std::count_if(settings.clip_models.begin(), settings.clip_models.end(),
                       [&](const ClipChoice& clip) { return condition(clip.name); });
}

template <typename Condition>
bool any_clip(const Settings& settings, Condition condition) {
  return count_clips(settings, condition) > 0;
}

bool has_resnet(const Settings& settings, const std::string& kind) {
  return any_clip(settings, [&](const std::string& name) { return is_resnet(name, kind); });
}

std::optional<AdviceFacts> few_vits(const Settings& settings) {
  const auto vits = count_clips(settings, [](const std::string& name) { return begins(name, "ViT"); });
  return when(!settings.clip_models.empty() && vits < 2, {{"count", vits == 0 ? "no ViT model" : "one ViT model"}});
}

std::optional<AdviceFacts> resting_clip(const Settings& settings) {
  for (const ClipChoice& clip : settings.clip_models) {
    if (clip.weight.minimum() == 0 && clip.weight.maximum() == 0) return AdviceFacts{{"model", clip.name}};
  }
  return std::nullopt;
}

std::optional<AdviceFacts> all_clips_rest(const Settings& settings) {
  int silent = 0;
  for (int entry = 0; entry < Schedule::entries; ++entry) {
    silent += std::all_of(settings.clip_models.begin(), settings.clip_models.end(),
                          [&](const ClipChoice& clip) { return clip.weight.at(entry) == 0; });
  }
  return when(!settings.clip_models.empty() && silent > 0,
              {{"share", percent_text(silent / double{Schedule::entries})}});
}

double most_cuts(const Settings& settings) {
  double most = 0;
  for (int entry = 0; entry < Schedule::entries; ++entry) {
    most = std::max(most, settings.cut_overview.at(entry) + settings.cut_innercut.at(entry));
  }
  return most;
}

/// The guide's limits for the two hungriest models on a 16 GB card: 13 cuts with RN50x64, 18 with L/14@336.
std::optional<AdviceFacts> hungry_clip(const Settings& settings) {
  for (const ClipChoice& clip : settings.clip_models) {
    const int limit = is_resnet(clip.name, "RN50x64") ? 13 : is_large_336(clip.name) ? 18 : 0;
    if (limit > 0 && most_cuts(settings) > limit) {
      return AdviceFacts{
          {"model", clip.name}, {"cuts", number_text(most_cuts(settings))}, {"limit", std::to_string(limit)}};
    }
  }
  return std::nullopt;
}

std::optional<AdviceFacts> style_model_cuts(const Settings& settings) {
  const std::string model = lower_case(settings.diffusion_model);
  const bool pixel = holds(model, "pixel") || holds(model, "pulp"), watercolour = holds(model, "watercolor");
  const bool plain = settings.cut_overview == Schedule::parse("[12]*400+[4]*600") &&
                     settings.cut_innercut == Schedule::parse("[4]*400+[12]*600") && settings.cut_ic_pow.maximum() == 1;
  return when((pixel || watercolour) && plain, {{"preset", pixel ? "cuts-pixelart" : "cuts-watercolor"}});
}

}  // namespace

std::vector<AdviceRule> model_advice() {
  return {
      {"few-vits", "clip_models", few_vits,
       "There is {count} in the mix. Every mix that the guide recommends has at least two.",
       "ViT-B/32 and ViT-B/16, with ViT-L/14 where it fits.", "guide"},
      {"large-vit-twice", "clip_models",
       [](const Settings& settings) {
         return when(any_clip(settings, is_large_336) && any_clip(settings, [](const std::string& name) {
                       return is_large_vit(name) && !is_large_336(name);
                     }));
       },
       "ViT-L/14 and ViT-L/14@336px are nearly the same eye at two sizes: double the memory, little more to see.",
       "Keep one of them; ViT-L/14 unless the picture is large.", "guide"},
      {"rn50-with-rn101", "clip_models",
       [](const Settings& settings) { return when(has_resnet(settings, "RN50") && has_resnet(settings, "RN101")); },
       "RN50 and RN101 together give odd pictures.", "Keep one of them; the other is a good thing to compare with.",
       "guide"},
      {"rn50x4-with-x16", "clip_models",
       [](const Settings& settings) { return when(has_resnet(settings, "RN50x4") && has_resnet(settings, "RN50x16")); },
       "RN50x4 and RN50x16 together break pictures into fragments.", "RN50x16 if it fits, else RN50x4.", "guide"},
      {"resting-model", "clip_models", resting_clip, "{model} has weight 0 throughout: it is loaded and never asked.",
       "Leave it out, and use the memory for more cuts.", "mathematics"},
      {"all-models-rest", "clip_models", all_clips_rest,
       "For {share} of the run every CLIP model rests, and your words have no effect there.",
       "Let at least one model's schedule be above 0 everywhere.", "mathematics"},
      {"hungry-model", "clip_models", hungry_clip,
       "{model} with {cuts} cuts at once is heavy; on a 16 GB card {limit} cuts were found to be the limit.",
       "Fewer cuts and one more cutn_batches: the sum of cuts counts for the picture, the cuts at once for the memory.",
       "guide"},
      {"style-model-cuts", "diffusion_model", style_model_cuts,
       "This model came with cut schedules of its own; the settings have the general ones.", "The preset {preset}.",
       "Disco Diffusion"},
  };
}

}  // namespace disco
