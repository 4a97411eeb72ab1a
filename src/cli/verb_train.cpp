// train: small models of one's own, on painted pictures.
#include <fmt/format.h>

#include <chrono>

#include "cli/engine_library.h"
#include "cli/interrupt.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "core/file.h"

namespace disco {
namespace {

using Clock = std::chrono::steady_clock;

/// Progress as a line every few seconds, or as one JSON object a line.
class TrainingTold : public TrainEvents {
 public:
  TrainingTold(Reporter& reporter, const std::atomic<bool>& interrupt, bool json)
      : reporter_(reporter), interrupt_(interrupt), json_(json) {}

  void progress(const TrainProgress& now) override {
    if (Clock::now() - told_ < std::chrono::seconds(json_ ? 1 : 5) && now.step != now.steps) return;
    told_ = Clock::now();
    if (json_) {
      const nlohmann::ordered_json event = {{"event", "train"},
                                            {"step", now.step},
                                            {"steps", now.steps},
                                            {"loss", now.loss},
                                            {"learning_rate", now.learning_rate},
                                            {"samples_per_second", now.samples_per_second},
                                            {"seconds_left", now.seconds_left}};
      fmt::print(stderr, "{}\n", event.dump());
    } else {
      fmt::print(stderr, "step {}/{}  loss {:.4f}  {:.1f} pictures a second  {:.0f} min left\n", now.step, now.steps,
                 now.loss, now.samples_per_second, now.seconds_left / 60);
    }
  }
  void note(const std::string& text) override { reporter_.note(text); }
  bool stop_asked() override { return interrupt_.load(); }

 private:
  Reporter& reporter_;
  const std::atomic<bool>& interrupt_;
  bool json_;
  Clock::time_point told_{};
};

TrainRequest request_of(const CommandLine& line) {
  TrainRequest request;
  request.role = line.operands.front();
  request.name = line.text("--name");
  request.run_folder = line.text("--run", "train-" + request.role);
  request.export_folder = line.text("--export", (user_data_folder() / "models").string());
  request.seed = static_cast<std::uint64_t>(line.whole_number("--seed", 1, 0));
  request.steps = line.whole_number("--steps", static_cast<int>(request.steps), 1);
  request.batch = line.whole_number("--batch", 0, 1);
  request.learning_rate = line.number("--learning-rate", 0, 0);
  request.variety = line.number("--variety", request.variety, 0);
  request.checkpoint_minutes = line.number("--checkpoint-minutes", request.checkpoint_minutes, 0);
  request.threads = line.whole_number("--threads", 0, 0);
  request.diffusion_model = line.text("--guesses-of");
  request.model_folders = model_folders(line);
  try {
    request.config = nlohmann::json::parse(line.text("--network", "{}"));
  } catch (const nlohmann::json::exception&) {
    throw RequestError("this is not JSON", "--network", R"(write for example {"num_channels": 64})");
  }
  return request;
}

int train_models(const CommandLine& line, Reporter& reporter) {
  const bool known = line.operands.size() == 1 && (line.operands[0] == "diffusion" || line.operands[0] == "clip");
  if (!known) throw RequestError("it trains one of: diffusion, clip", "disco train", "write: disco train diffusion");
  const TrainRequest request = request_of(line);
  const InterruptGuard guard("disco: stopping after this step; the same command goes on from the checkpoint\n");
  TrainingTold events(reporter, guard.flag(), line.text("--progress") == "json");
  load_trainer()(request, events);
  return 0;
}

}  // namespace

Verb train_verb() {
  std::vector<Flag> flags = {
      {"--name", "NAME", "the model's name (default: pocket-diffusion, pocket-clip)"},
      {"--run", "DIR", "checkpoints and sample sheets (default train-diffusion, train-clip)"},
      {"--export", "DIR", "where the finished model goes (default: the user's models folder)"},
      {"--steps", "N", "steps in all (default 6000)"},
      {"--batch", "N", "pictures a step (default 16 for diffusion, 96 for clip)"},
      {"--learning-rate", "RATE", "at its highest (default 8e-4 for diffusion, 6e-4 for clip)"},
      {"--seed", "N", "of the weights and of every picture (default 1)"},
      {"--variety", "SHARE", "how much scenes of the same things differ, 0 to 1 (default 0.25)"},
      {"--guesses-of", "FILE", "clip: weights of the diffusion model whose guesses are shown among the pictures"},
      {"--network", "JSON", "sizes of the network that differ from the defaults"},
      {"--checkpoint-minutes", "N", "between checkpoints (default 5)"},
      {"--threads", "N", "processor cores to use (default 0: all)"},
      {"--models", "DIR", "where the tokenizer's vocabulary is looked for first"},
  };
  for (Flag& flag : reporting_flags()) flags.push_back(flag);
  return {"train",
          "train a small diffusion or CLIP model on painted pictures",
          "diffusion | clip [FLAGS]",
          "  The same command goes on with a training that was interrupted. docs/training.md tells the rest.\n",
          flags,
          false,
          {"diffusion", "clip"},
          train_models};
}

}  // namespace disco
