// Training of the small models that the program ships, and of others: what is asked, and what is heard while it runs.
// No torch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace disco {

class PictureSource;

struct TrainRequest {
  /// "diffusion", "clip", "secondary", "upscaler", "judge" (what `disco bench adherence` measures with), or "pocket":
  /// all models that the program ships, one after another (train/pocket.h).
  std::string role = "diffusion";
  std::string name;                     ///< Of the model; empty: pocket-ROLE.
  std::filesystem::path run_folder;     ///< checkpoint.safetensors and sample sheets.
  std::filesystem::path export_folder;  ///< NAME.safetensors (half precision) and NAME.model.json; empty: no export.

  std::uint64_t seed = 1;
  std::int64_t steps = 6000;
  std::int64_t batch = 0;       ///< Pictures of a micro-batch; 0: the role's own.
  std::int64_t accumulate = 1;  ///< Micro-batches of a step, whose gradients' mean is taken.
  double learning_rate = 0;     ///< 0: the role's own.
  double weight_decay = 0.01;   ///< On matrices and convolutions only.
  std::int64_t warmup = 200;    ///< Steps over which the rate rises from zero.
  double decay = 0.35;          ///< The last share of the steps, over which the rate falls to zero as a cosine.
  double ema = 0.999;           ///< Of the weights that are exported; less in the first steps.
  double clip_gradient = 1;     ///< The gradient's norm is held below this.

  double checkpoint_minutes = 5;
  double sheet_minutes = 15;  ///< Between pictures (diffusion) or scores (clip) of the current weights; 0: none.
  int threads = 0;            ///< 0: all cores.
  int painters = 1;           ///< Threads that paint, or read pictures, ahead.
  /// How often a painted picture is shown, on average: with a GPU, painting takes longer than learning. Each time it
  /// has other noise, another view and another caption.
  int reuse = 1;
  /// "float32", or "bfloat16": convolutions and products of matrices in bfloat16, weights and sums in float32.
  std::string precision = "float32";
  std::string device = "cpu";      ///< Or "cuda", "cuda:1", …, where LibTorch has it.
  std::int64_t picture_size = 64;  ///< 0: what the model of `from` was made for, or 64.
  /// Of the painted world, see WorldMix (train/world/scene.h). They may be changed between parts of a training.
  double variety = 0.25, styled = 0.5, coloured = 0.5, near_misses = 0;

  /// A model to start from instead of fresh weights: a weights file, or a name in the model folders. Its sizes hold.
  std::string from;
  /// A folder of pictures to learn from (train/image_folder.h) instead of painted ones.
  std::filesystem::path data;
  bool mirror = true;                             ///< `data`: every second picture is mirrored.
  std::shared_ptr<const PictureSource> pictures;  ///< Set by train(), from `data`.

  /// Network sizes that differ from the defaults (keys of the exported config).
  nlohmann::json config = nlohmann::json::object();
  /// clip: NAME.safetensors of a diffusion model, whose guesses from noisy pictures are shown among the pictures; may
  /// be empty.
  std::filesystem::path diffusion_model;
  double guess_share = 0.5;                          ///< Of the pictures that are such guesses.
  std::vector<std::filesystem::path> model_folders;  ///< For the tokenizer's vocabulary, and models by name.

  double minutes = 0;  ///< pocket: all parts together take about so long; 0: `scale` says.
  double scale = 1;    ///< pocket: the share of the recipe's steps.
};

/// All of it but `pictures`: what a run folder's request.json holds.
nlohmann::ordered_json to_json(const TrainRequest& request);

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
  /// pocket: part `number` of `count` begins.
  virtual void part(int number, int count, const std::string& title) {
    note(std::to_string(number) + " of " + std::to_string(count) + ": " + title);
  }
  /// One line: a checkpoint was written, a sheet was drawn, scores.
  virtual void note(const std::string&) {}
  /// Asked after every step; true: write a checkpoint and stop.
  virtual bool stop_asked() { return false; }
};

/// Trains from the run folder's checkpoint, or from the start when there is none, and exports at the end. The same
/// request gives the same weights, however often it was interrupted (on one device and build, with one number of
/// threads). Throws RequestError (a request that contradicts itself or its checkpoint, a folder that cannot be
/// written), Interrupted after stop_asked(), Error when the loss stops being a number or a checkpoint cannot be
/// written.
///
/// The run folder holds checkpoint.safetensors, request.json (what was asked, and by which version) and log.csv (step,
/// loss, learning rate and samples a second of every step that led to the present weights).
void train(const TrainRequest& request, TrainEvents& events);

/// train(), as the program looks it up in the engine's library.
using TrainFunction = void (*)(const TrainRequest& request, TrainEvents& events);

}  // namespace disco

extern "C" void disco_train(const disco::TrainRequest& request, disco::TrainEvents& events);
