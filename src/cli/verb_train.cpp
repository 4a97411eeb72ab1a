// train: models of one's own, on painted pictures or on a folder of images.
#include <fmt/format.h>

#include <algorithm>

#include "cli/engine_library.h"
#include "cli/interrupt.h"
#include "cli/text_table.h"
#include "cli/training_told.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "core/file.h"
#include "core/text.h"

namespace disco {
namespace {

class TaskTold final : public TrainingTold {
 public:
  using TrainingTold::TrainingTold;

  void part(int number, int count, const std::string& title) override {
    tell_next();
    if (tells_json()) {
      const nlohmann::ordered_json event = {{"event", "part"}, {"number", number}, {"count", count}, {"title", title}};
      fmt::print(stderr, "{}\n", event.dump());
    } else {
      of_ = fmt::format("{} of {}: {} ", number, count, title);
      fmt::print(stderr, "{}\n", of_);
    }
  }

 private:
  nlohmann::ordered_json event(const TrainProgress& now) const override {
    return {{"event", "train"},
            {"step", now.step},
            {"steps", now.steps},
            {"loss", now.loss},
            {"learning_rate", now.learning_rate},
            {"samples_per_second", now.samples_per_second},
            {"seconds_left", now.seconds_left}};
  }
  std::string line(const TrainProgress& now) const override {
    return fmt::format("{}step {}/{}  loss {:.4f}  {:.1f} pictures a second  {:.0f} min left", of_, now.step, now.steps,
                       now.loss, now.samples_per_second, now.seconds_left / 60);
  }

