// How much memory a run will take, predicted from the settings and the shapes in the weights files, before it starts.
#pragma once

#include "models/store.h"
#include "run/engine.h"

namespace disco {

/// Throws RequestError when a model is missing. `limit` bytes replace what is free when not 0.
MemoryEstimate estimate_memory(const Settings& settings, const ModelStore& store, std::uint64_t limit);

/// Bytes that can be used without swapping: MemAvailable, or what the control group still allows when that is less.
std::uint64_t available_memory();
std::uint64_t total_memory();

}  // namespace disco
