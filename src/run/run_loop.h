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

#include "core/file.h"
#include "kernels/gpu.h"
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
  ~RunLoop();
  RunLoop(const RunLoop&) = delete;
  RunLoop& operator=(const RunLoop&) = delete;

  /// Begins a new run: takes the next number in the folder and writes its first checkpoint before any model is loaded.
  /// With a `draft_share` its pictures are drafts that stop after this share of the steps; the one picture of a run
  /// with a `start` is carried on from there.
  void begin(const Settings& settings, std::map<std::string, std::string> origins,
             std::optional<double> draft_share = {}, std::optional<NoisyPicture> start = {});
  /// Goes on with a checkpoint. Throws RequestError when weights or input pictures are not those that it was begun
  /// with, or when another process draws the run.
  void resume(Checkpoint checkpoint);
  /// What a resume goes on with after this run: a checkpoint in the same folder.
  void then(const std::filesystem::path& checkpoint);
  /// Takes a begun run back of which nothing has been drawn; else does nothing.
  void give_up();
  bool is_given_up() const { return given_up_; }

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
  /// The picture as it must be before its next step.
  std::unique_ptr<Generation> generation(int picture);
  void report(const StepOutcome& outcome, int done, int steps, int picture);
  /// Of the weights, computed while the first steps are drawn. Waits for them.
  const std::map<std::string, std::string>& model_hashes();
  void begin_hashing();
  /// Throws RequestError where `saved` knows other ones.
  void compare_with(const Checkpoint& saved);

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
  bool unbegun_ = false;  ///< This process took the number, and has drawn nothing.
  bool given_up_ = false, drafts_ = false;
  double stop_share_ = 1;
  std::string next_;
  std::unique_ptr<FileLock> lock_;
  std::map<std::string, std::string> inputs_;  ///< Path → SHA-256.
  std::optional<NoisyPicture> start_;
  std::unique_ptr<Arriving> coming_;     ///< A preview, on its way from a GPU.
  std::optional<PictureState> resumed_;  ///< State of the first picture.
  at::Tensor stream_before_;             ///< Faithful runs: the shared stream before the current picture.
  std::future<std::map<std::string, std::string>> hashing_;
  std::optional<std::map<std::string, std::string>> hashes_;
  double reached_alpha_cumprod_ = 0;
  double mean_step_seconds_ = 0;
};

}  // namespace disco
