#include "train/pocket.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/version.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <fstream>
#include <functional>
#include <thread>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/text.h"
#include "kernels/gpu.h"
#include "models/weights/state_dict.h"
#include "train/task.h"

namespace disco {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

/// Of a trial, to find out how long a step takes. The first ones warm up.
constexpr std::int64_t trial_steps = 8, warm_steps = 2;
/// Of a part's time: what checkpoints and looks leave for the steps.
constexpr double time_for_steps = 0.95;
constexpr double seconds_between_records = 30;
constexpr int most_painters = 64;
constexpr const char* gpu_precision = "bfloat16";

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (line.starts_with("model name") && colon != std::string::npos) {
      return std::string(trim(std::string_view(line).substr(colon + 1)));
    }
  }
  return "an unknown processor";
}

/// Passes everything on, and remembers what the record says of a part.
class PartEvents : public TrainEvents {
 public:
  PartEvents(TrainEvents& events, std::function<void()> record) : events_(events), record_(std::move(record)) {}
  void progress(const TrainProgress& now) override {
    last_ = now;
    events_.progress(now);
    if (seconds_since(recorded_) < seconds_between_records) return;
    record_();
    recorded_ = Clock::now();
  }
  void note(const std::string& text) override { events_.note(text); }
  bool stop_asked() override { return events_.stop_asked(); }
  const TrainProgress& last() const { return last_; }

 private:
  TrainEvents& events_;
  std::function<void()> record_;
  Clock::time_point recorded_ = Clock::now();
  TrainProgress last_;
};

/// Takes the time of a trial's steps.
class Stopwatch : public TrainEvents {
 public:
  explicit Stopwatch(TrainEvents& events) : events_(events) {}
  void progress(const TrainProgress& now) override {
    if (now.step == warm_steps) start_ = Clock::now();
    if (now.step == trial_steps) seconds_ = seconds_since(start_) / static_cast<double>(trial_steps - warm_steps);
  }
  void note(const std::string&) override {}
  bool stop_asked() override { return events_.stop_asked(); }
  double seconds_a_step() const { return seconds_; }

 private:
  TrainEvents& events_;
  Clock::time_point start_;
  double seconds_ = 0;
};

class PocketTraining {
 public:
  PocketTraining(const TrainRequest& request, TrainEvents& events, std::span<const PocketPart> parts)
      : request_(request), events_(events), parts_(parts), file_(request.run_folder / "run.json") {
    const auto demand = [](bool good, const char* problem, const char* key) {
      if (!good) throw RequestError(problem, key);
    };
    demand(!request_.run_folder.empty(), "a training needs a folder for its checkpoints", "run_folder");
    demand(request_.data.empty(), "the pocket models learn from painted pictures: train one role from a folder",
           "data");
    demand(request_.from.empty(), "the pocket models start from fresh weights: train one role from a model", "from");
    demand(request_.scale > 0 && request_.scale <= 1000, "scale must be above 0 and at most 1000", "scale");
    demand(request_.minutes >= 0, "minutes must be 0 or more", "minutes");
    if (request_.export_folder.empty()) request_.export_folder = request_.run_folder / "models";
    for (const PocketPart& part : parts_) completed(request_of(part, 1));  // What is wrong shows before hours of work.
    read_record();
  }

