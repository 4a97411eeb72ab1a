// What people say of a scene.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "train/world/scene.h"

namespace disco {

struct Caption {
  std::string text;
  bool names_subject = false, names_sky = false, names_ground = false;  ///< What the text states of its scene.
  bool names_palette = false, names_style = false, names_tint = false;
  bool names_rough = false;
};

/// A caption of the scene, drawn from a small grammar: any subset of subject, sky and ground, in several orders and
/// with synonyms, as a sentence ("an oil painting of a castle in the snow at night") or as tags ("castle, night,
/// watercolor"); palette and style always where they are not natural and plain, and seldom where they are; the tint
/// mostly where it is not the usual one; a rough sea in most cases. It never states what the scene does not show.
Caption caption(const Scene& scene, std::uint64_t seed);

/// Whether `caption`, written for `source`, is also true of `scene`. One that names no palette or style is true of
/// natural colours and plain paintings alone.
bool describes(const Caption& caption, const Scene& source, const Scene& scene);

/// The plainest words for each: "a lighthouse", "a sunset", "the sea", "pastel colours", "oil painting", "red".
std::string subject_name(Subject subject);
std::string sky_name(Sky sky);
std::string ground_name(Ground ground);
std::string palette_name(Palette palette);
std::string style_name(Style style);
std::string tint_name(Tint tint);

/// "a red lighthouse": the subject's words with the tint's before the noun.
std::string tinted(std::string_view subject, Tint tint);

/// Every phrase that captions are put together from: all words that a model trained on them can know.
std::vector<std::string> caption_phrases();

}  // namespace disco
