#include "train/train.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include <chrono>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "core/file.h"
#include "train/adamw.h"
#include "train/checkpoint.h"
#include "train/task.h"

namespace disco {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double learning_rate(const TrainRequest& r, std::int64_t step) {
  const double done = static_cast<double>(step), steps = static_cast<double>(r.steps);
  double rate = r.learning_rate;
  if (r.warmup > 0) rate *= std::min(1.0, (done + 1) / static_cast<double>(r.warmup));
  const double start = steps * (1 - r.decay);
  if (done > start) rate *= 0.5 * (1 + std::cos(std::numbers::pi * (done - start) / (steps - start)));
  return rate;
}

/// The mean follows quickly at first, when the weights are still far from good.
double mean_decay(const TrainRequest& r, std::int64_t step) {
  return std::min(r.ema, (1.0 + static_cast<double>(step)) / (10.0 + static_cast<double>(step)));
}

/// What a checkpoint must agree with; lengths and rates may change between the parts of a training.
nlohmann::json identity(const TrainRequest& r, const Task& task) {
  return {{"role", r.role},
          {"seed", r.seed},
          {"batch", r.batch},
          {"picture_size", r.picture_size},
          {"config", task.config()}};
}

StateDict trainable(const StateDict& tensors) {
  StateDict chosen;
  for (const auto& [name, tensor] : tensors) {
    if (tensor.is_floating_point()) chosen[name] = tensor;
  }
  return chosen;
}

class Training {
 public:
  Training(const TrainRequest& request, TrainEvents& events)
      : request_(completed(request)), events_(events), file_(request_.run_folder / "checkpoint.safetensors") {
    if (request_.threads > 0) at::set_num_threads(request_.threads);
    task_ = request_.role == "clip" ? clip_task(request_) : diffusion_task(request_);
  }

  void run() {
    begin();
    const std::int64_t first = step_;
    const auto start = Clock::now();
    auto last_checkpoint = start, last_look = start;
    task_->start(tensors_, step_);
    while (step_ < request_.steps) {
      one_step();
      const double seconds = seconds_since(start), done = static_cast<double>(step_ - first);
      const double left = static_cast<double>(request_.steps - step_);
      events_.progress({step_, request_.steps, loss_, learning_rate(request_, step_ - 1),
                        done * static_cast<double>(request_.batch) / seconds, seconds / done * left});
      const bool stop = events_.stop_asked();
      if (stop || seconds_since(last_checkpoint) > 60 * request_.checkpoint_minutes) {
        save();
        last_checkpoint = Clock::now();
      }
      if (stop) {
        throw Interrupted(fmt::format("training stopped after {} of {} steps", step_, request_.steps), file_.string(),
                          "run the same command again to go on");
      }
      if (request_.sheet_minutes > 0 && seconds_since(last_look) > 60 * request_.sheet_minutes) {
        look();
        last_look = Clock::now();
      }
    }
    save();
    if (request_.sheet_minutes > 0) look();
    if (!request_.export_folder.empty()) {
      nlohmann::json config = task_->config();
      if (const nlohmann::json recommended = task_->recommended(); !recommended.empty())
        config["recommended"] = recommended;
      const fs::path weights = export_model(request_.export_folder, request_.name, request_.role, shown(), config);
      events_.note("wrote " + weights.string());
    }
  }

 private:
  void begin() {
    const nlohmann::json mine = identity(request_, *task_);
    std::optional<TrainCheckpoint> checkpoint = load_checkpoint(file_);
    if (checkpoint && checkpoint->identity != mine) {
      throw RequestError("the run folder holds another training: " + checkpoint->identity.dump(), file_.string(),
                         "choose another run folder, or ask for the same training");
    }
    tensors_ = checkpoint ? checkpoint->tensors : task_->initial();
    for (auto& [name, tensor] : tensors_) {
      // A third faster for convolutions on small grids.
      if (tensor.dim() == 4) tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
    }
    const StateDict parameters = trainable(tensors_);
    optimiser_.emplace(parameters,
                       AdamWSettings{.weight_decay = request_.weight_decay, .clip_gradient = request_.clip_gradient});
    if (checkpoint) {
      step_ = checkpoint->step;
      loss_ = checkpoint->loss;
      for (const auto& [name, tensor] : parameters)
        mean_[name] = at::empty_like(tensor).copy_(checkpoint->mean.at(name));
      optimiser_->restore(step_, checkpoint->first_moments, checkpoint->second_moments);
      events_.note(fmt::format("going on from step {} of {}", step_, file_.string()));
    } else {
      for (const auto& [name, tensor] : parameters) mean_[name] = tensor.detach().clone();
    }
    for (const auto& [name, tensor] : parameters) {
      tensor.set_requires_grad(true);
      parameters_.push_back(tensor);
    }
  }

