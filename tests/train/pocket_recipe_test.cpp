// All pocket models in one training.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/error.h"
#include "core/file.h"
#include "train/pocket.h"
#include "train/support.h"

namespace disco {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Two parts of the size of the other tests' networks.
std::vector<PocketPart> tiny_parts() {
  PocketPart first, second;
  first.title = first.role = "diffusion";
  first.name = "pocket-diffusion";
  first.steps = 4;
  first.batch = 4;
  first.learning_rate = 1e-3;
  first.share = 0.5;
  first.config = tiny_diffusion("x").config;
  second = first;
  second.title = second.role = "clip";
  second.name = "pocket-clip";
  second.sees_guesses = true;
  second.for_drawing = false;
  second.config = tiny_clip("x").config;
  return {first, second};
}

TrainRequest tiny_pocket(const fs::path& folder) {
  TrainRequest request = tiny_diffusion(folder / "run");
  request.role = "pocket";
  request.export_folder = folder / "models";
  request.config = nlohmann::json::object();
  return request;
}

void expect_whole(std::span<const PocketPart> parts) {
  std::set<std::string> titles, names, roles;
  double shares = 0;
  for (const PocketPart& part : parts) {
    titles.insert(part.title);
    names.insert(part.name);
    roles.insert(part.role);
    shares += part.share;
    EXPECT_GT(part.steps, 0);
    EXPECT_GT(part.batch, 0);
  }
  EXPECT_EQ(titles.size(), parts.size());
  EXPECT_EQ(names.size(), parts.size());
  EXPECT_THAT(roles, ElementsAre("clip", "diffusion", "judge", "secondary", "upscaler"));
  EXPECT_NEAR(shares, 1, 1e-9);
  EXPECT_EQ(parts.front().role, "diffusion");  // Whose guesses the CLIP models see.
}

TEST(Pocket, TheRecipesAreWhole) {
  expect_whole(pocket_parts(false));
  expect_whole(pocket_parts(true));
}

TEST(Pocket, TheCardNamesWhatComputed) {
  nlohmann::ordered_json run = {{"version", "1"},
                                {"torch", "2"},
                                {"cpu", "a processor"},
                                {"threads", 16},
                                {"command", "disco train pocket"},
                                {"request", {{"precision", "float32"}}},
                                {"parts", nlohmann::ordered_json::object()}};
  EXPECT_THAT(model_card(run), HasSubstr("on a processor, 16 threads, in float32."));
  run["gpu"] = "a GPU";
  EXPECT_THAT(model_card(run), HasSubstr("on a GPU with a processor, 16 threads, in bfloat16."));
}

TEST(Pocket, TrainsAllPartsGoesOnAndSkipsWhatIsFinished) {
  const Folder folder;
  const std::vector<PocketPart> parts = tiny_parts();
  const TrainRequest request = tiny_pocket(folder.path());
  Listener stopping;
  stopping.stop_after = 2;
  EXPECT_THROW(train_pocket(request, stopping, parts), Interrupted);
  EXPECT_THAT(stopping.parts, ElementsAre("1 of 2: diffusion"));
  auto run = nlohmann::json::parse(read_file(request.run_folder / "run.json"));
  EXPECT_EQ(run["parts"]["diffusion"]["done"], 2);
  EXPECT_EQ(run["finished"], false);

  Listener rest;
  train_pocket(request, rest, parts);
  EXPECT_THAT(rest.parts, ElementsAre("1 of 2: diffusion", "2 of 2: clip"));
  EXPECT_EQ(rest.losses.size(), 2u + 4u);
  EXPECT_TRUE(fs::exists(request.export_folder / "pocket-diffusion.safetensors"));
  EXPECT_TRUE(fs::exists(request.export_folder / "pocket-clip.model.json"));
  run = nlohmann::json::parse(read_file(request.run_folder / "run.json"));
  EXPECT_EQ(run["finished"], true);
  EXPECT_FALSE(run["cpu"].get<std::string>().empty());
  EXPECT_EQ(run["parts"]["clip"]["steps"], 4);
  EXPECT_EQ(run["parts"]["clip"]["request"]["batch"], 4);
  EXPECT_GT(run["parts"]["clip"]["seconds"], 0);
  EXPECT_GT(run["parts"]["clip"]["parameters"], 1000);
  EXPECT_THAT(run["parts"]["clip"]["request"]["diffusion_model"].get<std::string>(), HasSubstr("pocket-diffusion"));
  const std::string card = read_file(request.run_folder / "pocket.md");
  EXPECT_THAT(card, HasSubstr("| pocket-clip | clip |"));
  EXPECT_THAT(card, HasSubstr("pocket-clip is not needed for drawing"));
  EXPECT_THAT(card, HasSubstr("disco train pocket --run"));

  Listener again;
  train_pocket(request, again, parts);
  EXPECT_TRUE(again.losses.empty());
  EXPECT_THAT(again.notes, testing::Contains(HasSubstr("pocket-clip is finished")));

  fs::remove(request.export_folder / "pocket-clip.safetensors");
  train_pocket(request, again, parts);
  EXPECT_TRUE(again.losses.empty());  // Only exported anew.
  EXPECT_TRUE(fs::exists(request.export_folder / "pocket-clip.safetensors"));
}

TEST(Pocket, AScaleAndATimeChooseTheSteps) {
  const Folder folder;
  const std::vector<PocketPart> parts = tiny_parts();
  TrainRequest request = tiny_pocket(folder.path());
  request.scale = 0.5;
  Listener listener;
  train_pocket(request, listener, parts);
  EXPECT_EQ(listener.losses.size(), 2u + 2u);

  TrainRequest timed = tiny_pocket(folder.path() / "timed");
  timed.minutes = 30;  // Enough for more than ten steps on any machine; they are not all taken here.
  Listener half;
  half.stop_after = 2;
  EXPECT_THROW(train_pocket(timed, half, parts), Interrupted);
  const auto steps = [&] {
    return nlohmann::json::parse(read_file(timed.run_folder / "run.json"))["parts"]["diffusion"]["steps"]
        .get<std::int64_t>();
  };
  const std::int64_t planned = steps();
  EXPECT_GT(planned, 10);
  EXPECT_FALSE(fs::exists(timed.run_folder / "diffusion" / "trial"));
  half.stop_after = 5;
  EXPECT_THROW(train_pocket(timed, half, parts), Interrupted);
  EXPECT_EQ(steps(), planned);
}

TEST(Pocket, WhatItCannotUseIsRefused) {
  const Folder folder;
  Listener listener;
  TrainRequest request = tiny_pocket(folder.path());
  request.data = folder.path();
  EXPECT_THROW(train(request, listener), RequestError);
  request = tiny_pocket(folder.path());
  request.scale = 0;
  EXPECT_THROW(train(request, listener), RequestError);
  request = tiny_pocket(folder.path());
  request.picture_size = 64;
  write_file(request.run_folder / "run.json", "{");
  EXPECT_THROW(train(request, listener), FormatError);
}

}  // namespace
}  // namespace disco
