// The model that a training starts from, when it does not start from fresh weights.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "models/store.h"
#include "models/weights/state_dict.h"
#include "train/train.h"

namespace disco {

struct StartModel {
  std::filesystem::path file;
  std::string sha256;
  StateDict tensors;      ///< Those that the network uses, under its own names; floating-point ones as float32 copies.
  nlohmann::json config;  ///< The sizes that the tensors have, as the role's task takes them.
  nlohmann::json recommended = nlohmann::json::object();  ///< Of the model's own description.
};

/// A weights file, and what the NAME.model.json beside it, or else its tensors' names, say of it: role (empty: unknown)
/// and config. Throws FormatError.
ModelEntry described_weights(const std::filesystem::path& weights);

/// Finds request.from (a weights file, or a model of the role by name) and reads off its tensors what it is. Throws
/// RequestError when there is no such model or it is of another role, FormatError when it cannot be read.
StartModel start_model(const TrainRequest& request);

}  // namespace disco
