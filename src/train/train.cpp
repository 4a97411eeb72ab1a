#include "train/train.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include <chrono>
#include <cmath>
#include <numbers>
#include <optional>

#include "core/error.h"
#include "core/file.h"
#include "kernels/page_keeper.h"
#include "train/adamw.h"
#include "train/checkpoint.h"
#include "train/image_folder.h"
#include "train/log.h"
#include "train/pocket.h"
#include "train/start_model.h"
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

/// What a checkpoint must agree with; lengths, rates and the precision may change between the parts of a training.
nlohmann::json identity(const TrainRequest& r, const Task& task, const ImageFolder* folder, const StartModel* start) {
  nlohmann::json what = {{"role", r.role},
                         {"seed", r.seed},
                         {"batch", r.batch},
                         {"picture_size", r.picture_size},
                         {"config", task.config()}};
  if (r.accumulate > 1) what["accumulate"] = r.accumulate;
  if (r.reuse > 1) what["reuse"] = r.reuse;
  if (folder) what["data"] = {{"sha256", folder->fingerprint()}, {"mirror", r.mirror}};
  if (start) what["from"] = start->sha256;
  return what;
}

/// Statistics of batch norms are kept as they are.
bool is_trained(const std::string& name, const at::Tensor& tensor) {
  return tensor.is_floating_point() && !name.ends_with("running_mean") && !name.ends_with("running_var");
}

StateDict trainable(const StateDict& tensors) {
  StateDict chosen;
  for (const auto& [name, tensor] : tensors) {
    if (is_trained(name, tensor)) chosen[name] = tensor;
  }
  return chosen;
}

std::unique_ptr<Task> make_task(const TrainRequest& request) {
  if (request.role == "clip") return clip_task(request);
  if (request.role == "secondary") return secondary_task(request);
  if (request.role == "upscaler") return upscaler_task(request);
  if (request.role == "judge") return judge_task(request);
  return diffusion_task(request);
}

/// Found out now rather than after hours.
void require_writable(const fs::path& folder, const char* what) {
  try {
    fs::create_directories(folder);
    AtomicFile(folder / "disco-probe").write("x");  // Never committed: it leaves nothing.
  } catch (const fs::filesystem_error& error) {
    throw RequestError(fmt::format("the {} cannot be made ({})", what, error.code().message()), folder.string(),
                       "choose another folder");
  } catch (const Error& error) {
    throw RequestError(fmt::format("the {} cannot be written: {}", what, error.problem()), folder.string(),
                       "choose another folder, or make room there");
  }
}

/// Whether the processor multiplies bfloat16 itself. Where it does not, LibTorch's kernels imitate it.
bool computes_bfloat16() {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return true;
#endif
}

/// While it lives, convolutions and products of matrices are computed in bfloat16. Weights are cast once.
class MixedPrecision {
 public:
  MixedPrecision(bool on, at::DeviceType device) : on_(on), device_(device) {
    if (!on_) return;
    at::autocast::set_autocast_dtype(device_, at::kBFloat16);
    at::autocast::set_autocast_enabled(device_, true);
    at::autocast::set_autocast_cache_enabled(true);
  }
  ~MixedPrecision() {
    if (!on_) return;
    at::autocast::set_autocast_enabled(device_, false);
    at::autocast::clear_cache();
  }
  MixedPrecision(const MixedPrecision&) = delete;
  MixedPrecision& operator=(const MixedPrecision&) = delete;

 private:
  bool on_;
  at::DeviceType device_;
};

/// Sets the number of threads for as long as it lives.
class ThreadCount {
 public:
  explicit ThreadCount(int threads) : before_(at::get_num_threads()) {
    if (threads > 0) at::set_num_threads(threads);
  }
  ~ThreadCount() { at::set_num_threads(before_); }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;

 private:
  int before_;
};

