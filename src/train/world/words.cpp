#include "train/world/words.h"

#include <vector>

namespace disco {
namespace {

using Table = std::vector<std::vector<std::string_view>>;

template <typename Kind>
Words row(const Table& table, Kind kind) {
  return table[static_cast<std::size_t>(kind)];
}

}  // namespace

Words subject_words(Subject subject) {
  static const Table words = {
      {"a landscape", "an empty landscape", "a view", "a wide landscape", "a scenery"},
      {"a lighthouse", "a striped lighthouse", "a tall lighthouse", "an old lighthouse", "a beacon"},
      {"a castle", "a stone castle", "a castle with towers", "a fortress", "an old castle", "a medieval castle"},
      {"a tree", "a big tree", "a lonely tree", "an old oak", "a leafy tree"},
      {"a ship", "a sailing ship", "a boat", "a sailboat", "a wooden ship", "a ship with sails"},
      {"a windmill", "an old windmill", "a mill", "a wooden windmill", "a windmill with turning sails"},
      {"a house", "a cottage", "a little house", "a small cottage", "a home"},
      {"a mushroom", "a giant mushroom", "a toadstool", "a mushroom with dots", "a big mushroom"},
      {"a balloon", "a hot air balloon", "a hot air balloon in the sky", "a striped balloon", "a flying balloon"},
      {"a tower", "a stone tower", "a tall tower", "an old tower", "a tower with a flag", "a watchtower"},
      {"a bridge", "a stone bridge", "an old bridge", "a bridge with arches", "an arched bridge"},
      {"a flower", "a big flower", "a single flower", "a giant flower", "a blossom"},
      {"a planet", "a ringed planet", "a planet with rings", "a giant planet", "a planet in the sky"},
      {"a whale", "a big whale", "a giant whale", "a spouting whale"},
      {"a bird", "a flying bird", "a big bird", "a bird in flight"},
      {"a cat", "a sitting cat", "a cute cat", "a striped cat", "a kitten"},
      {"a fish", "a leaping fish", "a big fish", "a jumping fish"},
      {"a butterfly", "a big butterfly", "a giant butterfly", "a butterfly in the air"},
      {"a rocket", "a flying rocket", "a rocket ship", "a spaceship", "a space rocket"},
      {"a pyramid", "a great pyramid", "an ancient pyramid", "a stone pyramid"},
      {"a dragon", "a flying dragon", "a fire breathing dragon", "a winged dragon", "a dragon breathing fire"},
  };
  return row(words, subject);
}

Words sky_clauses(Sky sky) {
  static const Table words = {
      {"by day", "on a sunny day", "in the sunshine", "on a clear day", "at noon", "in daylight", "under a sunny sky"},
      {"at sunset", "at sunset", "at dusk", "in the evening", "in the evening sun", "under a setting sun"},
      {"at night", "at night", "under the stars", "under a starry sky", "in the moonlight", "at midnight", "by night"},
      {"in a storm", "in a storm", "during a thunderstorm", "under storm clouds", "in the rain", "with lightning",
       "on a stormy day"},
      {"at dawn", "at dawn", "at sunrise", "in the early morning", "in the morning light", "under a morning sky"},
      {"under the northern lights", "under the northern lights", "under an aurora", "beneath the aurora borealis",
       "with northern lights"},
  };
  return row(words, sky);
}

Words sky_nouns(Sky sky) {
  static const Table words = {
      {"a sunny day", "a clear day", "sunshine", "daylight"},
      {"a sunset", "sunset", "the setting sun", "dusk", "evening"},
      {"night", "a starry night", "the night sky", "stars and the moon", "a night full of stars"},
      {"a storm", "a thunderstorm", "storm", "lightning", "lightning and rain", "a stormy sky"},
      {"dawn", "sunrise", "early morning", "a morning sky"},
      {"northern lights", "the northern lights", "aurora", "aurora borealis", "an aurora"},
  };
  return row(words, sky);
}

Words ground_clauses(Ground ground) {
  static const Table words = {
      {"by the sea", "at sea", "on the sea", "by the ocean", "in the ocean", "on the water"},
      {"in a meadow", "on the grass", "in a field of flowers", "among wildflowers", "in the fields"},
      {"in the desert", "on the sand", "among sand dunes", "in a sandy desert", "with cactuses"},
      {"in the snow", "on a snowy hill", "in winter", "in a snowy landscape", "in deep snow"},
      {"in the mountains", "before mountains", "at a mountain lake", "with mountains behind",
       "in front of snowy peaks"},
      {"in a forest", "in the forest", "in the woods", "among fir trees", "in a forest clearing"},
      {"in the city", "in a city", "in front of a skyline", "in a city street", "in front of tall buildings"},
      {"on a cliff", "on a cliff by the water", "on a rocky cliff", "on a cliff above the waves", "on the cliffs"},
  };
  return row(words, ground);
}

Words ground_nouns(Ground ground) {
  static const Table words = {
      {"the sea", "the ocean", "the water", "waves"},
      {"a meadow", "fields", "a field of flowers", "the grass", "a flowering meadow"},
      {"the desert", "sand dunes", "a desert", "the sand", "a desert landscape"},
      {"the snow", "a snowy field", "snowy hills", "a winter landscape", "snow"},
      {"the mountains", "mountains", "a mountain lake", "snowy peaks", "a mountain landscape"},
      {"a forest", "the woods", "a fir forest", "forest", "a forest clearing"},
      {"a city", "the city", "a skyline", "a city street", "city"},
      {"a cliff", "cliffs", "a rocky cliff", "a cliff above the waves", "a rocky coast"},
  };
  return row(words, ground);
}

Words rough_clauses(Ground ground) {
  static const Table words = {
      {"on a stormy sea", "on a rough sea", "in high waves", "by a stormy sea"},
      {"on a cliff above a stormy sea", "on a cliff above a rough sea", "on a cliff above high waves",
       "on a rocky cliff above a stormy sea"},
  };
  return words[ground == Ground::cliff ? 1 : 0];
}

Words rough_nouns(Ground ground) {
  static const Table words = {
      {"a stormy sea", "a rough sea", "high waves"},
      {"a cliff above a stormy sea", "a cliff above a rough sea", "a rocky coast and high waves"},
  };
  return words[ground == Ground::cliff ? 1 : 0];
}

Words palette_clauses(Palette palette) {
  static const Table words = {
      {"in natural colours", "in natural colors"},
      {"in pastel colours", "in pastel colors", "in soft pastel colours", "in pastel shades"},
      {"in neon colours", "in neon colors", "in glowing neon colors"},
      {"in sepia", "in sepia tones"},
      {"in black and white", "in monochrome", "in shades of grey", "in shades of gray"},
      {"in red colours", "in shades of red", "in red tones", "all in red"},
      {"in yellow colours", "in shades of yellow", "in yellow tones", "all in yellow"},
      {"in green colours", "in shades of green", "in green tones", "all in green"},
      {"in blue colours", "in shades of blue", "in blue tones", "all in blue"},
      {"in purple colours", "in shades of purple", "in purple tones", "all in purple"},
  };
  return row(words, palette);
}

Words palette_tags(Palette palette) {
  static const Table words = {
      {"natural colours", "natural colors"},
      {"pastel colours", "pastel colors", "pastel palette", "pastel", "pastel color scheme"},
      {"neon colours", "neon colors", "neon", "neon palette", "neon color scheme"},
      {"sepia", "sepia tones", "sepia palette", "old sepia photograph colours"},
      {"black and white", "monochrome", "greyscale", "grayscale"},
      {"red colour scheme", "red color scheme", "red palette", "red tones", "red colors"},
      {"yellow colour scheme", "yellow color scheme", "yellow palette", "yellow tones", "yellow colors"},
      {"green colour scheme", "green color scheme", "green palette", "green tones", "green colors"},
      {"blue colour scheme", "blue color scheme", "blue palette", "blue tones", "blue colors"},
      {"purple colour scheme", "purple color scheme", "purple palette", "purple tones", "purple colors"},
  };
  return row(words, palette);
}

Words style_openings(Style style) {
  static const Table words = {
      {"a simple painting of", "a clean flat painting of"},
      {"an oil painting of", "a thick oil painting of", "oil painting of", "an expressive oil painting of"},
      {"a watercolour painting of", "a watercolor painting of", "a watercolor of", "a watercolour of"},
      {"pixel art of", "a pixel art picture of", "a pixel art image of"},
      {"a pencil sketch of", "a pencil drawing of", "a graphite drawing of", "a sketch of"},
      {"an ink drawing of", "a pen and ink drawing of", "an ink sketch of"},
      {"a stained glass window of", "stained glass of", "a stained glass picture of"},
      {"a low poly picture of", "a low poly render of", "low poly art of"},
      {"an impressionist painting of", "a pointillist painting of", "an impressionist picture of"},
      {"a flat poster of", "a travel poster of", "a poster of", "a screen print of"},
  };
  return row(words, style);
}

Words style_tags(Style style) {
  static const Table words = {
      {"simple painting", "clean flat painting"},
      {"oil painting", "oil on canvas", "in oils", "thick oil paint"},
      {"watercolour", "watercolor", "watercolor painting", "watercolour on paper"},
      {"pixel art", "8-bit", "pixel art style", "16-bit pixel art"},
      {"pencil sketch", "pencil drawing", "graphite on paper", "pencil"},
      {"ink drawing", "pen and ink", "ink on paper", "ink"},
      {"stained glass", "stained glass window", "stained glass style"},
      {"low poly", "low poly style", "low poly art"},
      {"impressionist painting", "impressionism", "impressionist style", "pointillism"},
      {"flat poster", "poster", "travel poster", "screen print", "poster style"},
  };
  return row(words, style);
}

Words tint_words(Tint tint) {
  static const Table words = {
      {"in its own colour"}, {"red"}, {"orange"}, {"yellow"}, {"green"}, {"blue"}, {"purple"}, {"white"}};
  return row(words, tint);
}

Words neutral_openings() {
  static const Table words = {{"a picture of", "a beautiful picture of", "an image of", "an artwork of",
                               "a beautiful artwork of", "a matte painting of", "a painting of", "an illustration of"}};
  return words.front();
}

Words neutral_tags() {
  static const Table words = {{"trending on artstation", "highly detailed", "concept art", "digital art", "beautiful",
                               "artstation", "detailed", "masterpiece", "by a master", "award winning"}};
  return words.front();
}

std::string_view without_article(std::string_view words) {
  for (const std::string_view article : {"a ", "an ", "the "}) {
    if (words.starts_with(article)) return words.substr(article.size());
  }
  return words;
}

}  // namespace disco