  void run() {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const PocketPart& part = parts_[i];
      events_.part(static_cast<int>(i + 1), static_cast<int>(parts_.size()), part.title);
      const std::int64_t steps = steps_of(part);
      if (is_finished(part, steps)) {
        events_.note(fmt::format("{} is finished: {}", part.name, weights(part).string()));
      } else {
        train_part(part, steps);
      }
    }
    record_["finished"] = true;
    write_record();
    events_.note("wrote " + (request_.run_folder / "pocket.md").string());
  }

 private:
  fs::path weights(const PocketPart& part) const { return request_.export_folder / (part.name + ".safetensors"); }

  TrainRequest request_of(const PocketPart& part, std::int64_t steps) const {
    TrainRequest r = request_;
    r.role = part.role;
    r.name = part.name;
    r.run_folder = request_.run_folder / part.title;
    r.steps = steps;
    r.batch = part.batch;
    r.learning_rate = part.learning_rate;
    r.variety = part.variety;
    r.styled = part.styled;
    r.coloured = part.coloured;
    r.near_misses = part.near_misses;
    r.reuse = part.reuse;
    r.config = part.config;
    if (!part.precision.empty()) r.precision = part.precision;
    if (r.device != "cpu" && r.painters == 1) r.painters = static_cast<int>(std::thread::hardware_concurrency());
    r.painters = std::clamp(r.painters, 1, most_painters);
    // Warming up takes no more than a tenth of a short training.
    r.warmup = std::min(r.warmup, std::max<std::int64_t>(1, steps / 10));
    r.diffusion_model = part.sees_guesses ? weights(parts_.front()) : fs::path();
    r.minutes = 0;
    r.scale = 1;
    return r;
  }

  void read_record() {
    if (fs::exists(file_)) {
      try {
        record_ = Json::parse(read_file(file_));
        if (!record_.at("parts").is_object()) throw FormatError("its parts are no object");
      } catch (const std::exception& error) {
        throw FormatError(std::string("the record of the training cannot be read: ") + error.what(), file_.string(),
                          "move it away to begin it anew; parts that were begun go on from their checkpoints");
      }
    }
    const Json asked = to_json(request_);
    const bool same_lengths = record_.contains("request") &&
                              record_["request"].value("minutes", 0.0) == request_.minutes &&
                              record_["request"].value("scale", 1.0) == request_.scale;
    Json parts = record_.value("parts", Json::object());
    if (!same_lengths) {
      for (auto& [title, part] : parts.items()) part.erase("steps");
    }
    record_ = {{"version", DISCO_VERSION}, {"torch", TORCH_VERSION},
               {"cpu", cpu_name()},        {"threads", request_.threads > 0 ? request_.threads : at::get_num_threads()},
               {"command", command()},     {"finished", false},
               {"request", asked},         {"parts", parts}};
    if (request_.device != "cpu") record_["gpu"] = gpu() ? gpu()->name(at::Device(request_.device)) : request_.device;
  }

  std::string command() const {
    std::string text = fmt::format("disco train pocket --run {} --export {} --seed {} --precision {}",
                                   shell_word(request_.run_folder.string()),
                                   shell_word(request_.export_folder.string()), request_.seed, request_.precision);
    if (request_.device != "cpu") text += " --device " + request_.device;
    if (request_.threads > 0) text += fmt::format(" --threads {}", request_.threads);
    if (request_.minutes > 0) {
      text += fmt::format(" --minutes {}", request_.minutes);
    } else if (request_.scale != 1) {
      text += fmt::format(" --scale {}", request_.scale);
    }
    return text;
  }

  void write_record() {
    write_file(file_, record_.dump(2) + "\n");
    write_file(request_.run_folder / "pocket.md", model_card(record_));
  }

  std::int64_t steps_of(const PocketPart& part) {
    Json& known = record_["parts"][part.title];
    if (known.is_object() && known.contains("steps")) return known["steps"];
    if (!known.is_object()) known = Json::object();
    double steps = static_cast<double>(part.steps) * request_.scale;
    if (request_.minutes > 0) steps = time_for_steps * part.share * request_.minutes * 60 / seconds_a_step(part);
    known["steps"] = std::max<std::int64_t>(1, std::llround(steps));
    write_record();
    return known["steps"];
  }

  double seconds_a_step(const PocketPart& part) {
    TrainRequest trial = request_of(part, trial_steps);
    trial.run_folder = request_.run_folder / part.title / "trial";
    trial.export_folder.clear();
    trial.sheet_minutes = 0;
    fs::remove_all(trial.run_folder);
    Stopwatch watch(events_);
    try {
      train(trial, watch);
    } catch (const Interrupted&) {
      fs::remove_all(trial.run_folder);
      throw Interrupted("stopped while trying how long a step takes", trial.run_folder.string(),
                        "run the same command again to go on");
    }
    fs::remove_all(trial.run_folder);
    events_.note(fmt::format("{}: {:.3f} seconds a step", part.title, watch.seconds_a_step()));
    return std::max(watch.seconds_a_step(), 1e-4);
  }

  bool is_finished(const PocketPart& part, std::int64_t steps) const {
    const Json& known = record_["parts"][part.title];
    return known.value("finished", false) && known.value("done", std::int64_t{0}) == steps &&
           fs::exists(weights(part)) && sha256_file(weights(part)) == known.value("sha256", "");
  }

  void train_part(const PocketPart& part, std::int64_t steps) {
    Json& known = record_["parts"][part.title];
    const TrainRequest r = request_of(part, steps);
    known.update({{"role", part.role},
                  {"name", part.name},
                  {"for_drawing", part.for_drawing},
                  {"finished", false},
                  {"request", to_json(completed(r))}});
    const double seconds_before = known.value("seconds", 0.0);
    const auto start = Clock::now();
    PartEvents* told = nullptr;
    const auto record = [&] {
      known["seconds"] = seconds_before + seconds_since(start);
      if (told != nullptr && told->last().step > 0) {
        known["done"] = told->last().step;
        known["loss"] = told->last().loss;
      }
      write_record();
    };
    record();
    PartEvents events(events_, record);
    told = &events;
    try {
      train(r, events);
    } catch (const Interrupted&) {
      record();
      throw;
    }
    known["done"] = steps;
    known["finished"] = true;
    known["sha256"] = sha256_file(weights(part));
    known["bytes"] = fs::file_size(weights(part));
    known["parameters"] = parameter_count(weights(part));
    record();
  }

  static std::int64_t parameter_count(const fs::path& file) {
    std::int64_t count = 0;
    for (const TensorInfo& tensor : inspect_weights(file).tensors) {
      std::int64_t size = at::isFloatingType(tensor.dtype) ? 1 : 0;
      for (const std::int64_t side : tensor.shape) size *= side;
      count += size;
    }
    return count;
  }

  TrainRequest request_;
  TrainEvents& events_;
  std::span<const PocketPart> parts_;
  fs::path file_;
  Json record_ = Json::object();
};

