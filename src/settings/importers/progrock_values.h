// ProgRockDiffusion's values that are worked out when a run starts: "<a|b>", "random" and "auto".
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "settings/importers/conversion.h"

namespace disco {

/// The file with its draws among values, "<a|b|c>" or "<^^2|a|b|c>", settled on the first ones; each is noted.
nlohmann::ordered_json settle_draws(const nlohmann::ordered_json& object, std::vector<std::string>& notes);

/// "random" is ignored, with the range it is drawn from.
void ignore_random(Conversion& conversion);

/// "auto": clip_guidance_scale from 2500 at 250,000 pixels to 50,000 at 2,000,000; clamp_max by steps, doubled without
/// the secondary model; eta from 0 at 50 steps to 1 at 315. Takes steps, size and secondary model from what is
/// converted.
void resolve_auto_values(Conversion& conversion);

}  // namespace disco
