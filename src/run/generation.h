// One picture: from noise to x̂0, step by step. Everything that it carries can be saved after any step and restored.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "diffusion/noise_schedule.h"
#include "guidance/guidance.h"
#include "run/memory_plan.h"
#include "run/session.h"
#include "run/watchdog.h"
#include "sampler/sampler.h"
#include "settings/settings.h"
#include "tensor/random.h"

namespace disco {

/// Everything that a picture carries between steps.
struct PictureState {
  SamplerState sampler;
  int first = 0;             ///< The step that the picture was begun at.
  at::Tensor shown;          ///< The last unguided x̂0; undefined before the first step.
  at::Tensor kept_gradient;  ///< See Guidance::kept_gradient().
  at::Tensor stream;         ///< State of the shared random stream (faithful mode).
  WatchdogMemory watchdog;
  std::vector<double> losses;        ///< Every logged loss, in order.
  std::vector<double> step_seconds;  ///< Of each step done.
  int clamped_steps = 0;
  std::vector<std::string> incidents;  ///< What the watchdog met, and what it did.
};

/// The networks and targets of a run; built once, used by each of its pictures.
struct RunModels {
  std::shared_ptr<const UNet> unet;
  std::shared_ptr<const SecondaryModel> secondary;  ///< Null in primary mode.
  std::vector<GuidanceModel> clip;
  std::shared_ptr<const Lpips> lpips;        ///< Null when no loss asks for it.
  std::shared_ptr<const Upscaler> upscaler;  ///< Null when pictures are saved as drawn.
  /// Of these networks on a GPU, where their weights stay there.
  std::shared_ptr<Recordings> recordings = std::make_shared<Recordings>();
};

/// Whether a loss compares by LPIPS.
bool needs_lpips(const Settings& settings);
/// Name and role of each model that the settings draw with.
std::vector<std::pair<std::string, std::string>> models_of(const Settings& settings);
/// What must be known before any work. Throws RequestError, with the command that gets it, for a model that is not
/// there.
void require_models(const Settings& settings, const ModelStore& store);
/// Loads what the settings name. The CLIP models' targets are left empty.
RunModels load_models(const Settings& settings, Session& session);
/// Embeds the prompts for frame 0. Draws from `streams` when prompts are fuzzy or pictures.
void embed_prompts(const Settings& settings, Session& session, RandomStreams& streams, RunModels& models,
                   std::vector<std::string>* warnings);

/// Lets go of the CLIP models' text sides, when no prompt will be embedded again.
void give_up_text(Session& session, RunModels& models);

struct StepOutcome {
  at::Tensor shown;            ///< Unguided x̂0 of this step, (1,3,H,W), where it was computed.
  std::vector<double> losses;  ///< Logged by this step's evaluations.
  bool clamped = false;
  bool not_finite = false;  ///< The guidance's gradient held a NaN or infinity, and was left out.
  double push = 0;          ///< See WatchedStep.
  double seconds = 0;
  std::vector<std::string> incidents;
};

class Generation {
 public:
  /// Draws the init and the starting noise. `models` and `streams` must outlive the generation. Of the plan
  /// only what the models were loaded with may change the picture.
  Generation(const Settings& settings, const RunModels& models, RandomStreams& streams, at::Device device,
             const MemoryPlan& plan = {});

  /// Steps that this picture takes in all, and has taken.
  int steps() const { return first_ - last_ + 1; }
  int steps_done() const { return static_cast<int>(state_.step_seconds.size()); }
  bool done() const { return state_.sampler.i < last_; }

  /// Does one step. In native mode a step that goes wrong is rolled back and tried again with less guidance, at most
  /// three times; throws Error when the picture cannot be saved. Faithful runs only report.
  StepOutcome step();

  /// To save and to restore; `restore` takes a state of the same settings.
  PictureState state() const;
  void restore(PictureState state);
  /// Starts from another run's noisy picture x whose ᾱ is `alpha_cumprod`: at the step whose ᾱ is nearest below.
  void carry_on(const at::Tensor& x, double alpha_cumprod);
  /// ᾱ of the noisy picture that the next step starts from (1 when done).
  double alpha_cumprod() const;

 private:
  at::Tensor predict_clean(const at::Tensor& x, int cur);
  at::Tensor epsilon(const at::Tensor& x, int i);
  at::Tensor network(const at::Tensor& x, int i) const;  ///< The UNet's first three channels.
  /// Normals of x's shape from a stream of the picture.
  at::Tensor noise(const StreamKey& key);
  /// Mirrors and inpaints x before a step.
  void prepare_x();
  at::Tensor advance(StepOutcome& outcome);
  bool uses_plms() const;

  Settings settings_;
  const RunModels& models_;
  RandomStreams& streams_;
  at::Device device_;
  MemoryPlan plan_;
  NoiseSchedule schedule_;
  int first_ = 0, last_ = 0;  ///< The run goes from step first_ down to last_.
  at::Tensor init_, inpaint_mask_, class_label_;
  std::unique_ptr<Guidance> guidance_;
  Watchdog watchdog_;
  PictureState state_;
  /// The UNet's last evaluation for a gradient (primary mode), until its step takes it for ε.
  struct Evaluation {
    at::Tensor x, output;
    int i = -1;
  } evaluated_;
};

}  // namespace disco
