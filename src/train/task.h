// What is trained: a network, its loss at step k, and how it is looked at and exported. The loop around it is the same
// for all (train.cpp).
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/weights/state_dict.h"
#include "train/train.h"

namespace disco {

class Task {
 public:
  virtual ~Task() = default;

  /// All tensors of the network, freshly initialised; the floating-point ones are trained, but for the running
  /// statistics of batch norms, which a loss may move itself.
  virtual StateDict initial() const = 0;
  /// What is trained of a model to start from, all whose tensors are given: the same, or grown for what it is to learn.
  /// Called once, before config() and start(). `notes` gets a line on what has changed.
  virtual StateDict grown(StateDict tensors, std::vector<std::string>& /*notes*/) { return tensors; }
  /// The network's sizes, as the exported model's config.
  virtual nlohmann::json config() const = 0;
  /// Settings that suit the network; what the user says holds above them. Exported as config.recommended.
  virtual nlohmann::json recommended() const { return nlohmann::json::object(); }
  /// From here on loss() is called for steps first, first + 1, … and uses these tensors, which the loop changes in
  /// place. With an `accumulate` of n, a step of loss() is a micro-batch, n of which make a step of the optimiser.
  virtual void start(const StateDict& tensors, std::int64_t first) = 0;
  /// The loss of a step, a function of the tensors, the seed and the step.
  virtual at::Tensor loss(std::int64_t step) = 0;
  /// Keeps the tensors in their bounds after a step (CLIP's temperature).
  virtual void after_step() {}
  /// Looks at the weights: writes a picture into the run folder or measures. Returns one line about it.
  virtual std::string look(const StateDict& tensors, std::int64_t step) const = 0;
};

/// The request with its zeros replaced by the role's defaults. Throws RequestError.
TrainRequest completed(TrainRequest request);

std::unique_ptr<Task> diffusion_task(const TrainRequest& request);
std::unique_ptr<Task> clip_task(const TrainRequest& request);
std::unique_ptr<Task> secondary_task(const TrainRequest& request);
std::unique_ptr<Task> upscaler_task(const TrainRequest& request);
std::unique_ptr<Task> judge_task(const TrainRequest& request);

}  // namespace disco
