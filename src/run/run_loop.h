// The pictures of one run, one after the other, with their checkpoints and files.
#pragma once

#include <chrono>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "run/checkpoint.h"
#include "run/engine.h"
#include "run/generation.h"
#include "run/outputs.h"
#include "run/session.h"

namespace disco {

class RunLoop {
 public:
  struct Options {
    std::filesystem::path folder;  ///< OUT/BATCH.
    double checkpoint_seconds = 30;
    const std::atomic<bool>* interrupt = nullptr;
    std::uint64_t memory_limit = 0;  ///< Bytes; 0: what is free.
  };

  RunLoop(Session& session, Options options, RunListener& listener);

  /// Begins a new run: takes the next number in the folder and writes its first checkpoint before any model is loaded.
  /// Its pictures stop after `stop_share` of the steps; the one picture of a run with a `start` is carried on from
  /// there.
  void begin(const Settings& settings, std::map<std::string, std::string> origins, double stop_share = 1,
             std::optional<NoisyPicture> start = {});
  /// Goes on with a checkpoint.
  void resume(Checkpoint checkpoint);

  /// Draws all pictures (left), and returns the paths of the finished ones, those finished before a resume included.
  std::vector<std::filesystem::path> draw_all();
  /// Draws one picture; writes no files but checkpoints and partial pictures.
  PictureState draw(int picture);
  /// Writes the picture and its sidecar.
  std::filesystem::path write_finished(int picture, const PictureState& state);
  /// Removes a picture's checkpoint, once what it led to is on the disk; the next picture's is written before.
  void leave(int picture);

  const Settings& settings() const { return settings_; }
  const OutputNames& names() const { return *names_; }
  int first_picture() const { return first_picture_; }  ///< The first that this process draws.
  Checkpoint checkpoint(int picture) const;
  /// The seed of picture k: the run's seed in faithful mode (one stream for all), seed + k in native mode.
  std::int64_t picture_seed(int picture) const {
    return settings_.faithful() ? settings_.seed : settings_.seed + picture;
  }
  /// ᾱ that the last drawn picture stopped at.
  double reached_alpha_cumprod() const { return reached_alpha_cumprod_; }

 private:
  /// Models, streams and targets as they must be before picture k.
  void prepare(int picture);
  void report(const StepOutcome& outcome, int done, int steps, int picture);
  std::map<std::string, std::string> model_hashes();

  Session& session_;
  Options options_;
  RunListener& listener_;
  Settings settings_;
  std::map<std::string, std::string> origins_;
  std::unique_ptr<OutputNames> names_;
  MemoryPlan plan_;
  std::optional<RunModels> models_;
  std::optional<RandomStreams> streams_;
  bool targets_made_ = false;
  int first_picture_ = 0;
  double stop_share_ = 1;
  std::optional<NoisyPicture> start_;
  std::optional<PictureState> resumed_;  ///< State of the first picture.
  at::Tensor stream_before_;             ///< Faithful runs: the shared stream before the current picture.
  std::future<std::map<std::string, std::string>> hashing_;
  std::optional<std::map<std::string, std::string>> hashes_;
  double reached_alpha_cumprod_ = 0;
  double mean_step_seconds_ = 0;
};

}  // namespace disco
