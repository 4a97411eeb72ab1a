// A training's state in one safetensors file: weights, their mean, Adam's moments, and what was asked.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "models/weights/state_dict.h"

namespace disco {

struct TrainCheckpoint {
  std::int64_t step = 0;    ///< Steps done.
  double loss = 0;          ///< Smoothed.
  nlohmann::json identity;  ///< What must not change between the parts of one training.
  StateDict tensors, mean, first_moments, second_moments;
};

/// What to do about a checkpoint that cannot be used.
constexpr const char* checkpoint_advice =
    "put a copy of it back, or move it away to train from the start, or choose another run folder";

/// Written whole or not at all.
void save_checkpoint(const std::filesystem::path& path, const TrainCheckpoint& checkpoint);
/// Nothing when there is no file; FormatError when it is not a training's checkpoint. The tensors are copies.
std::optional<TrainCheckpoint> load_checkpoint(const std::filesystem::path& path);

/// NAME.safetensors in half precision and NAME.model.json in `folder`. Returns the weights' path.
std::filesystem::path export_model(const std::filesystem::path& folder, const std::string& name,
                                   const std::string& role, const StateDict& tensors, const nlohmann::json& config);

}  // namespace disco
