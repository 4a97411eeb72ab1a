// What people say of a scene.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/world/scene.h"

namespace disco {

struct Caption {
  std::string text;
  bool names_subject = false, names_sky = false, names_ground = false;  ///< What the text states of its scene.
};

/// A caption of the scene, drawn from a small grammar: any subset of subject, sky and ground, in several orders and
/// with synonyms, at times as "a painting of …". It never states what the scene does not show.
Caption caption(const Scene& scene, std::uint64_t seed);

/// Whether `caption`, written for `source`, is also true of `scene`.
bool describes(const Caption& caption, const Scene& source, const Scene& scene);

/// The plainest words for each: "a lighthouse", "a sunset", "the sea".
std::string subject_name(Subject subject);
std::string sky_name(Sky sky);
std::string ground_name(Ground ground);

/// Every phrase that captions are put together from: all words that a model trained on them can know.
std::vector<std::string> caption_phrases();

}  // namespace disco