  void one_step() {
    const at::Tensor loss = task_->loss(step_);
    const double value = loss.item<double>();
    if (!std::isfinite(value)) {
      throw Error(fmt::format("the loss is no number any more at step {}", step_), request_.run_folder.string(),
                  "go on from the last checkpoint with a lower learning rate");
    }
    const auto gradients =
        torch::autograd::grad({loss}, parameters_, {}, /*retain_graph=*/false, /*create_graph=*/false,
                              /*allow_unused=*/true);
    std::vector<at::Tensor> complete(gradients.begin(), gradients.end());
    for (std::size_t i = 0; i < complete.size(); ++i) {
      if (!complete[i].defined()) complete[i] = at::zeros_like(parameters_[i]);
    }
    optimiser_->step(std::move(complete), learning_rate(request_, step_));
    task_->after_step();
    move_mean(mean_, tensors_, mean_decay(request_, step_));
    const double share = std::max(0.01, 1.0 / static_cast<double>(step_ + 1));
    loss_ += share * (value - loss_);
    ++step_;
  }

  void save() {
    save_checkpoint(file_, {step_, loss_, identity(request_, *task_), tensors_, mean_, optimiser_->first_moments(),
                            optimiser_->second_moments()});
    events_.note(fmt::format("checkpoint at step {}: {}", step_, file_.string()));
  }

  /// The mean of the trained tensors, and the others.
  StateDict shown() const {
    StateDict all = mean_;
    for (const auto& [name, tensor] : tensors_) all.emplace(name, tensor);
    return all;
  }

  void look() {
    const at::NoGradGuard no_grad;
    events_.note(task_->look(shown(), step_));
  }

  TrainRequest request_;
  TrainEvents& events_;
  fs::path file_;
  std::unique_ptr<Task> task_;
  StateDict tensors_, mean_;
  std::vector<at::Tensor> parameters_;
  std::optional<AdamW> optimiser_;
  std::int64_t step_ = 0;
  double loss_ = 0;
};

}  // namespace

TrainRequest completed(TrainRequest r) {
  const auto demand = [](bool good, const char* problem, const char* key) {
    if (!good) throw RequestError(problem, key);
  };
  demand(r.role == "diffusion" || r.role == "clip", "the role to train is diffusion or clip", "role");
  demand(!r.run_folder.empty(), "a training needs a folder for its checkpoint", "run_folder");
  const bool clip = r.role == "clip";
  if (r.name.empty()) r.name = clip ? "pocket-clip" : "pocket-diffusion";
  if (r.batch == 0) r.batch = clip ? 96 : 16;
  if (r.learning_rate == 0) r.learning_rate = clip ? 6e-4 : 8e-4;
  demand(r.steps >= 1, "steps must be 1 or more", "steps");
  demand(r.batch >= 1 && r.batch <= 4096, "the batch must be 1 to 4096", "batch");
  demand(r.learning_rate > 0 && r.learning_rate < 1, "the learning rate must be above 0 and below 1", "learning_rate");
  demand(r.decay >= 0 && r.decay <= 1, "decay is a share from 0 to 1", "decay");
  demand(r.ema >= 0 && r.ema < 1, "ema must be 0 or more and below 1", "ema");
  demand(r.guess_share >= 0 && r.guess_share <= 1, "guess_share is a share from 0 to 1", "guess_share");
  demand(r.variety >= 0 && r.variety <= 1, "variety is a share from 0 to 1", "variety");
  demand(r.painters >= 1 && r.painters <= 64, "painters must be 1 to 64", "painters");
  demand(r.picture_size >= 16 && r.picture_size <= 512 && r.picture_size % 16 == 0,
         "the picture size must be a multiple of 16 from 16 to 512", "picture_size");
  return r;
}

void train(const TrainRequest& request, TrainEvents& events) { Training(request, events).run(); }

}  // namespace disco

extern "C" void disco_train(const disco::TrainRequest& request, disco::TrainEvents& events) {
  disco::train(request, events);
}
