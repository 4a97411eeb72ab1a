#include "train/world/captions.h"

#include <fmt/format.h>

#include <string_view>

#include "train/world/dice.h"
#include "train/world/words.h"

namespace disco {
namespace {

/// What a caption may put together; drawn in full so that one word more does not change all others.
struct Parts {
  std::string subject;
  std::string_view sky, sky_noun;
  std::string ground;
  std::string_view ground_noun;
};

/// One of the words that a colour goes well before: "a blue cottage", not "a blue little house".
std::string_view tintable_words(Subject subject, Dice& dice) {
  std::vector<std::string_view> single;
  for (const std::string_view words : subject_words(subject)) {
    if (without_article(words).find(' ') == std::string_view::npos) single.push_back(words);
  }
  return dice.pick(single);
}

Parts draw_parts(const Scene& scene, const Caption& names, Dice& dice) {
  Parts parts;
  parts.subject = dice.pick(subject_words(scene.subject));
  if (names.names_tint) parts.subject = tinted(tintable_words(scene.subject, dice), shown_tint(scene));
  parts.sky = dice.pick(sky_clauses(scene.sky));
  parts.sky_noun = dice.pick(sky_nouns(scene.sky));
  parts.ground = dice.pick(names.names_rough ? rough_clauses(scene.ground) : ground_clauses(scene.ground));
  parts.ground_noun = dice.pick(names.names_rough ? rough_nouns(scene.ground) : ground_nouns(scene.ground));
  if (in_the_air(scene.subject) && names.names_subject && dice.chance(0.6)) {
    parts.ground = fmt::format("{} {}", dice.chance(0.5) ? "over" : "above", parts.ground_noun);
  }
  return parts;
}

std::string sentence(const Caption& names, const Parts& parts, Dice& dice) {
  const auto& [subject, sky, sky_noun, ground, ground_noun] = parts;
  const bool turned = dice.chance(0.5), apart = dice.chance(0.2);
  if (names.names_subject && names.names_sky && names.names_ground) {
    if (apart)
      return turned ? fmt::format("{} {}, {}", subject, ground, sky)
                    : fmt::format("{} {}, {}", subject, ground, sky_noun);
    return turned ? fmt::format("{} {} {}", subject, sky, ground) : fmt::format("{} {} {}", subject, ground, sky);
  }
  if (names.names_subject && names.names_sky)
    return apart ? fmt::format("{} and {}", subject, sky_noun) : fmt::format("{} {}", subject, sky);
  if (names.names_subject && names.names_ground)
    return apart ? fmt::format("{} and {}", subject, ground_noun) : fmt::format("{} {}", subject, ground);
  if (names.names_sky && names.names_ground)
    return turned ? fmt::format("{} over {}", sky_noun, ground_noun) : fmt::format("{} {}", ground_noun, sky);
  if (names.names_subject) return subject;
  return std::string(names.names_sky ? sky_noun : ground_noun);
}

/// "castle, storm, snow"
std::string tags(const Caption& names, const Parts& parts) {
  std::string text;
  const auto add = [&](std::string_view words) {
    text += (text.empty() ? "" : ", ") + std::string(without_article(words));
  };
  if (names.names_subject) add(parts.subject);
  if (names.names_sky) add(parts.sky_noun);
  if (names.names_ground) add(parts.ground_noun);
  return text;
}

}  // namespace

Caption caption(const Scene& scene, std::uint64_t seed) {
  Dice dice(seed, DicePurpose::caption);
  Caption result;
  // Subject, sky, ground: each subset, the fuller ones more often.
  static constexpr struct {
    double share;
    bool subject, sky, ground;
  } kinds[] = {{0.30, true, true, true},   {0.24, true, true, false}, {0.14, true, false, true},
               {0.14, true, false, false}, {0.08, false, true, true}, {0.05, false, true, false},
               {0.05, false, false, true}};
  double left = dice.uniform();
  for (const auto& kind : kinds) {
    result.names_subject = kind.subject;
    result.names_sky = kind.sky;
    result.names_ground = kind.ground;
    if ((left -= kind.share) < 0) break;
  }
  // Silence means natural colours and a plain painting: a prompt that names none asks for these, not for any.
  result.names_palette = dice.chance(0.1) || scene.palette != Palette::natural;
  result.names_style = dice.chance(0.05) || scene.style != Style::plain;
  result.names_tint =
      dice.chance(scene.tint == Tint::own ? 0.2 : 0.8) && shown_tint(scene) != Tint::own && result.names_subject;
  result.names_rough = dice.chance(0.7) && scene.rough && result.names_ground;

  const Parts parts = draw_parts(scene, result, dice);
  const bool as_tags = dice.chance(0.15), opened = dice.chance(0.55);
  std::string& text = result.text;
  text = as_tags ? tags(result, parts) : sentence(result, parts, dice);
  std::vector<std::string> endings;
  if (result.names_palette) {
    if (!as_tags && dice.chance(0.4)) {
      text += fmt::format(" {}", dice.pick(palette_clauses(scene.palette)));
    } else {
      endings.emplace_back(dice.pick(palette_tags(scene.palette)));
    }
  }
  if (result.names_style && !as_tags && opened) {
    text = fmt::format("{} {}", dice.pick(style_openings(scene.style)), text);
  } else if (result.names_style) {
    endings.emplace_back(dice.pick(style_tags(scene.style)));
  } else if (!as_tags && dice.chance(0.2)) {
    text = fmt::format("{} {}", dice.pick(neutral_openings()), text);
  }
  if (endings.size() == 2 && dice.chance(0.5)) endings[0].swap(endings[1]);
  if (dice.chance(0.15)) endings.emplace_back(dice.pick(neutral_tags()));
  for (const std::string& ending : endings) text += ", " + ending;
  return result;
}

bool describes(const Caption& caption, const Scene& source, const Scene& scene) {
  return (!caption.names_subject || source.subject == scene.subject) &&
         (!caption.names_sky || source.sky == scene.sky) && (!caption.names_ground || source.ground == scene.ground) &&
         source.palette == scene.palette && source.style == scene.style &&
         (!caption.names_rough || source.rough == scene.rough) &&
         (!caption.names_tint || shown_tint(source) == shown_tint(scene));
}

std::string subject_name(Subject subject) { return std::string(subject_words(subject).front()); }
std::string sky_name(Sky sky) { return std::string(sky_nouns(sky).front()); }
std::string ground_name(Ground ground) { return std::string(ground_nouns(ground).front()); }
std::string palette_name(Palette palette) { return std::string(palette_tags(palette).front()); }
std::string style_name(Style style) { return std::string(style_tags(style).front()); }
std::string tint_name(Tint tint) { return std::string(tint_words(tint).front()); }

std::string tinted(std::string_view subject, Tint tint) {
  if (tint == Tint::own) return std::string(subject);
  return fmt::format("{} {} {}", tint == Tint::orange ? "an" : "a", tint_name(tint), without_article(subject));
}

std::vector<std::string> caption_phrases() {
  std::vector<std::string> phrases = {"and", "over", "above", ",", "a", "an"};
  const auto add = [&](Words words) { phrases.insert(phrases.end(), words.begin(), words.end()); };
  const auto add_all = [&]<typename Kind>(Words (*words)(Kind), std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) add(words(static_cast<Kind>(i)));
  };
  add_all(subject_words, subject_count);
  add_all(sky_clauses, sky_count);
  add_all(sky_nouns, sky_count);
  add_all(ground_clauses, ground_count);
  add_all(ground_nouns, ground_count);
  add_all(palette_clauses, palette_count);
  add_all(palette_tags, palette_count);
  add_all(style_openings, style_count);
  add_all(style_tags, style_count);
  for (std::size_t i = 1; i < tint_count; ++i) add(tint_words(static_cast<Tint>(i)));
  for (std::size_t i = 0; i < ground_count; ++i) {
    const auto ground = static_cast<Ground>(i);
    if (!has_sea(ground)) continue;
    add(rough_clauses(ground));
    add(rough_nouns(ground));
  }
  add(neutral_openings());
  add(neutral_tags());
  return phrases;
}

}  // namespace disco
