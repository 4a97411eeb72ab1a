// The words for what scenes show. None names a colour other than those of a palette or a tint: "under a blue sky" would
// be false of a picture in black and white.
#pragma once

#include <span>
#include <string_view>

#include "train/world/scene.h"

namespace disco {

using Words = std::span<const std::string_view>;  ///< Synonyms, the plainest first.

Words subject_words(Subject subject);  ///< "a lighthouse"
Words sky_clauses(Sky sky);            ///< "at sunset"
Words sky_nouns(Sky sky);              ///< "a sunset"
Words ground_clauses(Ground ground);   ///< "by the sea"
Words ground_nouns(Ground ground);     ///< "the sea"
/// Of a ground with a rough sea.
Words rough_clauses(Ground ground);
Words rough_nouns(Ground ground);
Words palette_clauses(Palette palette);  ///< "in pastel colours"
Words palette_tags(Palette palette);     ///< "pastel colors", between commas
Words style_openings(Style style);       ///< "an oil painting of"
Words style_tags(Style style);           ///< "oil on canvas", between commas
Words tint_words(Tint tint);             ///< "red"
/// True of any picture.
Words neutral_openings();  ///< "a painting of"
Words neutral_tags();      ///< "trending on artstation"

/// "lighthouse" of "a lighthouse".
std::string_view without_article(std::string_view words);

}  // namespace disco
