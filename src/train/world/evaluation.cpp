#include "train/world/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "train/world/captions.h"
#include "train/world/dice.h"
#include "train/world/words.h"

namespace disco {
namespace {

constexpr std::size_t prompt_count = 100;

/// How often each kind may still be drawn.
template <typename Kind>
class Quota {
 public:
  explicit Quota(std::size_t kinds) {
    for (std::size_t i = 0; i < prompt_count; ++i) left_.push_back(static_cast<Kind>(i % kinds));
  }
  Kind pick(Dice& dice) const { return left_[dice.below(left_.size())]; }
  void use(Kind kind) { left_.erase(std::ranges::find(left_, kind)); }

 private:
  std::vector<Kind> left_;
};

/// A held-out scene of `subject` from what is left, or none after many tries.
std::optional<Scene> held_out_of(Subject subject, const Quota<Sky>& skies, const Quota<Style>& styles,
                                 const Quota<Palette>& palettes, Dice& dice) {
  for (int trial = 0; trial < 3000; ++trial) {
    Scene scene;
    scene.subject = subject;
    scene.ground = static_cast<Ground>(dice.below(ground_count));
    scene.sky = skies.pick(dice);
    scene.style = styles.pick(dice);
    scene.palette = palettes.pick(dice);
    if (subject_fits(subject, scene.ground) && held_out(scene)) return scene;
  }
  return std::nullopt;
}

std::vector<Scene> balanced_scenes(Dice& dice) {
  Quota<Sky> skies(sky_count);
  Quota<Style> styles(style_count);
  Quota<Palette> palettes(palette_count);
  std::vector<Scene> scenes;
  // Those that fit few grounds have few held-out combinations: first, while there is much to choose from.
  for (const bool anywhere : {false, true}) {
    for (std::size_t i = 0; i < prompt_count; ++i) {
      const auto subject = static_cast<Subject>(1 + i % (subject_count - 1));
      if (subject_fits(subject, Ground::city) != anywhere) continue;
      const std::optional<Scene> scene = held_out_of(subject, skies, styles, palettes, dice);
      if (!scene) return {};
      skies.use(scene->sky);
      styles.use(scene->style);
      palettes.use(scene->palette);
      scenes.push_back(*scene);
    }
  }
  return scenes;
}

std::string sentence(const Scene& scene, std::size_t form, Dice& dice) {
  const std::string_view subject = subject_words(scene.subject)[dice.below(2)];
  const std::string_view sky = sky_clauses(scene.sky).front();
  const bool swims = !subject_fits(scene.subject, Ground::mountains);  // Or sails.
  const std::string ground = in_the_air(scene.subject) ? fmt::format("over {}", ground_nouns(scene.ground).front())
                             : swims && scene.ground == Ground::sea ? "at sea"
                                                                    : std::string(ground_clauses(scene.ground).front());
  const bool natural = scene.palette == Palette::natural;
  const std::string_view opening =
      scene.style == Style::plain ? "a beautiful picture of" : style_openings(scene.style).front();
  const std::string clause = natural ? "" : fmt::format(" {}", palette_clauses(scene.palette).front());
  const std::string tag = natural ? "" : fmt::format(", {}", palette_tags(scene.palette)[dice.below(2)]);
  const std::string style_tag = scene.style == Style::plain ? "" : fmt::format(", {}", style_tags(scene.style).front());
  std::string text;
  switch (form % 5) {
    case 0:
      text = fmt::format("{} {} {} {}{}", opening, subject, ground, sky, tag);
      break;
    case 1:
      text = fmt::format("{} {} {} {}{}, trending on artstation", opening, subject, sky, ground, tag);
      break;
    case 2:
      text = fmt::format("{} {} {} {}{}", opening, subject, ground, sky, clause);
      break;
    case 3:
      text = fmt::format("{} {} {}{}{}, highly detailed", subject, ground, sky, style_tag, tag);
      break;
    default:
      text = fmt::format("{} {}, {}{}{}", subject, ground, sky, tag, style_tag);
  }
  text.front() = static_cast<char>(text.front() - 'a' + 'A');
  return text + ".";
}

}  // namespace

std::vector<EvaluationPrompt> evaluation_prompts() {
  std::vector<Scene> scenes;
  for (std::uint64_t seed = 0; scenes.empty(); ++seed) {
    Dice dice(seed, DicePurpose::evaluation);
    scenes = balanced_scenes(dice);
  }
  Dice dice(0, DicePurpose::evaluation);
  for (std::size_t i = scenes.size(); i > 1; --i) std::swap(scenes[i - 1], scenes[dice.below(i)]);
  std::vector<EvaluationPrompt> prompts;
  for (Scene& scene : scenes) {
    compose(scene);
    prompts.push_back({sentence(scene, prompts.size(), dice), scene});
  }
  return prompts;
}

}  // namespace disco
