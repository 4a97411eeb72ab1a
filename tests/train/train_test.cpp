#include "train/train.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <torch/csrc/autograd/autograd.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <functional>
#include <thread>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/text.h"
#include "models/clip.h"
#include "models/unet.h"
#include "train/checkpoint.h"
#include "train/support.h"
#include "train/task.h"

extern char** environ;

namespace disco {
namespace {

using testing::HasSubstr;

/// The loss reported after step k is the mean of the first k, so that the mean of some later ones follows from two of
/// them.
double mean_between(const std::vector<double>& reported, std::size_t from, std::size_t to) {
  const auto sum = [&](std::size_t k) { return k == 0 ? 0 : reported[k - 1] * static_cast<double>(k); };
  return (sum(to) - sum(from)) / static_cast<double>(to - from);
}

void expect_falling(const std::vector<double>& losses, double share) {
  ASSERT_EQ(losses.size(), 30u);
  EXPECT_LT(mean_between(losses, 20, 30), share * mean_between(losses, 0, 5));
}

TEST(Train, TheLossOfADiffusionModelFalls) {
  const Folder folder;
  Listener listener;
  train(tiny_diffusion(folder.path()), listener);
  expect_falling(listener.losses, 0.98);
}

TEST(Train, TheLossOfAClipModelFalls) {
  const Folder folder;
  Listener listener;
  train(tiny_clip(folder.path()), listener);
  expect_falling(listener.losses, 0.98);
}

void expect_same_after_an_interruption(const std::function<TrainRequest(const fs::path&)>& make) {
  const Folder whole, parts;
  TrainRequest request = make(whole.path());
  request.steps = 7;
  Listener listener;
  train(request, listener);

  request.run_folder = parts.path();
  Listener stopping;
  stopping.stop_after = 3;
  EXPECT_THROW(train(request, stopping), Interrupted);
  EXPECT_EQ(load_checkpoint(parts.path() / "checkpoint.safetensors")->step, 3);
  Listener rest;
  train(request, rest);
  EXPECT_EQ(rest.losses.size(), 4u);
  EXPECT_EQ(read_file(whole.path() / "checkpoint.safetensors"), read_file(parts.path() / "checkpoint.safetensors"));
}

TEST(Train, AnInterruptedDiffusionTrainingGoesOnToTheSameBits) { expect_same_after_an_interruption(tiny_diffusion); }
TEST(Train, AnInterruptedClipTrainingGoesOnToTheSameBits) { expect_same_after_an_interruption(tiny_clip); }

TEST(Train, AJudgeThatIsAskedForNoStyleInAWholeBatchLearnsTheRest) {
  const Folder folder;
  TrainRequest request = tiny_diffusion(folder.path());
  request.role = "judge";
  request.config = {{"widths", {8, 8}}, {"blocks", {1, 1}}};
  request.batch = 1;  // Four pictures of ten are too blurred for it.
  request.steps = 12;
  Listener listener;
  train(request, listener);
  for (const double loss : listener.losses) EXPECT_TRUE(std::isfinite(loss));
}

TEST(Train, ARunFolderOfAnotherTrainingIsRefused) {
  const Folder folder;
  TrainRequest request = tiny_diffusion(folder.path());
  request.steps = 1;
  Listener listener;
  train(request, listener);
  request.seed = 2;
  EXPECT_THROW(train(request, listener), RequestError);
}

TEST(Train, ImpossibleRequestsAreRefused) {
  const Folder folder;
  Listener listener;
  const auto refused = [&](const auto& change) {
    TrainRequest request = tiny_diffusion(folder.path());
    change(request);
    EXPECT_THROW(train(request, listener), RequestError);
  };
  refused([](TrainRequest& r) { r.role = "lpips"; });
  refused([](TrainRequest& r) { r.run_folder.clear(); });
  refused([](TrainRequest& r) { r.steps = 0; });
  refused([](TrainRequest& r) { r.picture_size = 20; });
  refused([](TrainRequest& r) { r.config["class_cond"] = true; });
  refused([](TrainRequest& r) { r.name = "../elsewhere"; });
  refused([](TrainRequest& r) { r.accumulate = 0; });
  refused([](TrainRequest& r) { r.precision = "float16"; });
  refused([](TrainRequest& r) { r.device = "tpu"; });
  refused([](TrainRequest& r) { r.device = "cuda:x"; });
  refused([](TrainRequest& r) { r.reuse = 0; });
  refused([](TrainRequest& r) { r.near_misses = 1.5; });
  refused([](TrainRequest& r) { r.near_misses = 0.5, r.data = "pictures"; });
  refused([](TrainRequest& r) { r.reuse = 4, r.data = "pictures"; });
  refused([](TrainRequest& r) { r.role = "secondary", r.config = {}; });  // Its pictures' sides are multiples of 32.
  refused([](TrainRequest& r) { r.role = "judge", r.config = {}, r.data = "pictures"; });
  refused([](TrainRequest& r) { r.role = "clip", r.config = {{"wings", 2}}; });
  EXPECT_FALSE(fs::exists(folder.path() / "checkpoint.safetensors"));
}

TEST(Train, ExportsModelsThatLoad) {
  const Folder folder;
  Listener listener;
  TrainRequest request = tiny_diffusion(folder.path() / "run");
  request.steps = 2;
  request.export_folder = folder.path() / "models";
  request.sheet_minutes = 15;
  train(request, listener);
  EXPECT_TRUE(fs::exists(folder.path() / "run" / "samples-000002.png"));

  const auto json = nlohmann::json::parse(read_file(request.export_folder / "pocket-diffusion.model.json"));
  EXPECT_EQ(json["role"], "diffusion");
  const fs::path weights = request.export_folder / json["file"].get<std::string>();
  EXPECT_EQ(json["sha256"], sha256_file(weights));
  EXPECT_EQ(json["config"]["recommended"]["width"], 16);  // The size that it was trained at.
  StateDict tensors = load_weights(weights);
  EXPECT_EQ(tensors.begin()->second.scalar_type(), at::kHalf);
  for (auto& [name, tensor] : tensors) tensor = tensor.to(at::kFloat);
  const UNet unet(UNetConfig::from_json(json["config"]), tensors);
  EXPECT_EQ(unet.forward(at::zeros({1, 3, 16, 16}), at::zeros({1})).sizes(), at::IntArrayRef({1, 3, 16, 16}));

  TrainRequest clip = tiny_clip(folder.path() / "clip-run");
  clip.steps = 2;
  clip.export_folder = request.export_folder;
  clip.diffusion_model = weights;
  clip.sheet_minutes = 15;
  train(clip, listener);
  StateDict clip_tensors = load_weights(request.export_folder / "pocket-clip.safetensors");
  for (auto& [name, tensor] : clip_tensors) {
    if (tensor.is_floating_point()) tensor = tensor.to(at::kFloat);
  }
  const Clip model(clip_tensors, "quick_gelu");
  EXPECT_EQ(model.config().input_size, 16);
  EXPECT_FALSE(model.knows_token(1));
  EXPECT_THAT(listener.notes, testing::Contains(HasSubstr("from t = 500")));
}

TEST(Train, AFileThatIsNoCheckpointIsRefused) {
  const Folder folder;
  save_safetensors(folder.path() / "checkpoint.safetensors", {{"x", at::zeros({2})}});
  Listener listener;
  EXPECT_THROW(train(tiny_diffusion(folder.path()), listener), FormatError);
}

TEST(Train, ADamagedCheckpointIsNamedWithAWayOut) {
  const Folder folder;
  TrainRequest request = tiny_diffusion(folder.path());
  request.steps = 1;
  Listener listener;
  train(request, listener);
  const fs::path file = folder.path() / "checkpoint.safetensors";
  const std::string whole = read_file(file);
  const auto problem = [&] {
    try {
      train(request, listener);
    } catch (const FormatError& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  write_file(file, whole.substr(0, whole.size() / 2));
  EXPECT_THAT(problem(), HasSubstr("move it away to train from the start"));
  EXPECT_THAT(problem(), HasSubstr(file.string()));
  write_file(file, "");
  EXPECT_THAT(problem(), HasSubstr("cannot be used"));

  TrainCheckpoint checkpoint;
  write_file(file, whole);
  checkpoint = *load_checkpoint(file);
  checkpoint.mean.erase(checkpoint.mean.begin());
  save_checkpoint(file, checkpoint);
  EXPECT_THAT(problem(), HasSubstr("lacks the state of"));
}

TEST(Train, FoldersThatCannotBeWrittenAreFoundBeforeTheWork) {
  const Folder folder;
  write_file(folder.path() / "file", "x");
  Listener listener;
  TrainRequest request = tiny_diffusion(folder.path() / "file" / "run");
  EXPECT_THROW(train(request, listener), RequestError);
  request = tiny_diffusion(folder.path() / "run");
  request.export_folder = folder.path() / "file";
  EXPECT_THROW(train(request, listener), RequestError);
  EXPECT_TRUE(listener.losses.empty());
}

std::vector<std::string> log_lines(const fs::path& folder) {
  std::vector<std::string> lines = split(read_file(folder / "log.csv"), '\n');
  lines.pop_back();
  return lines;
}

TEST(Train, TheLogHoldsEveryStepOnceWhateverHappened) {
  const Folder folder;
  TrainRequest request = tiny_diffusion(folder.path());
  request.steps = 4;
  Listener stopping, rest;
  stopping.stop_after = 2;
  EXPECT_THROW(train(request, stopping), Interrupted);
  // What a kill leaves: a step after the checkpoint, and half a line.
  write_file(folder.path() / "log.csv", read_file(folder.path() / "log.csv") + "3,0.5,0.001,10\n4,0.");
  train(request, rest);
  const std::vector<std::string> lines = log_lines(folder.path());
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines[0], "step,loss,learning_rate,samples_per_second");
  for (std::size_t i = 1; i < lines.size(); ++i) EXPECT_TRUE(lines[i].starts_with(std::to_string(i) + ","));
  EXPECT_FALSE(lines[3].starts_with("3,0.5,0.001"));
  const auto about = nlohmann::json::parse(read_file(folder.path() / "request.json"));
  EXPECT_EQ(about["request"]["steps"], 4);
  EXPECT_EQ(about["request"]["batch"], 8);
  EXPECT_EQ(about["request"]["config"], request.config);
}

TEST(Train, AccumulatedMicroBatchesGoOnToTheSameBits) {
  expect_same_after_an_interruption([](const fs::path& folder) {
    TrainRequest request = tiny_diffusion(folder);
    request.batch = 4;
    request.accumulate = 3;
    return request;
  });
}

TEST(Train, AStepOfMicroBatchesHasTheMeanOfTheirGradients) {
  const Folder folder;
  TrainRequest request = tiny_diffusion(folder.path());
  request.steps = 1;
  request.clip_gradient = 0;
  request.accumulate = 2;
  Listener listener;
  train(request, listener);
  // The first step's first moment is a tenth (1 - beta1) of the gradient.
  const StateDict moments = load_checkpoint(folder.path() / "checkpoint.safetensors")->first_moments;

  const auto task = diffusion_task(completed(request));
  const StateDict tensors = task->initial();
  const at::Tensor bias = tensors.at("out.2.bias");
  bias.set_requires_grad(true);
  task->start(tensors, 0);
  const at::Tensor first = task->loss(0), second = task->loss(1);  // In this order: each takes the next batch.
  const at::Tensor mean = (first + second) / 2;
  EXPECT_NEAR(listener.losses.back(), mean.item<double>(), 1e-5);
  const at::Tensor gradient = torch::autograd::grad({mean}, {bias}).front();
  EXPECT_TRUE(at::allclose(moments.at("out.2.bias"), gradient / 10, 1e-3, 1e-6));
}

TEST(Train, Bfloat16TrainsAsWell) {
  for (const bool clip : {false, true}) {
    const Folder folder;
    TrainRequest request = clip ? tiny_clip(folder.path()) : tiny_diffusion(folder.path());
    request.precision = "bfloat16";
    Listener listener;
    train(request, listener);
    expect_falling(listener.losses, 0.98);
    const auto checkpoint = load_checkpoint(folder.path() / "checkpoint.safetensors");
    for (const auto& [name, tensor] : checkpoint->tensors) EXPECT_NE(tensor.scalar_type(), at::kBFloat16) << name;
  }
}

TEST(Train, AnInterruptedBfloat16TrainingGoesOnToTheSameBits) {
  expect_same_after_an_interruption([](const fs::path& folder) {
    TrainRequest request = tiny_diffusion(folder);
    request.precision = "bfloat16";
    return request;
  });
}

/// Not a test of its own: what AKilledTrainingLeavesAWholeCheckpoint starts and kills.
TEST(Train, DISABLED_Endless) {
  TrainRequest request = tiny_diffusion(std::getenv("DISCO_TEST_RUN_FOLDER"));
  request.steps = 1000000;
  request.checkpoint_minutes = 0;
  Listener listener;
  train(request, listener);
}

TEST(Train, AKilledTrainingLeavesAWholeCheckpoint) {
  const Folder folder;
  ASSERT_EQ(setenv("DISCO_TEST_RUN_FOLDER", folder.path().c_str(), 1), 0);
  const std::string self = fs::read_symlink("/proc/self/exe").string();
  std::string program = self, filter = "--gtest_filter=Train.DISABLED_Endless",
              also = "--gtest_also_run_disabled_tests";
  char* const arguments[] = {program.data(), filter.data(), also.data(), nullptr};
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  ASSERT_EQ(posix_spawn(&child, self.c_str(), &quiet, nullptr, arguments, environ), 0);
  posix_spawn_file_actions_destroy(&quiet);

  const fs::path file = folder.path() / "checkpoint.safetensors";
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!fs::exists(file) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // into the writing of some later one
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);

  const auto checkpoint = load_checkpoint(file);
  ASSERT_TRUE(checkpoint);
  EXPECT_GE(checkpoint->step, 1);
  EXPECT_EQ(checkpoint->tensors.size(), checkpoint->second_moments.size());
  TrainRequest request = tiny_diffusion(folder.path());
  request.steps = checkpoint->step + 1;
  Listener listener;
  train(request, listener);
  EXPECT_EQ(listener.losses.size(), 1u);
}

}  // namespace
}  // namespace disco
