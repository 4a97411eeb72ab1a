#include "train/world/captions.h"

#include <fmt/format.h>

#include <string_view>

#include "train/world/dice.h"

namespace disco {
namespace {

using Words = std::vector<std::string_view>;

const Words& subject_words(Subject subject) {
  static const Words words[subject_count] = {
      {"a landscape", "an empty landscape", "a view", "a wide landscape"},
      {"a lighthouse", "a lighthouse", "a striped lighthouse", "a red and white lighthouse", "a tall lighthouse",
       "the old lighthouse", "a beacon"},
      {"a castle", "a castle", "a stone castle", "a castle with towers", "a grey castle", "a fortress",
       "an old castle"},
      {"a tree", "a tree", "a green tree", "a big tree", "a lonely tree", "an old oak", "a leafy tree"},
      {"a ship", "a sailing ship", "a sailing ship", "a boat", "a sailboat", "a wooden ship",
       "a ship with white sails"},
      {"a windmill", "a windmill", "an old windmill", "a mill", "a wooden windmill", "a windmill with white sails"},
      {"a house", "a house", "a cottage", "a little house", "a house with a red roof", "a small cottage", "a home"},
      {"a mushroom", "a mushroom", "a red mushroom", "a giant mushroom", "a toadstool", "a mushroom with white dots"},
      {"a balloon", "a hot air balloon", "a hot air balloon", "a striped balloon", "a colourful balloon",
       "a colorful hot air balloon"},
  };
  return words[static_cast<std::size_t>(subject)];
}

const Words& sky_clauses(Sky sky) {
  static const Words words[sky_count] = {
      {"on a sunny day", "by day", "under a blue sky", "in the sunshine", "on a clear day", "at noon", "in daylight"},
      {"at sunset", "at sunset", "at dusk", "in the evening", "under an orange sky", "under a red sky",
       "in the evening sun"},
      {"at night", "at night", "under the stars", "under a starry sky", "in the moonlight", "at midnight", "by night"},
      {"in a storm", "in a storm", "during a thunderstorm", "under dark clouds", "in the rain", "with lightning",
       "on a stormy day"},
      {"at dawn", "at dawn", "at sunrise", "in the early morning", "under a pink sky", "in the morning light"},
  };
  return words[static_cast<std::size_t>(sky)];
}

const Words& sky_nouns(Sky sky) {
  static const Words words[sky_count] = {
      {"a sunny day", "a blue sky", "a clear blue sky", "sunshine", "white clouds"},
      {"a sunset", "sunset", "an orange sky", "a red sunset", "the setting sun", "dusk"},
      {"night", "a starry night", "the night sky", "stars", "the moon", "a night full of stars"},
      {"a storm", "a thunderstorm", "dark clouds", "lightning", "rain", "a stormy sky"},
      {"dawn", "sunrise", "a pink sky", "early morning", "a pale morning sky"},
  };
  return words[static_cast<std::size_t>(sky)];
}

const Words& ground_clauses(Ground ground) {
  static const Words words[ground_count] = {
      {"by the sea", "at sea", "on the sea", "by the ocean", "in the ocean", "on the water", "on the blue sea"},
      {"in a meadow", "in a green meadow", "on the grass", "in a field of flowers", "among flowers", "in green fields"},
      {"in the desert", "in the desert", "on the sand", "among sand dunes", "in a sandy desert", "with a cactus"},
      {"in the snow", "in the snow", "on a snowy hill", "in winter", "in a snowy landscape", "on white snow"},
  };
  return words[static_cast<std::size_t>(ground)];
}

const Words& ground_nouns(Ground ground) {
  static const Words words[ground_count] = {
      {"the sea", "the ocean", "the water", "blue waves", "a calm sea"},
      {"a meadow", "green fields", "a field of flowers", "the grass", "a green meadow"},
      {"the desert", "sand dunes", "a desert", "the sand", "yellow dunes"},
      {"the snow", "a snowy field", "white hills", "a winter landscape", "snow"},
  };
  return words[static_cast<std::size_t>(ground)];
}

const Words& openings() {
  static const Words words = {"a painting of",      "a picture of", "a beautiful painting of", "a photo of",
                              "an oil painting of", "a drawing of", "a matte painting of",     "an illustration of"};
  return words;
}

const Words& endings() {
  static const Words words = {
      ", trending on artstation", ", highly detailed", ", concept art", ", digital art", ", beautiful",
      ", in bright colours"};
  return words;
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
  const std::string_view subject = dice.pick(subject_words(scene.subject));
  const std::string_view sky = dice.pick(sky_clauses(scene.sky)), sky_noun = dice.pick(sky_nouns(scene.sky));
  const std::string_view ground = dice.pick(ground_clauses(scene.ground));
  const std::string_view ground_noun = dice.pick(ground_nouns(scene.ground));
  const bool turned = dice.chance(0.5);
  std::string& text = result.text;
  if (result.names_subject && result.names_sky && result.names_ground) {
    if (dice.chance(0.2)) {
      text = fmt::format("{} {}, {}", subject, ground, sky_noun);
    } else {
      text = turned ? fmt::format("{} {} {}", subject, sky, ground) : fmt::format("{} {} {}", subject, ground, sky);
    }
  } else if (result.names_subject && result.names_sky) {
    text = dice.chance(0.2) ? fmt::format("{} and {}", subject, sky_noun) : fmt::format("{} {}", subject, sky);
  } else if (result.names_subject && result.names_ground) {
    text = dice.chance(0.2) ? fmt::format("{} and {}", subject, ground_noun) : fmt::format("{} {}", subject, ground);
  } else if (result.names_subject) {
    text = subject;
  } else if (result.names_sky && result.names_ground) {
    text = turned ? fmt::format("{} over {}", sky_noun, ground_noun) : fmt::format("{} {}", ground_noun, sky);
  } else {
    text = result.names_sky ? sky_noun : ground_noun;
  }
  if (dice.chance(0.2)) text = fmt::format("{} {}", dice.pick(openings()), text);
  if (dice.chance(0.1)) text += dice.pick(endings());
  return result;
}

bool describes(const Caption& caption, const Scene& source, const Scene& scene) {
  return (!caption.names_subject || source.subject == scene.subject) &&
         (!caption.names_sky || source.sky == scene.sky) && (!caption.names_ground || source.ground == scene.ground);
}

std::string subject_name(Subject subject) { return std::string(subject_words(subject).front()); }
std::string sky_name(Sky sky) { return std::string(sky_nouns(sky).front()); }
std::string ground_name(Ground ground) { return std::string(ground_nouns(ground).front()); }

std::vector<std::string> caption_phrases() {
  std::vector<std::string> phrases = {"and", "over", ","};
  const auto add = [&](const Words& words) { phrases.insert(phrases.end(), words.begin(), words.end()); };
  for (std::size_t i = 0; i < subject_count; ++i) add(subject_words(static_cast<Subject>(i)));
  for (std::size_t i = 0; i < sky_count; ++i)
    add(sky_clauses(static_cast<Sky>(i))), add(sky_nouns(static_cast<Sky>(i)));
  for (std::size_t i = 0; i < ground_count; ++i) {
    add(ground_clauses(static_cast<Ground>(i)));
    add(ground_nouns(static_cast<Ground>(i)));
  }
  add(openings());
  add(endings());
  return phrases;
}

}  // namespace disco