class Training {
 public:
  Training(const TrainRequest& request, TrainEvents& events)
      : request_(completed(request)),
        events_(events),
        file_(request_.run_folder / "checkpoint.safetensors"),
        threads_(request_.threads),
        device_(request_.device) {
    keep_pages();
    if (request_.precision == "bfloat16" && device_.is_cpu() && !computes_bfloat16()) {
      events_.note("this processor has no arithmetic for bfloat16: float32 is many times as fast here");
    }
    if (!request_.data.empty()) {
      folder_ = std::make_shared<const ImageFolder>(
          request_.data, ImageFolder::Options{.seed = request_.seed, .mirror = request_.mirror});
      request_.pictures = folder_;
      pass_on_notes();
      events_.note(fmt::format("{} pictures in {}", folder_->count(), request_.data.string()));
    }
    if (!request_.diffusion_model.empty() && !fs::is_regular_file(request_.diffusion_model)) {
      throw RequestError("there is no such weights file to take guesses of", request_.diffusion_model.string(),
                         "give --guesses-of the weights of a diffusion model");
    }
    require_writable(request_.run_folder, "run folder");
    if (!request_.export_folder.empty()) require_writable(request_.export_folder, "export folder");
    nlohmann::ordered_json asked = to_json(request_);
    if (!request_.from.empty()) {
      start_ = start_model(request_);
      request_.config = start_->config;
      if (request.picture_size == 0 && start_->config.contains("image_size")) {
        request_.picture_size = start_->config["image_size"];
        request_ = completed(request_);
        asked["picture_size"] = request_.picture_size;
      }
    }
    task_ = make_task(request_);
    if (start_) grow();
    begin();
    const nlohmann::ordered_json about = {{"version", DISCO_VERSION}, {"request", asked}};
    write_file(request_.run_folder / "request.json", about.dump(2) + "\n");
    log_.emplace(request_.run_folder / "log.csv", step_);
  }

  void run() {
    const std::int64_t first = step_;
    const auto start = Clock::now();
    auto last_checkpoint = start, last_look = start;
    task_->start(tensors_, step_ * request_.accumulate);
    if (start_ && step_ == 0 && request_.sheet_minutes > 0) look();  // What the model did before.
    while (step_ < request_.steps) {
      const double value = one_step();
      const double seconds = seconds_since(start), done = static_cast<double>(step_ - first);
      const double left = static_cast<double>(request_.steps - step_), rate = learning_rate(request_, step_ - 1);
      const double speed = done * static_cast<double>(request_.batch * request_.accumulate) / seconds;
      if (!log_->add(step_, value, rate, speed)) {
        events_.note(fmt::format("{}: cannot be written any more; steps after {} are missing from it",
                                 (request_.run_folder / "log.csv").string(), step_ - 1));
      }
      pass_on_notes();
      events_.progress({step_, request_.steps, loss_, rate, speed, seconds / done * left});
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
      // What suits our small networks does not suit another's.
      const nlohmann::json recommended = start_ ? start_->recommended : task_->recommended();
      if (!recommended.empty()) config["recommended"] = recommended;
      const fs::path weights = export_model(request_.export_folder, request_.name, request_.role, shown(), config);
      events_.note("wrote " + weights.string());
    }
  }

 private:
  void grow() {
    std::vector<std::string> notes;
    start_->tensors = task_->grown(std::move(start_->tensors), notes);
    for (const std::string& note : notes) events_.note(note);
  }

  void begin() {
    const nlohmann::json mine = identity(request_, *task_, folder_.get(), start_ ? &*start_ : nullptr);
    std::optional<TrainCheckpoint> checkpoint = load_checkpoint(file_);
    if (checkpoint && checkpoint->identity != mine) {
      throw RequestError("the run folder holds another training: " + checkpoint->identity.dump(), file_.string(),
                         "choose another run folder, or ask for the same training");
    }
    identity_ = mine;
    if (checkpoint) {
      tensors_ = checkpoint->tensors;
    } else {
      tensors_ = start_ ? std::move(start_->tensors) : task_->initial();
    }
    if (start_) start_->tensors.clear();
    for (auto& [name, tensor] : tensors_) {
      // A third faster for convolutions on small grids.
      if (tensor.dim() == 4) tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
      tensor = tensor.to(device_);
    }
    const StateDict parameters = trainable(tensors_);
    optimiser_.emplace(parameters,
                       AdamWSettings{.weight_decay = request_.weight_decay, .clip_gradient = request_.clip_gradient});
    if (checkpoint) {
      require_complete(*checkpoint, parameters);
      step_ = checkpoint->step;
      loss_ = checkpoint->loss;
      for (const auto& [name, tensor] : parameters)
        mean_[name] = at::empty_like(tensor).copy_(checkpoint->mean.at(name));
      optimiser_->restore(step_, checkpoint->first_moments, checkpoint->second_moments);
      events_.note(fmt::format("going on from step {} of {}", step_, file_.string()));
    } else {
      for (const auto& [name, tensor] : parameters) mean_[name] = tensor.detach().clone();
      if (start_) events_.note("starting from " + start_->file.string());
    }
    for (const auto& [name, tensor] : parameters) {
      tensor.set_requires_grad(true);
      parameters_.push_back(tensor);
    }
  }

