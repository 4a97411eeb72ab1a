// What each setting does, shown and measured: the same prompts and seeds with one thing changed at a time. No torch in
// this header.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/request.h"

namespace disco {

/// A change to the settings that a sheet shows as a row.
struct Variant {
  std::string group;  ///< The sheet that it is on ("eta").
  std::string label;
  nlohmann::ordered_json values;  ///< Settings above the request's.
};
/// What is tried, after the guide: guidance scale, clamp_max, cuts, eta, steps, skipped steps, the picture's own
/// losses, symmetry. With `settings`, which say whether there is a secondary model to leave out, and which CLIP models
/// to try alone.
std::vector<Variant> effect_variants(const Settings& settings, const std::string& secondary_model);

/// The settings are what the variants start from.
struct EffectsRequest : BenchRequest {
  EffectsRequest() {
    out = "effects";
    prompts = 4;
  }

  std::string secondary_model = "pocket-secondary";  ///< Tried when it is installed.
  std::string only;                                  ///< A group; empty: all.
};

struct Effect {
  Variant variant;
  double change = 0;    ///< Mean absolute difference from the unchanged settings' pictures, 8-bit levels.
  double contrast = 0;  ///< Standard deviation of the pixels, 8-bit levels.
  double judged = 0;    ///< Mean probability, in the judge's eyes, of what the prompts ask for.
  double seconds = 0;   ///< Mean per picture; 0 when the pictures were there already.
};
struct EffectsResult {
  std::vector<Effect> effects;                ///< The unchanged settings first, as the group "".
  std::vector<std::filesystem::path> sheets;  ///< One a group.
};

/// Draws, measures, and writes OUT/GROUP.png and OUT/effects.json. Goes on where a former call stopped. Throws as
/// measure_adherence() does.
EffectsResult measure_effects(const EffectsRequest& request, BenchEvents& events);
nlohmann::ordered_json to_json(const EffectsResult& result);

using EffectsFunction = void (*)(const EffectsRequest& request, BenchEvents& events, EffectsResult& result);

}  // namespace disco

extern "C" void disco_measure_effects(const disco::EffectsRequest& request, disco::BenchEvents& events,
                                      disco::EffectsResult& result);
