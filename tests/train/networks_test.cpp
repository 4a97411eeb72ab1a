// The tasks beside diffusion and CLIP: each network's loss falls, its weights are recognised, and it is looked at.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <torch/csrc/autograd/autograd.h>

#include <functional>

#include "core/error.h"
#include "core/file.h"
#include "models/clip.h"
#include "models/secondary.h"
#include "models/upscaler.h"
#include "train/adamw.h"
#include "train/batches.h"
#include "train/decoys.h"
#include "train/degrade.h"
#include "train/judge.h"
#include "train/noising.h"
#include "train/task.h"

namespace disco {
namespace {

using testing::HasSubstr;

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "disco-networks-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

TrainRequest request(const std::string& role, const nlohmann::json& config) {
  TrainRequest r;
  r.role = role;
  r.batch = 8;
  r.picture_size = role == "secondary" ? 32 : 16;
  r.config = config;
  return r;
}

struct Trained {
  std::vector<double> losses;
  StateDict tensors;
};

/// Steps of a task as the loop does them, without its files.
Trained steps(Task& task, int count, double rate) {
  Trained trained;
  trained.tensors = task.initial();
  StateDict moving;
  for (const auto& [name, tensor] : trained.tensors) {
    if (tensor.is_floating_point()) moving[name] = tensor;
  }
  AdamW optimiser(moving, {});
  std::vector<at::Tensor> parameters;
  for (const auto& [name, tensor] : moving) parameters.push_back(tensor.requires_grad_());
  task.start(trained.tensors, 0);
  for (int step = 0; step < count; ++step) {
    const at::Tensor loss = task.loss(step);
    trained.losses.push_back(loss.item<double>());
    auto gradients = torch::autograd::grad({loss}, parameters, {}, false, false, /*allow_unused=*/true);
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      if (!gradients[i].defined()) gradients[i] = at::zeros_like(parameters[i]);
    }
    optimiser.step({gradients.begin(), gradients.end()}, rate);
    task.after_step();
  }
  for (const at::Tensor& tensor : parameters) tensor.set_requires_grad(false);
  return trained;
}

double mean(const std::vector<double>& values, std::size_t from, std::size_t to) {
  double sum = 0;
  for (std::size_t i = from; i < to; ++i) sum += values[i];
  return sum / static_cast<double>(to - from);
}

void expect_falling(const std::vector<double>& losses, double share) {
  const std::size_t n = losses.size();
  EXPECT_LT(mean(losses, n - 8, n), share * mean(losses, 0, 4));
}

TEST(Networks, TheSecondaryModelLearnsItsV) {
  const Folder folder;
  TrainRequest r = request("secondary", {{"width", 4}});
  r.run_folder = folder.path();
  const auto task = secondary_task(r);
  const Trained trained = steps(*task, 30, 3e-3);
  expect_falling(trained.losses, 0.98);
  EXPECT_EQ(task->config()["width"], 4);
  EXPECT_THAT(task->look(trained.tensors, 30), HasSubstr("(t = 700)"));
  EXPECT_TRUE(fs::exists(folder.path() / "guesses-000030.png"));
  EXPECT_THROW(secondary_task(request("secondary", {{"height", 4}})), RequestError);
  r.picture_size = 48;
  EXPECT_THROW(secondary_task(r), RequestError);
}

TEST(Networks, TheSecondaryModelBeginsWithNoGuess) {
  const StateDict tensors = initial_secondary(4, 1);
  EXPECT_EQ(tensors.size(), SecondaryModel::manifest(4).size());
  const SecondaryModel model(tensors);
  const SecondaryModel::Output output = model.forward(at::ones({1, 3, 32, 32}), at::tensor({0.5f}));
  EXPECT_EQ(output.v.abs().max().item<double>(), 0);
  EXPECT_FALSE(at::equal(initial_secondary(4, 2).at("net.0.0.weight"), tensors.at("net.0.0.weight")));
}

TEST(Networks, TheUpscalerLearnsToBeBetterThanBicubic) {
  const Folder folder;
  TrainRequest r = request("upscaler", {{"width", 16}, {"blocks", 1}, {"factor", 2}});
  r.run_folder = folder.path();
  const auto task = upscaler_task(r);
  const Trained trained = steps(*task, 50, 4e-3);
  expect_falling(trained.losses, 0.985);
  const UpscalerConfig found = Upscaler::recognise(trained.tensors);
  EXPECT_EQ(found.factor, 2);
  EXPECT_EQ(found.blocks, 1);
  EXPECT_THAT(task->look(trained.tensors, 50), HasSubstr("bicubic"));
  EXPECT_TRUE(fs::exists(folder.path() / "enlarged-000050.png"));
  for (const nlohmann::json& wrong : {nlohmann::json{{"factor", 5}}, {{"depth", 2}}, {{"width", "wide"}}}) {
    EXPECT_THROW(upscaler_task(request("upscaler", wrong)), RequestError) << wrong;
  }
}

TEST(Networks, TheJudgeLearnsItsAttributes) {
  const auto task = judge_task(request("judge", {{"widths", {16}}, {"blocks", {1}}}));
  const Trained trained = steps(*task, 40, 5e-3);
  expect_falling(trained.losses, 0.97);
  EXPECT_EQ(task->config()["values"]["subject"].size(), subject_count);
  EXPECT_THAT(task->look(trained.tensors, 40), HasSubstr("blurred"));
  for (const nlohmann::json& wrong :
       {nlohmann::json{{"widths", {8, 8}}, {"blocks", {1}}}, {{"widths", 8}}, {{"heads", 2}}}) {
    EXPECT_THROW(judge_task(request("judge", wrong)), RequestError) << wrong;
  }
}

TEST(Judge, GivesAVerdictOfEveryPicture) {
  const JudgeConfig config{{8, 16}, {1, 2}};
  const StateDict tensors = initial_judge(config, 3);
  const JudgeConfig found = Judge::recognise(tensors);
  EXPECT_EQ(found.widths, config.widths);
  EXPECT_EQ(found.blocks, config.blocks);
  const std::vector<Verdict> verdicts = Judge(tensors).judge(at::rand({2, 3, 40, 30}));
  ASSERT_EQ(verdicts.size(), 2u);
  ASSERT_EQ(verdicts[1].parts.size(), judged_attributes().size());
  for (const Attribute& attribute : judged_attributes()) {
    const Verdict::Part& part = verdicts[1].of(attribute.name);
    ASSERT_EQ(std::ssize(part.probabilities), attribute.count);
    double sum = 0;
    for (const double p : part.probabilities) {
      sum += p;
      EXPECT_LE(p, part.probabilities[static_cast<std::size_t>(part.value)]);
    }
    EXPECT_NEAR(sum, 1, 1e-6);
    EXPECT_FALSE(attribute.value_name(attribute.count - 1).empty());
  }
  EXPECT_THROW(verdicts[0].of("weather"), Error);
}

TEST(Judge, NamesWhatIsWrong) {
  StateDict tensors = initial_judge({{8}, {1}}, 3);
  EXPECT_THROW(Judge(tensors).logits(at::zeros({1, 3, 63, 64})), Error);
  tensors.erase("heads.sky.bias");
  EXPECT_THROW(Judge{tensors}, FormatError);
  EXPECT_THROW(Judge{StateDict{}}, FormatError);
}

TEST(Decoys, KeepTheSurroundingsAndLoseTheSubject) {
  std::vector<Scene> scenes(4);
  for (Scene& scene : scenes) scene.subject = Subject::castle;
  scenes[3].subject = Subject::nothing;
  std::vector<Scene> empty = scenes;
  for (Scene& scene : empty) scene.subject = Subject::nothing;
  const at::Tensor pictures = to_signed(paint_batch(scenes, 32)), behind = to_signed(paint_batch(empty, 32));
  RandomStream draws(1);
  const at::Tensor fooled = decoys(scenes, pictures, draws);
  for (std::int64_t k = 0; k < 3; ++k) {
    EXPECT_GT((fooled[k] - pictures[k]).abs().max().item<double>(), 0.2);
    EXPECT_GT((fooled[k] - behind[k]).abs().max().item<double>(), 0.05);
    EXPECT_LT((fooled[k] - behind[k]).select(1, 0).abs().mean().item<double>(), 0.1) << "the sky's upper edge";
  }
  EXPECT_TRUE(at::equal(fooled[3], pictures[3]));
}

TEST(Degrade, BlursEachPictureByItsOwnDeviation) {
  at::Tensor pictures = at::zeros({2, 1, 21, 21});
  pictures.select(2, 10).select(2, 10).fill_(1);
  const at::Tensor soft = blurred(pictures, at::tensor({0.f, 2.f}));
  EXPECT_TRUE(at::equal(soft[0], pictures[0]));
  EXPECT_NEAR(soft[1].sum().item<double>(), 1, 1e-3);
  // exp(−d²/2σ²) beside the middle.
  EXPECT_NEAR((soft[1][0][10][12] / soft[1][0][10][10]).item<double>(), std::exp(-0.5), 1e-4);
  EXPECT_TRUE(at::allclose(blurred(at::ones({1, 3, 8, 8}), at::tensor({3.f})), at::ones({1, 3, 8, 8})));
}

TEST(Degrade, LeavesSomePicturesClean) {
  RandomStream draws(5);
  const at::Tensor pictures = at::rand({40, 3, 16, 16}) * 2 - 1;
  const at::Tensor changes = (degraded(pictures, draws) - pictures).abs().amax({1, 2, 3});
  const auto clean = (changes == 0).sum().item<std::int64_t>();
  EXPECT_GT(clean, 1);
  EXPECT_LT(clean, 25);
}

const nlohmann::json tiny_resnet = {{"kind", "resnet"}, {"input_size", 32}, {"vision_width", 4}, {"embedding", 16},
                                    {"text_width", 32}, {"text_layers", 1}, {"context", 24}};

TEST(Networks, AClipResNetLearnsAndItsRunningStatisticsFollow) {
  TrainRequest r = request("clip", tiny_resnet);
  r.picture_size = 32;
  const auto task = clip_task(r);
  const Trained trained = steps(*task, 30, 3e-3);
  expect_falling(trained.losses, 0.97);
  const Clip clip(trained.tensors, "quick_gelu");
  EXPECT_FALSE(clip.config().is_vit);
  EXPECT_EQ(clip.config().stage_blocks, (std::vector<std::int64_t>{1, 1, 1, 1}));
  EXPECT_EQ(clip.config().input_size, 32);
  EXPECT_EQ(clip.config().context, 24);
  EXPECT_EQ(task->config()["kind"], "resnet");
  // Near what they would be of any batch of views, so that the network says the same on them.
  RandomStream draws(4);
  const at::Tensor x = draws.randn({64, 3, 32, 32});
  const at::Tensor running = trained.tensors.at("visual.bn1.running_var").clone();
  EXPECT_FALSE(at::allclose(running, at::ones_like(running)));
  const at::Tensor before = clip.encode_image(x);
  EXPECT_TRUE(at::equal(running, trained.tensors.at("visual.bn1.running_var")));
  for (int i = 0; i < 60; ++i) clip.encode_image_training(x);
  EXPECT_FALSE(at::equal(before, clip.encode_image(x)));
  // On statistics that have followed the batch's own, both say the same, but for n/(n − 1) in the variance.
  const at::Tensor running_says = clip.encode_image(x), batch_says = clip.encode_image_training(x);
  EXPECT_GT(at::cosine_similarity(running_says, batch_says, 1).min().item<double>(), 0.98);
}

TEST(Networks, ImpossibleClipSizesAreRefused) {
  for (const nlohmann::json& wrong : {nlohmann::json{{"kind", "mlp"}},
                                      {{"kind", "resnet"}, {"patch", 8}},
                                      {{"stage_blocks", {1, 1, 1, 1}}},
                                      {{"kind", "resnet"}, {"input_size", 48}},
                                      {{"kind", "resnet"}, {"stage_blocks", {1, 1}}},
                                      {{"kind", "resnet"}, {"vision_width", 5}},
                                      {{"context", 3}},
                                      {{"context", 200}},
                                      {{"text_width", 100}}}) {
    EXPECT_THROW(clip_task(request("clip", wrong)), RequestError) << wrong;
  }
}

const nlohmann::json tiny_unet = {
    {"num_channels", 32}, {"channel_mult", {1, 1}}, {"attention_resolutions", "2"}, {"patch", 4}};

TEST(Networks, ADiffusionModelLearnsEpsilonAndItsVariance) {
  for (const std::string prediction : {"epsilon", "v"}) {
    SCOPED_TRACE(prediction);
    const Folder folder;
    nlohmann::json sizes = tiny_unet;
    sizes.update({{"prediction", prediction}, {"learn_sigma", true}});
    TrainRequest r = request("diffusion", sizes);
    r.run_folder = folder.path();
    const auto task = diffusion_task(r);
    const Trained trained = steps(*task, 30, 3e-3);
    EXPECT_EQ(task->config()["learn_sigma"], true);
    expect_falling(trained.losses, 0.95);
    EXPECT_EQ(trained.tensors.at("out.2.weight").size(0), 2 * 3 * 16);
    // The variance's half of the last layer has moved from its zeros.
    EXPECT_GT(trained.tensors.at("out.2.bias").narrow(0, 48, 48).abs().max().item<double>(), 0);
    EXPECT_THAT(task->look(trained.tensors, 30), HasSubstr("samples"));
  }
  nlohmann::json classes = tiny_unet;
  classes["class_count"] = 10;
  EXPECT_THROW(diffusion_task(request("diffusion", classes)), RequestError);
}

}  // namespace
}  // namespace disco