  /// A file may be whole and still not be what was written.
  void require_complete(const TrainCheckpoint& checkpoint, const StateDict& parameters) const {
    for (const StateDict* part : {&checkpoint.mean, &checkpoint.first_moments, &checkpoint.second_moments}) {
      for (const auto& [name, tensor] : parameters) {
        const auto found = part->find(name);
        if (found == part->end() || found->second.sizes() != tensor.sizes()) {
          throw FormatError("the checkpoint lacks the state of " + name, file_.string(), checkpoint_advice);
        }
      }
    }
  }

  /// The gradients of the mean of the micro-batches' losses.
  double one_step() {
    std::vector<at::Tensor> sum;
    double value = 0;
    const auto share = 1 / static_cast<double>(request_.accumulate);
    for (std::int64_t part = 0; part < request_.accumulate; ++part) {
      at::Tensor loss;
      {
        const MixedPrecision precision(request_.precision == "bfloat16", device_.type());
        loss = task_->loss(step_ * request_.accumulate + part);
      }
      value += loss.item<double>() * share;
      if (!std::isfinite(value)) {
        throw Error(fmt::format("the loss is no number any more at step {}", step_), request_.run_folder.string(),
                    "go on from the last checkpoint with a lower learning rate");
      }
      if (request_.accumulate > 1) loss = loss * share;
      auto gradients = torch::autograd::grad({loss}, parameters_, {}, /*retain_graph=*/false, /*create_graph=*/false,
                                             /*allow_unused=*/true);
      if (sum.empty()) {
        sum.assign(gradients.begin(), gradients.end());
        continue;
      }
      for (std::size_t i = 0; i < sum.size(); ++i) {
        if (!gradients[i].defined()) continue;
        sum[i] = sum[i].defined() ? sum[i] + gradients[i] : gradients[i];
      }
    }
    for (std::size_t i = 0; i < sum.size(); ++i) {
      if (!sum[i].defined()) sum[i] = at::zeros_like(parameters_[i]);
    }
    optimiser_->step(std::move(sum), learning_rate(request_, step_));
    task_->after_step();
    move_mean(mean_, tensors_, mean_decay(request_, step_));
    const double weight = std::max(0.01, 1.0 / static_cast<double>(step_ + 1));
    loss_ += weight * (value - loss_);
    ++step_;
    return value;
  }

  void save() {
    try {
      save_checkpoint(
          file_, {step_, loss_, identity_, tensors_, mean_, optimiser_->first_moments(), optimiser_->second_moments()});
    } catch (const Error& error) {
      const std::string old = fs::exists(file_) ? "the checkpoint before it is still whole: " : "";
      throw Error(fmt::format("the checkpoint of step {} could not be written: {}", step_, error.problem()),
                  file_.string(), old + "make room there and run the same command again");
    }
    events_.note(fmt::format("checkpoint at step {}: {}", step_, file_.string()));
  }

  void pass_on_notes() {
    if (!folder_) return;
    for (const std::string& note : folder_->take_notes()) events_.note(note);
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
  ThreadCount threads_;
  at::Device device_;
  std::shared_ptr<const ImageFolder> folder_;
  std::optional<StartModel> start_;  ///< Its tensors move to tensors_.
  std::unique_ptr<Task> task_;
  nlohmann::json identity_;
  std::optional<TrainLog> log_;
  StateDict tensors_, mean_;
  std::vector<at::Tensor> parameters_;
  std::optional<AdamW> optimiser_;
  std::int64_t step_ = 0;
  double loss_ = 0;
};

}  // namespace

void train(const TrainRequest& request, TrainEvents& events) {
  if (request.role == "pocket") {
    train_pocket(request, events, pocket_parts(request.device != "cpu"));
  } else {
    Training(request, events).run();
  }
}

}  // namespace disco

extern "C" void disco_train(const disco::TrainRequest& request, disco::TrainEvents& events) {
  disco::train(request, events);
}
