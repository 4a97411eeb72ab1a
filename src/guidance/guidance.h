// The guidance gradient of one evaluation. GUIDED-STEP "Guidance gradient".
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "diffusion/denoiser.h"
#include "guidance/cutouts.h"
#include "guidance/targets.h"
#include "kernels/recordings.h"
#include "models/clip.h"
#include "models/lpips.h"

namespace disco {

/// A CLIP model of the mix with what it looks for.
struct GuidanceModel {
  std::string name;
  std::shared_ptr<const Clip> clip;
  Schedule weight;
  Targets targets;
};

/// What an evaluation reports.
struct GuidanceReport {
  std::vector<double> losses;  ///< One a model and batch, in order.
  bool not_finite = false;     ///< The accumulated gradient held a NaN or infinity; guidance was zero.
  bool clamped = false;        ///< clamp_grad cut the gradient.
  double magnitude = 0;        ///< Root mean square of the gradient before the clamp.
};

/// The numbers of a report while they lie on the device: to be read once the step is on its way.
struct GuidanceNumbers {
  at::Tensor values;  ///< The losses, whether the gradient was not finite, its size; undefined: no evaluation.
  double limit = std::numeric_limits<double>::infinity();  ///< Of the size.

  /// Waits for the device.
  GuidanceReport read() const;
};

/// x̂0 of x (1,3,H,W) at step `cur`, differentiable by x, never clamped: the secondary model's or the UNet's.
using CleanPrediction = std::function<at::Tensor(const at::Tensor& x, int cur)>;

class Guidance {
 public:
  struct Parts {
    const NoiseSchedule* schedule = nullptr;
    CleanPrediction predict;
    std::vector<GuidanceModel> models;
    std::shared_ptr<const Lpips> lpips;  ///< Null when neither init_scale nor a symmetry loss needs it.
    at::Tensor init;                     ///< (1,3,H,W) in [-1,1], or undefined.
    RandomStreams* streams = nullptr;
    int first_step = 0;    ///< The index i of the run's first step.
    int cuts_at_once = 0;  ///< How many cutouts a CLIP model sees together (0: all), which only memory and time feel.
    bool half = false;     ///< The networks compute in half precision: gradients are scaled on their way through them.
    std::shared_ptr<Recordings> recordings;  ///< Of the looking on a GPU; null: none.
  };

  Guidance(const Settings& settings, Parts parts);

  /// The gradient at x (1,3,H,W) of the log-likelihood that the guidance adds; see GuidanceFunction. Draws cutouts and
  /// fills numbers(). Waits for nothing on the device. Never undefined.
  at::Tensor gradient(const at::Tensor& x, int i, int cur);

  /// Of the last evaluation.
  const GuidanceNumbers& numbers() const { return numbers_; }
  GuidanceReport report() const { return numbers_.read(); }
  /// Multiplies clip_guidance_scale and clamp_max from the next evaluation on (1: as set; 0: no guidance by CLIP), so
  /// that a failed step can be retried more carefully. Faithful runs ignore it.
  void set_caution(double caution) { caution_ = caution; }
  /// guidance_every: the gradient kept for steps in between (undefined: none yet); part of a checkpoint.
  const at::Tensor& kept_gradient() const { return kept_; }
  void keep_gradient(at::Tensor gradient) { kept_ = std::move(gradient); }

 private:
  at::Tensor clip_gradient(const at::Tensor& x_in, int i, int entry);
  /// What a model sees at a time: one batch of cutouts or more.
  struct Glance {
    const GuidanceModel* model = nullptr;
    CutoutSettings cuts;
    double factor = 0;  ///< Of the mean distance over a batch, in the loss.
    int first = 0, batches = 0;
    std::vector<at::Tensor> pictures, by_pictures;  ///< Cutouts of each batch, and the loss's gradients by them.
  };
  /// All of a step, without pictures yet.
  std::vector<Glance> glances(bool all_batches_together, double scale, int entry) const;
  /// Whether each thread makes a model's cutouts: small ones, at whose operators threads would wait for each other.
  bool cuts_side_by_side(const at::Tensor& x_in, const std::vector<Glance>& glances) const;
  void cut(Glance& glance, const at::Tensor& x_in, int i) const;
  void look(Glance& glance, int entry);
  static at::Tensor gradient_through_cutouts(Glance& glance, const at::Tensor& x_in);
  /// Cutouts of a batch for a model, normalised; differentiable by x_in.
  at::Tensor cutouts_for(const GuidanceModel& model, const at::Tensor& x_in, const CutoutSettings& cuts, int i,
                         int batch) const;
  /// What a model makes of cutouts (N,3,S,S): its distance from the targets to each, and the gradients of these by the
  /// cutouts, `seed` times.
  struct Looked {
    at::Tensor distances, gradients;
  };
  Looked look(const GuidanceModel& model, const at::Tensor& pictures, const at::Tensor& weights, double seed);
  Looked look_at(const GuidanceModel& model, const at::Tensor& seen, const at::Tensor& weights, double seed);
  static Looked look_alone(const GuidanceModel& model, const at::Tensor& seen, const at::Tensor& weights, double seed);
  /// The losses that act on x_in itself; undefined when all are off.
  at::Tensor picture_loss(const at::Tensor& x_in, int i, int entry) const;
  at::Tensor clamped(const at::Tensor& gradient, const at::Tensor& magnitude, int entry) const;
  /// The gradient by x from those by what the prediction makes of it.
  at::Tensor through_prediction(const std::vector<at::Tensor>& outputs, const at::Tensor& x,
                                std::vector<at::Tensor> gradients) const;

  Settings settings_;
  Parts parts_;
  GuidanceNumbers numbers_;
  std::vector<at::Tensor> losses_;  ///< Of the evaluation that is under way.
  double caution_ = 1;
  at::Tensor kept_;
};

/// The schedule entry of a step: 1000 − (floor(t) + 1), t = model_time(i).
int schedule_entry(const NoiseSchedule& schedule, int i);

}  // namespace disco