std::span<const PocketPart> parts_for_a_processor() {
  static const std::array<PocketPart, 6> parts = {{
      {.title = "diffusion",
       .role = "diffusion",
       .name = "pocket-diffusion",
       .steps = 6000,
       .batch = 8,
       .learning_rate = 8e-4,
       .share = 0.6},
      {.title = "secondary",
       .role = "secondary",
       .name = "pocket-secondary",
       .steps = 2000,
       .batch = 16,
       .learning_rate = 1e-3,
       .share = 0.08},
      {.title = "clip",
       .role = "clip",
       .name = "pocket-clip",
       .steps = 1000,
       .batch = 64,
       .learning_rate = 6e-4,
       .styled = 0.7,
       .near_misses = 0.7,
       .share = 0.12,
       .sees_guesses = true},
      {.title = "clip-resnet",
       .role = "clip",
       .name = "pocket-clip-resnet",
       .steps = 1000,
       .batch = 64,
       .learning_rate = 6e-4,
       .styled = 0.7,
       .near_misses = 0.7,
       .share = 0.1,
       .sees_guesses = true,
       .config = {{"kind", "resnet"}}},
      {.title = "upscaler",
       .role = "upscaler",
       .name = "pocket-upscaler",
       .steps = 2000,
       .batch = 16,
       .learning_rate = 1e-3,
       .variety = 1,
       .share = 0.05},
      {.title = "judge",
       .role = "judge",
       .name = "pocket-judge",
       .steps = 1000,
       .batch = 64,
       .learning_rate = 1e-3,
       .variety = 1,
       .styled = 0.9,  // As many plain pictures as of each style: a judge that sees more of them takes doubt for plain.
       .share = 0.05,
       .for_drawing = false},
  }};
  return parts;
}

