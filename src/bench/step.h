// What a guided step costs, by part. No torch in this header.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "run/engine.h"

namespace disco {

struct StepRequest {
  EngineOptions engine;
  Settings settings;  ///< A text prompt is made up when there is none.
  int steps = 3;      ///< Measured ones; one more goes before, to warm up.
};

struct StepCost {
  std::string part;  ///< "diffusion", "prediction", "ViT-B/32 backward", "cutouts", …
  double seconds = 0;
  double flops = 0;  ///< Of its matrix products and convolutions as the direct algorithms do them; 0: none counted.
};

struct StepResult {
  std::string device;
  std::vector<std::string> made_up;  ///< Models that were not there: random weights in the published shapes.
  double seconds = 0;                ///< Median of the steps.
  std::vector<StepCost> parts;       ///< Medians, in alphabetical order.
  double loading_seconds = 0;
  std::uint64_t peak_memory = 0;       ///< Bytes of the process, or that it held on the GPU, models included.
  std::uint64_t predicted_memory = 0;  ///< What a run would have expected.
  std::string plan;                    ///< What was given up to fit into memory, in words; empty: nothing.
  std::map<std::string, std::string> unrecorded;  ///< On a GPU: what could not be recorded as a graph, and why.
  double peak_flops = 0;  ///< A second, of a big matrix product on the same device: the yardstick.
};

/// Draws steps of one picture and measures them. Missing models that the catalog knows are made up. Throws RequestError
/// for settings that do not run.
StepResult measure_step(const StepRequest& request);

using StepFunction = void (*)(const StepRequest& request, StepResult& result);

}  // namespace disco

extern "C" void disco_measure_step(const disco::StepRequest& request, disco::StepResult& result);
