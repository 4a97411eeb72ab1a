// The recipe of the models that the program ships, as one training: every model after the ones it needs.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "train/train.h"

namespace disco {

struct PocketPart {
  std::string title;  ///< Of its folder in the run folder, and in what is told.
  std::string role, name;
  std::int64_t steps = 0;
  std::int64_t batch = 0;
  double learning_rate = 0;
  double variety = 0.25, styled = 0.5, coloured = 0.5, near_misses = 0;
  double share = 0;           ///< Of the time, when a time is given. All shares together are 1.
  bool sees_guesses = false;  ///< Of the diffusion model, which is the first part.
  bool for_drawing = true;    ///< Whether the program draws with it.
  nlohmann::json config = nlohmann::json::object();
  std::string precision = {};  ///< Empty: the request's.
  int reuse = 1;
};

/// The recipe for a processor, within some hours, or for a GPU, within 25 minutes: larger networks, which see many
/// times as many pictures. A new model takes a row of both in pocket.cpp.
std::span<const PocketPart> pocket_parts(bool gpu = false);

/// Trains all parts into folders of their own in request.run_folder and exports them to request.export_folder (when
/// that is empty, to the run folder's models/). A part that was begun goes on; one that is finished is left as it is.
/// Taken from the request: the folders, seed, scale or minutes, device, threads, painters, precision, picture_size, the
/// intervals, and the model folders. On a GPU every core paints, unless more than one painter is asked for. With
/// `minutes`, each part is tried for a few steps to find out how many fit into its share of the time; the numbers found
/// are kept, so that an interrupted training goes on to the same end.
///
/// The run folder's run.json holds all that is needed to repeat it, and what came out; pocket.md says it in words.
void train_pocket(const TrainRequest& request, TrainEvents& events, std::span<const PocketPart> parts);

/// The text of pocket.md, of run.json.
std::string model_card(const nlohmann::ordered_json& run);

}  // namespace disco