/// Large batches of pictures that are shown several times: sixteen cores paint a fifth to an eighth of what a GPU
/// takes. From the parts' speeds on an H100 and an H200: 22 minutes, half of them for the diffusion model, which draws
/// styles only after millions of samples.
std::span<const PocketPart> parts_for_a_gpu() {
  static const std::array<PocketPart, 6> parts = [] {
    std::array<PocketPart, 6> all;
    std::ranges::copy(parts_for_a_processor(), all.begin());
    const auto change = [](PocketPart& part, std::int64_t steps, std::int64_t batch, int reuse, double share) {
      part.steps = steps;
      part.batch = batch;
      part.reuse = reuse;
      part.share = share;
      part.precision = gpu_precision;
    };
    auto& [diffusion, secondary, vit, resnet, upscaler, judge] = all;
    change(diffusion, 8000, 256, 8, 0.52);
    diffusion.config = {{"num_channels", 96}, {"channel_mult", {1, 2, 2, 3}}, {"attention_resolutions", "16,8,4"}};
    change(secondary, 600, 256, 8, 0.05);
    change(vit, 2000, 256, 6, 0.12);
    vit.config = {{"vision_layers", 6}};
    change(resnet, 2000, 256, 6, 0.12);
    change(upscaler, 2000, 64, 6, 0.06);
    change(judge, 1000, 256, 6, 0.13);
    judge.variety = 0.5;
    // What a subject looks like is learned from pictures without a style or a palette.
    for (PocketPart* part : {&diffusion, &secondary}) part->styled = 0.5;
    for (PocketPart* part : {&diffusion, &secondary, &vit, &resnet}) part->coloured = 0.4;
    return all;
  }();
  return parts;
}

}  // namespace

std::span<const PocketPart> pocket_parts(bool gpu) { return gpu ? parts_for_a_gpu() : parts_for_a_processor(); }

std::string model_card(const Json& run) {
  std::string text = "# The pocket models\n\n";
  // On a GPU the recipe chooses the precision.
  const std::string gpu = run.contains("gpu") ? run["gpu"].get<std::string>() + " with " : "";
  const std::string precision = gpu.empty() ? run.at("request").value("precision", "float32") : gpu_precision;
  text += fmt::format(
      "Small models that draw a painted world from words, trained by Disco {} (LibTorch {}) on {}{}, {} {}, in {}.\n\n",
      run.at("version").get<std::string>(), run.at("torch").get<std::string>(), gpu, run.at("cpu").get<std::string>(),
      run.at("threads").get<int>(), run.at("threads") == 1 ? "thread" : "threads", precision);
  text +=
      "There is no data set: every picture was painted by the program itself from a seed, with a caption from a "
      "grammar.\nThe models know nothing else.\n\n";
  text += "| model | role | parameters | steps | pictures a step | loss | minutes |\n|---|---|---|---|---|---|---|\n";
  double minutes = 0;
  for (const auto& [title, part] : run.at("parts").items()) {
    if (!part.contains("request")) continue;  // Not begun.
    const Json& request = part["request"];
    minutes += part.value("seconds", 0.0) / 60;
    const bool finished = part.value("finished", false);
    text += fmt::format("| {}{} | {} | {} | {} | {} | {:.4g} | {:.1f} |\n", part.value("name", title),
                        finished ? "" : " (not finished)", part.value("role", ""),
                        finished ? fmt::format("{:.2f} M", part.value("parameters", 0.0) / 1e6) : "",
                        part.value("done", std::int64_t{0}),
                        request.value("batch", std::int64_t{0}) * request.value("accumulate", std::int64_t{1}),
                        part.value("loss", 0.0), part.value("seconds", 0.0) / 60);
  }
  text += fmt::format("\nAll together took {:.0f} minutes. The losses are means over about the last hundred steps.\n",
                      minutes);
  for (const auto& [title, part] : run.at("parts").items()) {
    if (part.value("for_drawing", true)) continue;
    text += fmt::format("{} is not needed for drawing: it measures what was drawn (`disco bench adherence`).\n",
                        part.value("name", title));
  }
  text += "\nTo make them again:\n\n```\n" + run.at("command").get<std::string>() +
          "\n```\n\nThe numbers of every part are in `run.json` beside this text.\n";
  return text;
}

void train_pocket(const TrainRequest& request, TrainEvents& events, std::span<const PocketPart> parts) {
  PocketTraining(request, events, parts).run();
}

}  // namespace disco
