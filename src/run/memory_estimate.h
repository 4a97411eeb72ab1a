// How much memory a run will take, predicted from the settings and the shapes in the weights files, before it starts,
// and what it gives up to fit.
#pragma once

#include <optional>
#include <vector>

#include "models/store.h"
#include "run/engine.h"

namespace disco {

/// Of models that are not installed the published shapes count; throws RequestError for one that nobody knows. `limit`
/// bytes replace what is free when not 0. Without a plan, the least is given up that makes it fit.
MemoryEstimate estimate_memory(const Settings& settings, const ModelStore& store, std::uint64_t limit,
                               const std::optional<MemoryPlan>& plan = {});

/// The estimate's plan. Throws MemoryError, with the nearest settings that fit, when none does.
MemoryPlan plan_memory(const Settings& settings, const ModelStore& store, std::uint64_t limit);

/// Predicted peaks over sizes and cuts with and without the secondary model, then over CLIP models.
std::vector<MemoryTable> memory_tables(const Settings& settings, const ModelStore& store, std::uint64_t limit);

/// Bytes that can be used without swapping: MemAvailable, or what the control group still allows when that is less.
std::uint64_t available_memory();
std::uint64_t total_memory();

}  // namespace disco
