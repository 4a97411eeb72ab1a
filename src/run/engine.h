// The engine as the command line sees it: no torch in this header. The program loads libdisco_engine.so when a verb
// needs it and gets an Engine from disco_create_engine().
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "models/store.h"
#include "picture/picture.h"
#include "run/memory_plan.h"
#include "settings/resolve.h"

namespace disco {

struct EngineOptions {
  std::vector<std::filesystem::path> model_folders;  ///< Searched in order, see ModelStore.
  std::string device = "auto";                       ///< "auto", "cpu" or "cuda".
  int threads = 0;                                   ///< 0: all cores.
  std::string kernels = "fast";                      ///< "fast" or "plain", see kernels/choice.h.
  std::string precision = "auto";                    ///< "auto", "half" or "float", see Session.
  double memory_limit_gib = 0;                       ///< 0: what is free now.
};

/// What is asked of a run besides its settings.
struct RunRequest {
  ResolvedSettings resolved;
  std::filesystem::path out = "out";  ///< Pictures go to OUT/BATCH/.
  double checkpoint_seconds = 30;     ///< Time between checkpoints; 0: after every step.
  /// Set by a signal handler: the run checkpoints and throws Interrupted after the step that it is in.
  const std::atomic<bool>* interrupt = nullptr;
};

struct RunStarted {
  int pictures = 1;
  int steps = 0;  ///< Guided steps a picture.
  std::int64_t width = 0, height = 0, seed = 0;
  std::string device;
  bool resumed = false;
  std::string plan = {};  ///< What the run gives up to fit into memory, as plan_text() says it; empty: nothing.
};

struct StepDone {
  int picture = 0;  ///< From 0.
  int step = 0;     ///< Steps done of this picture, from 1.
  int steps = 0;
  double loss = 0;          ///< Sum of this step's logged losses over models and batches, divided by their number.
  double seconds = 0;       ///< Of this step.
  double seconds_left = 0;  ///< For all pictures of the run, estimated.
  bool clamped = false;     ///< clamp_grad cut the gradient of this step.
  /// x̂0 every display_rate steps and at the last; else null. Of this step, but from a GPU of the last that has arrived.
  const Picture* preview = nullptr;
};

/// Hears what happens in a run, on the run's thread.
class RunListener {
 public:
  virtual ~RunListener() = default;
  virtual void started(const RunStarted&) {}
  virtual void loading(const std::string& /*model*/) {}
  virtual void step_done(const StepDone&) {}
  virtual void partial_saved(const std::filesystem::path&) {}
  virtual void picture_saved(const std::filesystem::path&) {}
  virtual void warning(const std::string&) {}
};

struct RunResult {
  std::vector<std::filesystem::path> pictures;  ///< Finished pictures, in order.
};

struct DraftRequest {
  RunRequest run;
  int count = 16;         ///< Drafts; draft k is drawn from seed + k.
  double stop_at = 0.45;  ///< Share of the steps after which a draft stops.
};

struct DraftResult {
  std::filesystem::path sheet;                ///< Contact sheet with the drafts' numbers, from 1.
  std::vector<std::filesystem::path> drafts;  ///< One checkpoint (.draft) each, for finish().
};

/// Bytes, by part.
struct MemoryEstimate {
  std::vector<std::pair<std::string, std::uint64_t>> parts;  ///< "diffusion weights", "CLIP ViT-B/32 cutouts", …
  std::uint64_t peak = 0;
  std::uint64_t unplanned_peak = 0;  ///< If the run gave up nothing.
  MemoryPlan plan;                   ///< What the run gives up: the least that fits, or all that there is to give up.
  std::uint64_t available = 0;
  bool fits() const { return peak <= available; }
  std::string suggestion;  ///< The nearest settings that fit, when it does not.
};

/// Predicted peaks, in bytes.
struct MemoryTable {
  struct Cell {
    std::uint64_t unplanned = 0,
                  planned = 0;  ///< Giving up nothing, and as little as fits (or all, when nothing does).
  };
  struct Row {
    std::string name;
    std::vector<Cell> cells;
  };
  std::string title, across;  ///< `across` says what the columns are.
  std::vector<std::string> columns;
  std::vector<Row> rows;
};

struct TensorSummary {
  std::string name, dtype;
  std::vector<std::int64_t> shape;
};

/// What `disco models inspect` shows of a weights file.
struct FileInspection {
  std::string format;
  std::string role;       ///< Recognised role; empty: none.
  nlohmann::json config;  ///< Recognised configuration.
  std::uint64_t parameters = 0;
  std::vector<TensorSummary> tensors;
  std::map<std::string, std::string> metadata;
};

class Engine {
 public:
  virtual ~Engine() = default;

  /// Draws; every finished picture lies whole on the disk before the next is begun. Throws RequestError, MemoryError,
  /// Interrupted, Error.
  virtual RunResult run(const RunRequest& request, RunListener& listener) = 0;
  /// Goes on with the newest unfinished run at or below `path` (a checkpoint, an output folder), to the same bits as
  /// if it had never stopped.
  virtual RunResult resume(const std::filesystem::path& path, double checkpoint_seconds,
                           const std::atomic<bool>* interrupt, RunListener& listener) = 0;
  virtual DraftResult draft(const DraftRequest& request, RunListener& listener) = 0;
  /// Carries on drafts of the newest draft sheet at or below `path` by their numbers (from 1), with the request's
  /// settings.
  virtual RunResult finish(const std::filesystem::path& path, const std::vector<int>& numbers,
                           const RunRequest& request, RunListener& listener) = 0;

  /// Models that are not installed count with their published shapes.
  virtual MemoryEstimate estimate(const Settings& settings) = 0;
  virtual std::vector<MemoryTable> memory_tables(const Settings& settings) = 0;
  /// Machine, libraries, models, memory and what fits, as an object of sections.
  virtual nlohmann::ordered_json doctor() = 0;
  /// Settings that the named diffusion model recommends (its NAME.model.json's config.recommended), with those of the
  /// models used by default when nothing is installed; empty when it has none.
  virtual nlohmann::ordered_json recommended_settings(const std::string& diffusion_model) = 0;
  /// Words of the prompts that a CLIP model of the settings has never seen, by model.
  virtual std::map<std::string, std::vector<std::string>> unknown_words(const Settings& settings) = 0;

  virtual std::vector<ModelEntry> list_models() = 0;
  virtual const std::vector<CatalogEntry>& known_models() = 0;
  virtual FileInspection inspect(const std::filesystem::path& file) = 0;
  virtual ModelEntry add_model(const std::filesystem::path& file, const std::string& name) = 0;
  virtual void remove_model(const std::string& name) = 0;
  virtual std::vector<ModelStore::Verdict> verify_models() = 0;
  virtual ModelEntry pull_model(const std::string& name, const ModelStore::PullOptions& options) = 0;
};

/// The one symbol that the program looks up. `version` is the program's; a mismatch returns null.
using CreateEngine = Engine* (*)(const char* version, const EngineOptions& options);

}  // namespace disco

extern "C" disco::Engine* disco_create_engine(const char* version, const disco::EngineOptions& options);
