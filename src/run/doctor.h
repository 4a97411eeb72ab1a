// Looks at the machine: what is there, what is missing, what fits.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "run/session.h"

namespace disco {

/// Sections machine, libraries, models, memory, fits: each an object or a list of objects of short texts and numbers.
nlohmann::ordered_json examine(Session& session, std::uint64_t memory_limit);

}  // namespace disco
