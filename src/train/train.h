// Training of the small models that the program ships: what is asked, and what is heard while it runs. No torch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace disco {

struct TrainRequest {
  std::string role = "diffusion";       ///< "diffusion" or "clip".
  std::string name;                     ///< Of the model; empty: "pocket-diffusion" or "pocket-clip".
  std::filesystem::path run_folder;     ///< checkpoint.safetensors and sample sheets.
  std::filesystem::path export_folder;  ///< NAME.safetensors (half precision) and NAME.model.json; empty: no export.

  std::uint64_t seed = 1;
  std::int64_t steps = 6000;
  std::int64_t batch = 0;      ///< 0: 16 for diffusion, 96 for clip.
  double learning_rate = 0;    ///< 0: 8e-4 for diffusion, 6e-4 for clip.
  double weight_decay = 0.01;  ///< On matrices and convolutions only.
  std::int64_t warmup = 200;   ///< Steps over which the rate rises from zero.
  double decay = 0.35;         ///< The last share of the steps, over which the rate falls to zero as a cosine.
  double ema = 0.999;          ///< Of the weights that are exported; less in the first steps.
  double clip_gradient = 1;    ///< The gradient's norm is held below this.

  double checkpoint_minutes = 5;
  double sheet_minutes = 15;  ///< Between pictures (diffusion) or scores (clip) of the current weights; 0: none.
  int threads = 0;            ///< 0: all cores.
  int painters = 1;           ///< Threads that paint ahead.
  std::int64_t picture_size = 64;
  double variety =
      0.25;  ///< Of the painted world, 0 to 1; see random_scene(). May be raised between parts of a training.

  /// Network sizes that differ from the defaults (keys of the exported config).
  nlohmann::json config = nlohmann::json::object();
  /// clip: NAME.safetensors of a diffusion model, whose guesses from noisy pictures are shown among the pictures; may
  /// be empty.
  std::filesystem::path diffusion_model;
  double guess_share = 0.5;                          ///< Of the pictures that are such guesses.
  std::vector<std::filesystem::path> model_folders;  ///< clip: where the tokenizer's vocabulary is looked for.
};

struct TrainProgress {
  std::int64_t step = 0, steps = 0;  ///< Done, in all.
  double loss = 0;                   ///< Smoothed over about a hundred steps.
  double learning_rate = 0;
  double samples_per_second = 0;
  double seconds_left = 0;
};

/// What a caller hears of a training; called on the training's own thread.
class TrainEvents {
 public:
  virtual ~TrainEvents() = default;
  virtual void progress(const TrainProgress&) {}
  /// One line: a checkpoint was written, a sheet was drawn, scores.
  virtual void note(const std::string&) {}
  /// Asked after every step; true: write a checkpoint and stop.
  virtual bool stop_asked() { return false; }
};

/// Trains from the run folder's checkpoint, or from the start when there is none, and exports at the end. The same
/// request gives the same weights, however often it was interrupted (on one device and build, with one number of
/// threads). Throws RequestError (a request that contradicts itself or its checkpoint), Interrupted after stop_asked(),
/// Error when the loss stops being a number.
void train(const TrainRequest& request, TrainEvents& events);

/// train(), as the program looks it up in the engine's library.
using TrainFunction = void (*)(const TrainRequest& request, TrainEvents& events);

}  // namespace disco

extern "C" void disco_train(const disco::TrainRequest& request, disco::TrainEvents& events);
