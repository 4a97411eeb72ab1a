// How much memory a run will take, predicted from the settings and the shapes in the weights files, before it starts,
// and what it gives up to fit.
#pragma once

#include <optional>
#include <vector>

#include "kernels/gpu.h"
#include "models/store.h"
#include "run/engine.h"

namespace disco {

/// Where a run would be drawn, and what it may take there.
struct MemoryOffer {
  std::uint64_t limit = 0;       ///< Bytes; 0: what is free.
  std::optional<GpuMemory> gpu;  ///< None: the processor's memory.
  bool half = false;             ///< The networks compute in half precision.

  MemoryOffer(std::uint64_t bytes = 0) : limit(bytes) {}
};

/// Of models that are not installed the published shapes count; throws RequestError for one that nobody knows. Without
/// a plan, the least is given up that makes it fit.
MemoryEstimate estimate_memory(const Settings& settings, const ModelStore& store, const MemoryOffer& offer,
                               const std::optional<MemoryPlan>& plan = {});

/// The estimate's plan. Throws MemoryError, with the nearest settings that fit, when none does.
MemoryPlan plan_memory(const Settings& settings, const ModelStore& store, const MemoryOffer& offer);

/// Predicted peaks over sizes and cuts with and without the secondary model, then over CLIP models.
std::vector<MemoryTable> memory_tables(const Settings& settings, const ModelStore& store, const MemoryOffer& offer);

/// Bytes that can be used without swapping: MemAvailable, or what the control group still allows when that is less.
std::uint64_t available_memory();
std::uint64_t total_memory();

}  // namespace disco
