// Training on from a model.
#include "train/start_model.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file.h"
#include "models/clip.h"
#include "models/tokenizer.h"
#include "models/unet.h"
#include "train/checkpoint.h"
#include "train/support.h"

namespace disco {
namespace {

using testing::Contains;
using testing::HasSubstr;

std::string problem_of(const TrainRequest& request) {
  Listener listener;
  try {
    train(request, listener);
  } catch (const RequestError& error) {
    return error.what();
  }
  return "none";
}

ClipConfig small_vit() {
  ClipConfig config;
  config.input_size = 16;
  config.patch = 8;
  config.vision_width = config.text_width = 64;
  config.vision_layers = config.text_layers = 1;
  config.embedding = 32;
  return config;
}

TEST(StartModel, GoesOnFromAModelByFileAndByName) {
  const Folder folder;
  TrainRequest first = tiny_diffusion(folder.path() / "first");
  first.steps = 3;
  first.export_folder = folder.path() / "models";
  first.name = "mine";
  Listener listener;
  train(first, listener);
  const fs::path weights = first.export_folder / "mine.safetensors";
  const StateDict exported = load_weights(weights);

  for (const std::string& from : {weights.string(), std::string("mine")}) {
    TrainRequest second =
        tiny_diffusion(folder.path() / ("second-" + fs::path(from).stem().string() + std::to_string(from.size())));
    second.from = from;
    second.model_folders = {first.export_folder};
    second.config = nlohmann::json::object();  // Recognised.
    second.steps = 1;
    second.warmup = 1000000;  // The weights hardly move.
    train(second, listener);
    const auto checkpoint = load_checkpoint(second.run_folder / "checkpoint.safetensors");
    for (const auto& [name, tensor] : exported) {
      EXPECT_LT((tensor.to(at::kFloat) - checkpoint->tensors.at(name)).abs().max().item<double>(), 1e-4) << name;
    }
    EXPECT_EQ(checkpoint->identity["config"]["num_channels"], 32);
    EXPECT_EQ(checkpoint->identity["from"].get<std::string>().size(), 64u);
    second.steps = 2;
    train(second, listener);  // Goes on.
    second.from.clear();
    second.config = first.config;
    EXPECT_THAT(problem_of(second), HasSubstr("another training"));
  }
}

TEST(StartModel, TakesAdmsNetworksAndTheirFiles) {
  const Folder folder;
  UNetConfig config = UNetConfig::from_json({{"image_size", 64},
                                             {"num_channels", 32},
                                             {"num_res_blocks", 1},
                                             {"channel_mult", {1, 1}},
                                             {"attention_resolutions", "32"},
                                             {"num_head_channels", 32},
                                             {"learn_sigma", true}});
  StateDict tensors = initial_unet(config, 3);
  for (auto& [name, tensor] : tensors) tensor = tensor.to(at::kHalf);
  const fs::path file = folder.path() / "adm.safetensors";
  save_safetensors(file, tensors);
  TrainRequest request = tiny_diffusion(folder.path() / "run");
  request.from = file;
  request.config = {{"channel_mult", {1, 1}}, {"num_head_channels", 32}};
  request.steps = 2;
  request.batch = 2;
  request.export_folder = folder.path() / "models";
  Listener listener;
  train(request, listener);
  const auto json = nlohmann::json::parse(read_file(request.export_folder / "pocket-diffusion.model.json"));
  EXPECT_EQ(json["config"]["learn_sigma"], true);
  EXPECT_EQ(json["config"]["prediction"], "epsilon");
  EXPECT_FALSE(json["config"].contains("recommended"));
}

TEST(StartModel, TakesClipModelsWithTheWholeVocabulary) {
  const Folder folder;
  const fs::path file = folder.path() / "clip.safetensors";
  save_safetensors(file, initial_clip(small_vit(), 3));
  TrainRequest request = tiny_clip(folder.path() / "run");
  request.from = file;
  request.config = nlohmann::json::object();
  request.steps = 2;
  request.export_folder = folder.path() / "models";
  request.sheet_minutes = 15;
  Listener listener;
  train(request, listener);
  const auto json = nlohmann::json::parse(read_file(request.export_folder / "pocket-clip.model.json"));
  EXPECT_EQ(json["config"]["vocabulary"], 49408);
  EXPECT_EQ(json["config"]["activation"], "gelu");  // What is assumed of a file that does not say it.
  const Clip clip(load_weights(request.export_folder / "pocket-clip.safetensors"), "gelu");
  EXPECT_TRUE(clip.knows_token(1234));
}

TEST(StartModel, TeachesAClipModelTheWordsThatItLacks) {
  const Folder folder;
  const Tokenizer tokenizer(Tokenizer::find_vocabulary({}));
  const std::int64_t castle = tokenizer.encode("castle").front(), ship = tokenizer.encode("ship").front();
  const std::vector<std::int64_t> known = {0, tokenizer.end_token(), castle, tokenizer.start_token()};
  ClipConfig config = small_vit();
  config.vocabulary = std::ssize(known);
  StateDict tensors = initial_clip(config, 3);
  tensors["token_ids"] = at::tensor(known, at::kLong);
  const fs::path file = folder.path() / "clip.safetensors";
  save_safetensors(file, tensors);
  ASSERT_FALSE(Clip(tensors, "gelu").knows_token(ship));

  TrainRequest request = tiny_clip(folder.path() / "run");
  request.from = file;
  request.config = nlohmann::json::object();
  request.steps = 1;
  request.warmup = 1000000;  // The weights hardly move.
  request.export_folder = folder.path() / "models";
  Listener listener;
  train(request, listener);
  EXPECT_THAT(listener.notes, Contains(HasSubstr("new to the model: ")));
  const StateDict taught = load_weights(request.export_folder / "pocket-clip.safetensors");
  const Clip clip(taught, "gelu");
  EXPECT_TRUE(clip.knows_token(castle));
  EXPECT_TRUE(clip.knows_token(ship));
  const auto row = [](const StateDict& model, std::int64_t id) {
    const at::Tensor place = (model.at("token_ids") == id).nonzero();
    return model.at("token_embedding.weight")[place[0][0].item<std::int64_t>()].to(at::kFloat);
  };
  EXPECT_TRUE(at::allclose(row(taught, castle), row(tensors, castle), 1e-3, 1e-4));
  // As the strange word was, in row 0.
  EXPECT_TRUE(at::allclose(row(taught, ship), tensors.at("token_embedding.weight")[0], 1e-3, 1e-4));

  request.steps = 2;
  train(request, listener);  // Goes on.
}

TEST(StartModel, SaysWhatToDoWhenThereIsNone) {
  const Folder folder;
  TrainRequest request = tiny_diffusion(folder.path() / "run");
  request.model_folders = {folder.path()};
  request.from = (folder.path() / "none.safetensors").string();
  EXPECT_THAT(problem_of(request), HasSubstr("there is no such weights file"));
  request.from = "nobody";
  EXPECT_THAT(problem_of(request), HasSubstr("there is no diffusion model \"nobody\""));

  TrainRequest guessing = tiny_clip(folder.path() / "guessing");
  guessing.diffusion_model = folder.path() / "none.safetensors";
  EXPECT_THAT(problem_of(guessing), HasSubstr("there is no such weights file to take guesses of"));
  EXPECT_FALSE(fs::exists(guessing.run_folder));

  TrainRequest clip = tiny_clip(folder.path() / "clip");
  clip.steps = 1;
  clip.export_folder = folder.path();
  Listener listener;
  train(clip, listener);
  request.from = (folder.path() / "pocket-clip.safetensors").string();
  EXPECT_THAT(problem_of(request), HasSubstr("this is a clip model"));
}

}  // namespace
}  // namespace disco