  std::string of_;  ///< "2 of 6: clip ", where there are parts.
};

const std::vector<std::string>& roles() {
  static const std::vector<std::string> all = {"diffusion", "clip", "secondary", "upscaler", "judge", "pocket"};
  return all;
}

/// Flags that one kind of training has and the other has not are refused rather than left without effect.
void demand_fitting_flags(const CommandLine& line) {
  const bool pocket = line.operands.front() == "pocket";
  static const std::vector<std::string> of_one = {"--name",       "--from",          "--data",       "--no-mirror",
                                                  "--steps",      "--batch",         "--network",    "--variety",
                                                  "--styled",     "--coloured",      "--reuse",      "--accumulate",
                                                  "--guesses-of", "--learning-rate", "--near-misses"};
  static const std::vector<std::string> of_pocket = {"--minutes", "--scale"};
  for (const std::string& flag : pocket ? of_one : of_pocket) {
    if (!line.has(flag)) continue;
    throw RequestError(pocket ? "the recipe of the pocket models says this itself" : "only `train pocket` has this",
                       flag, pocket ? "leave it out, or train one role" : "give --steps");
  }
  if (line.has("--minutes") && line.has("--scale"))
    throw RequestError("either a time or a share of the steps", "--minutes and --scale", "give one of them");
  if (line.has("--no-mirror") && !line.has("--data"))
    throw RequestError("painted pictures are not mirrored", "--no-mirror", "give it together with --data");
  if (line.has("--guesses-of") && line.operands.front() != "clip")
    throw RequestError("only CLIP models are shown guesses", "--guesses-of", "leave it out");
}

TrainRequest request_of(const CommandLine& line) {
  TrainRequest request;
  request.role = line.operands.front();
  request.name = line.text("--name");
  request.run_folder = line.text("--run", "train-" + request.role);
  request.export_folder = line.text("--export", (user_data_folder() / "models").string());
  request.from = line.text("--from");
  request.data = line.text("--data");
  request.mirror = !line.has("--no-mirror");
  request.seed = static_cast<std::uint64_t>(line.whole_number("--seed", 1, 0));
  request.steps = line.whole_number("--steps", static_cast<int>(request.steps), 1);
  request.batch = line.whole_number("--batch", 0, 1);
  request.accumulate = line.whole_number("--accumulate", 1, 1);
  request.learning_rate = line.number("--learning-rate", 0, 0);
  request.picture_size = line.whole_number("--picture-size", 0, 16);
  request.variety = line.number("--variety", request.variety, 0);
  request.styled = line.number("--styled", request.styled, 0);
  request.coloured = line.number("--coloured", request.coloured, 0);
  request.near_misses = line.number("--near-misses", request.near_misses, 0);
  request.precision = line.text("--precision", request.precision);
  request.device = line.text("--device", request.device);
  request.checkpoint_minutes = line.number("--checkpoint-minutes", request.checkpoint_minutes, 0);
  request.sheet_minutes = line.number("--sheet-minutes", request.sheet_minutes, 0);
  request.threads = line.whole_number("--threads", 0, 0);
  request.painters = line.whole_number("--painters", request.painters, 1);
  request.reuse = line.whole_number("--reuse", request.reuse, 1);
  request.minutes = line.number("--minutes", 0, 0);
  request.scale = line.number("--scale", 1, 0);
  request.diffusion_model = line.text("--guesses-of");
  request.model_folders = model_folders(line);
  try {
    request.config = nlohmann::json::parse(line.text("--network", "{}"));
  } catch (const nlohmann::json::exception&) {
    throw RequestError("this is not JSON", "--network", R"(write for example {"num_channels": 64})");
  }
  if (!request.config.is_object())
    throw RequestError("this is no JSON object", "--network", R"(write for example {"num_channels": 64})");
  return request;
}

int train_models(const CommandLine& line, Reporter& reporter) {
  const bool known = line.operands.size() == 1 && std::ranges::find(roles(), line.operands[0]) != roles().end();
  if (!known) {
    throw RequestError("it trains one of: " + join(roles(), ", "), "disco train", "write: disco train diffusion");
  }
  demand_fitting_flags(line);
  const TrainRequest request = request_of(line);
  const InterruptGuard guard(
      reporter.interrupt_notice("stopping after this step; the same command goes on from the checkpoint"));
  TaskTold events(reporter, guard.flag(), line.text("--progress") == "json");
  load_trainer()(request, events);
  return 0;
}

}  // namespace

Verb train_verb() {
  std::vector<Flag> flags = {
      {"--name", "NAME", "the model's name (default: pocket-ROLE)"},
      {"--run", "DIR", "checkpoints, log and sample sheets (default train-ROLE)"},
      {"--export", "DIR", "where the finished model goes (default: the user's models folder)"},
      {"--from", "MODEL", "start from this model instead of fresh weights: a weights file, or an installed model"},
      {"--data", "DIR", "learn from the images in this folder, with captions from NAME.txt or the files' names"},
      {"--no-mirror", "", "with --data: never mirror an image"},
      {"--steps", "N", "steps in all (default 6000)"},
      {"--batch", "N", "pictures at once (default 16; clip 96, judge 64)"},
      {"--accumulate", "N", "batches a step, so that a step sees N times as many pictures (default 1)"},
      {"--learning-rate", "RATE", "at its highest (default 1e-3; diffusion 8e-4, clip 6e-4)"},
      {"--seed", "N", "of the weights and of every picture (default 1)"},
      {"--picture-size", "N",
       "side of the pictures, a multiple of 16 (default 64, or what the model of --from was made for)"},
      {"--variety", "SHARE", "how much painted scenes of the same things differ, 0 to 1 (default 0.25)"},
      {"--styled", "SHARE", "of the painted pictures that have a style (oil, ink, …), 0 to 1 (default 0.5)"},
      {"--coloured", "SHARE", "of the painted pictures that have a palette (neon, sepia, …), 0 to 1 (default 0.5)"},
      {"--near-misses", "SHARE",
       "of every second painted picture that differs from the one before in one thing (default 0)"},
      {"--guesses-of", "FILE", "clip: weights of the diffusion model whose guesses are shown among the pictures"},
      {"--network", "JSON", "sizes of the network that differ from the defaults"},
      {"--precision", "TYPE", "of convolutions and products (default float32)", {"float32", "bfloat16"}},
      {"--device", "NAME", "what computes: cpu or cuda (default cpu)"},
      {"--checkpoint-minutes", "N", "between checkpoints (default 5)"},
      {"--sheet-minutes", "N", "between samples or scores of the current weights; 0: none (default 15)"},
      {"--threads", "N", "processor cores to use (default 0: all)"},
      {"--painters", "N", "threads that paint, or read images, ahead (default 1)"},
      {"--reuse", "N", "how often a painted picture is shown, on average (default 1)"},
      {"--minutes", "N", "pocket: how long all models together may take"},
      {"--scale", "SHARE", "pocket: of the recipe's steps (default 1)"},
      {"--models", "DIR", "where models and the tokenizer's vocabulary are looked for first"},
  };
  for (Flag& flag : reporting_flags()) flags.push_back(flag);
  return {"train",
          "train models on painted pictures or on a folder of images",
          "diffusion | clip | secondary | upscaler | judge | pocket [FLAGS]",
          "  The same command goes on with a training that was interrupted. `judge` is the network that\n"
          "  `disco bench adherence` measures with; `pocket` trains all models that the program ships, one\n"
          "  after another. docs/training.md tells the rest.\n",
          flags,
          false,
          roles(),
          train_models};
}

}  // namespace disco
