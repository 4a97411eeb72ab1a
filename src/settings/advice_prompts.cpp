// Advice on prompts and their weights.
#include <algorithm>
#include <cmath>

#include "settings/advice_rules.h"
#include "settings/prompt.h"

namespace disco {
namespace {

/// The sums of weights that one CLIP model divides by, where they are at their worst.
struct WeightSums {
  double sum = 0;     ///< Σw
  double sizes = 0;   ///< Σ|w|
  std::string model;  ///< Whose prompts they are; empty when all models hear the same.
  double ratio() const { return sizes / std::abs(sum); }
  /// Below this the program refuses to divide.
  bool nothing() const { return std::abs(sum) < 1e-3; }
};

bool hears(const Prompt& prompt, const std::string& model) {
  return prompt.clip_models.empty() ||
         std::find(prompt.clip_models.begin(), prompt.clip_models.end(), model) != prompt.clip_models.end();
}

void collect(const std::vector<Prompt>& prompts, const std::string& model, std::vector<const Prompt*>& heard) {
  for (const Prompt& prompt : prompts) {
    if (hears(prompt, model)) heard.push_back(&prompt);
  }
}

/// Every sum that a run divides by: for each frame with prompts of its own, each CLIP model and each schedule entry.
template <typename Visit>
void each_sum(const Settings& settings, Visit visit) {
  std::vector<int> frames;
  for (const auto& [frame, prompts] : settings.text_prompts) frames.push_back(frame);
  for (const auto& [frame, prompts] : settings.image_prompts) frames.push_back(frame);
  for (const int frame : frames) {
    for (const ClipChoice& clip : settings.clip_models) {
      std::vector<const Prompt*> heard;
      collect(prompts_at(settings.text_prompts, frame), clip.name, heard);
      collect(prompts_at(settings.image_prompts, frame), clip.name, heard);
      if (heard.empty()) continue;
      const auto constant = [](const Prompt* prompt) { return prompt->weight.is_constant(); };
      const int entries = std::all_of(heard.begin(), heard.end(), constant) ? 1 : Schedule::entries;
      for (int entry = 0; entry < entries; ++entry) {
        WeightSums sums;
        sums.model = clip.name;
        for (const Prompt* prompt : heard) {
          sums.sum += prompt->weight.at(entry);
          sums.sizes += std::abs(prompt->weight.at(entry));
        }
        visit(sums);
      }
    }
  }
}

std::optional<AdviceFacts> weights_nothing(const Settings& settings) {
  std::optional<AdviceFacts> facts;
  each_sum(settings, [&](const WeightSums& sums) {
    if (!facts && sums.nothing()) facts = AdviceFacts{{"sum", number_text(sums.sum)}, {"model", sums.model}};
  });
  return facts;
}

std::optional<AdviceFacts> weights_negative(const Settings& settings) {
  double least = 0;
  each_sum(settings, [&](const WeightSums& sums) { least = std::min(least, sums.nothing() ? 0 : sums.sum); });
  return when(least < 0, {{"sum", number_text(least)}});
}

std::optional<AdviceFacts> weights_limbo(const Settings& settings) {
  constexpr double far_above_one = 6;
  double most = 0;
  each_sum(settings, [&](const WeightSums& sums) {
    if (!sums.nothing()) most = std::max(most, sums.ratio());
  });
  return when(most > far_above_one, {{"ratio", number_text(most)}});
}

std::optional<AdviceFacts> several_negatives(const Settings& settings) {
  std::ptrdiff_t most = 0;
  for (const auto& [frame, prompts] : settings.text_prompts) {
    most = std::max(most, std::count_if(prompts.begin(), prompts.end(),
                                        [](const Prompt& prompt) { return prompt.weight.maximum() < 0; }));
  }
  return when(most > 1, {{"count", number_text(static_cast<double>(most))}});
}

}  // namespace

std::vector<AdviceRule> prompt_advice() {
  return {
      {"weights-nothing", "text_prompts", weights_nothing,
       "The prompt weights that {model} hears add up to {sum}. They are divided by their sum, so there is nothing to "
       "draw "
       "towards, and the run is refused.",
       "Let the weights add up to about 1 or more, for example subject:2, style:1, \"blurry\":-1.", "mathematics"},
      {"weights-negative", "text_prompts", weights_negative,
       "The prompt weights add up to {sum}, which is less than nothing: the picture flees the unwanted more than it "
       "seeks "
       "the wanted.",
       "Raise the main prompt's weight until the sum is positive.", "mathematics"},
      {"weights-limbo", "text_prompts", weights_limbo,
       "The weights pull against each other: divided by their sum, they pull {ratio} times as hard as one plain "
       "prompt, in "
       "different directions. Pictures get lost in such a tug of war.",
       "Make the negative weights smaller, or the main prompt's larger: main:2 with one negative of -1 pulls 3 times.",
       "mathematics"},
      {"several-negatives", "text_prompts", several_negatives,
       "There are {count} negative prompts. One is usually enough; each more takes strength from the main prompt.",
       "Put the unwanted into one prompt, such as \"blurry, depth of field\":-1.", "guide"},
      {"fuzzy-prompt-compat", "fuzzy_prompt",
       [](const Settings& settings) { return when(settings.fuzzy_prompt && settings.faithful()); },
       "In disco-5.7 fuzzy_prompt also cuts every number of the prompt's meaning to 0 … 1, so all that is negative in "
       "it, "
       "about half, is lost.",
       "Turn fuzzy_prompt off, or use compat none, where only the noise is added.", "mathematics"},
      {"fuzzy-prompt", "fuzzy_prompt",
       [](const Settings& settings) { return when(settings.fuzzy_prompt && !settings.faithful()); },
       "fuzzy_prompt aims at 25 blurred copies of each prompt: pictures vary more and fit the words less.",
       "Off, unless variety is what you want; another seed gives variety for free.", "guide"},
  };
}

}  // namespace disco
