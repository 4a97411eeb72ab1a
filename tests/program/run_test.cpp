// What the program asks of the engine, and what it says while the engine works; on a stand-in for the engine.
#include <gmock/gmock.h>

#include "picture/picture.h"
#include "program/support.h"

namespace disco::program {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class RunTest : public FakeEngineTest {
 protected:
  // Most runs here have fewer steps than are skipped by default.
  RunTest() { place.set("DISCO_SKIP_STEPS", "0"); }
};

TEST_F(RunTest, StandardOutputIsThePathsOfThePictures) {
  const Outcome outcome = place.run({"a fox", "--n-batches", "2", "--steps", "3", "--width", "64", "--height", "64"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out_lines(), ElementsAre("out/TimeToDisco/0.png", "out/TimeToDisco/1.png"));
  EXPECT_EQ(read_picture(place / "out/TimeToDisco/1.png").width, 64);
  EXPECT_THAT(outcome.err, HasSubstr("drawing 2 pictures of 64 x 64 in 3 steps"));
  EXPECT_THAT(outcome.err, HasSubstr("picture 2/2  step 3/3  loss 0.333  0:00 left"));
  EXPECT_THAT(outcome.err, HasSubstr("warning: a warning\n"));
}

TEST_F(RunTest, TheRequestCarriesTheFlags) {
  const Outcome outcome = place.run({"run", "--prompt", "a fox", "--steps", "2", "--out", "elsewhere", "--models",
                                     "some/models", "--device", "cpu", "--threads", "3", "--memory", "1.5",
                                     "--checkpoint-seconds", "0", "--progress", "none"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto request = place.read_json("elsewhere/request.json");
  EXPECT_EQ(request["settings"]["steps"], 2);
  EXPECT_EQ(request["origins"]["steps"], "flag");
  EXPECT_EQ(request["device"], "cpu");
  EXPECT_EQ(request["threads"], 3);
  EXPECT_EQ(request["memory"], 1.5);
  EXPECT_EQ(request["checkpoint_seconds"], 0);
  EXPECT_EQ(request["model_folders"][0], "some/models");
  EXPECT_EQ(request["model_folders"][1], (source_folder() / "models").string());
}

TEST_F(RunTest, ModelsLieWhereTheEnvironmentSays) {
  place.set("DISCO_MODELS", "/from/environment");
  place.run({"a fox", "--steps", "1"});
  EXPECT_EQ(place.read_json("out/request.json")["model_folders"][0], "/from/environment");
}

TEST_F(RunTest, WithoutTheCommunitysModelsThePocketModelsDraw) {
  const Outcome outcome = place.run({"a fox", "--height", "64"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto request = place.read_json("out/request.json");
  EXPECT_EQ(request["settings"]["diffusion_model"], "pocket-diffusion");
  EXPECT_EQ(request["origins"]["diffusion_model"], "pocket models");
  EXPECT_EQ(request["settings"]["width"], 128);
  EXPECT_EQ(request["settings"]["height"], 64);
  EXPECT_EQ(request["origins"]["height"], "flag");
  EXPECT_THAT(
      outcome.err,
      HasSubstr("note: the small models that come with Disco draw this (pocket-diffusion, pocket-looks); for the "
                "community's: disco models pull 512x512_diffusion_uncond_finetune_008100"));
  const auto shown = place.run({"explain", "settings", "--json"}).json();
  EXPECT_EQ(shown["width"]["origin"], "pocket models");
}

TEST_F(RunTest, NobodysChoiceOfModelIsReplaced) {
  place.run({"a fox", "--steps", "1", "--diffusion-model", "mine"});
  EXPECT_EQ(place.read_json("out/request.json")["settings"]["diffusion_model"], "mine");
  const Outcome named = place.run({"a fox", "--steps", "1", "--diffusion-model", "pocket-diffusion"});
  EXPECT_EQ(place.read_json("out/request.json")["origins"]["width"], "model pocket-diffusion");
  EXPECT_THAT(named.err,
              HasSubstr("note: pocket-diffusion recommends, and sets, width, height, cutn_batches, clip_models\n"));
  place.write("all/everything", "");
  const Outcome installed = place.run({"a fox", "--steps", "1", "--models", "all"});
  EXPECT_EQ(place.read_json("out/request.json")["origins"]["diffusion_model"], "default");
  EXPECT_THAT(installed.err, Not(HasSubstr("small models")));
}

TEST_F(RunTest, ThePocketUnetIsNotMixedWithClipModelsThatAreNotThere) {
  place.run({"a fox", "--steps", "1", "--set", "clip_models=ViT-B/32"});
  EXPECT_EQ(place.read_json("out/request.json")["origins"]["diffusion_model"], "default");
  place.run({"a fox", "--steps", "1", "--set", "clip_models=pocket-looks"});
  EXPECT_EQ(place.read_json("out/request.json")["origins"]["diffusion_model"], "pocket models");
}

TEST_F(RunTest, NotesNameUnknownWordsAndAdvice) {
  const std::vector<std::string> flags = {
      "an xyzzy", "--steps",    "1",      "--no-clamp-grad", "--eta", "-1", "--clip-guidance-scale",
      "900000",   "--tv-scale", "5000000"};
  const Outcome outcome = place.run(flags);
  EXPECT_THAT(outcome.err, HasSubstr("note: pocket-looks has never seen: xyzzy\n"));
  EXPECT_THAT(outcome.err, HasSubstr("note: clip_guidance_scale: "));
  EXPECT_THAT(outcome.err, HasSubstr("more: disco explain advice"));
  EXPECT_THAT(outcome.err, Not(HasSubstr("note: width: ")));  // The shipped model's own.
  std::vector<std::string> quiet = flags;
  quiet.push_back("--no-advice");
  EXPECT_THAT(place.run(quiet).err, Not(HasSubstr("clip_guidance_scale")));
}

TEST_F(RunTest, JsonProgressIsOneObjectALine) {
  const Outcome outcome = place.run({"a fox", "--steps", "2", "--seed", "7", "--progress", "json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  std::map<std::string, int> count;
  for (const auto& event : outcome.events()) ++count[event["event"]];
  EXPECT_EQ(count["started"], 1);
  EXPECT_EQ(count["loading"], 1);
  EXPECT_EQ(count["step"], 2);
  EXPECT_EQ(count["picture"], 1);
  EXPECT_EQ(count["warning"], 1);
  EXPECT_GE(count["note"], 1);
  EXPECT_EQ(count["error"], 0);
  for (const auto& event : outcome.events()) {
    if (event["event"] == "started") {
      EXPECT_EQ(event["seed"], 7);
    }
    if (event["event"] == "step" && event["step"] == 2) {
      EXPECT_EQ(event["loss"], 0.5);
    }
  }
  EXPECT_THAT(outcome.out_lines(), ElementsAre("out/TimeToDisco/0.png"));
  const Outcome nan = place.run({"a fox", "--steps", "1", "--batch-name", "nan", "--progress", "json"});
  for (const auto& event : nan.events()) {
    if (event["event"] == "step") {
      EXPECT_TRUE(event["loss"].is_null());
    }
  }
}

TEST_F(RunTest, FailuresAreOneLineAndAStatus) {
  const auto failure = [&](const std::string& batch, int status) {
    const Outcome outcome = place.run({"a fox", "--batch-name", batch, "--no-advice", "--progress", "none"});
    EXPECT_EQ(outcome.status, status) << batch;
    EXPECT_THAT(outcome.err, Not(HasSubstr("Exception raised")));
    return outcome.err.substr(outcome.err.rfind("disco: "));
  };
  EXPECT_EQ(failure("failed", 1), "disco: out: the disk is full\n");
  EXPECT_EQ(failure("memory", 3), "disco: it does not fit; make it smaller\n");
  EXPECT_EQ(failure("internal", 1), "disco: internal error: a tensor is odd\n");
  EXPECT_THAT(failure("bad_alloc", 3), HasSubstr("memory"));
  const Outcome json = place.run({"a fox", "--batch-name", "memory", "--progress", "json"});
  const auto last = json.events().back();
  EXPECT_EQ(last["event"], "error");
  EXPECT_EQ(last["status"], 3);
}

TEST_F(RunTest, WhatMustHoldBetweenSettingsIsChecked) {
  const auto refusal = [&](std::vector<std::string> flags) {
    const Outcome outcome = place.run(flags);
    EXPECT_EQ(outcome.status, 2) << outcome.err;
    EXPECT_FALSE(fs::exists(place / "out"));
    return outcome.err;
  };
  EXPECT_THAT(refusal({"a fox:1", "a dog:-1"}), HasSubstr("weights"));
  EXPECT_THAT(refusal({"a fox", "--steps", "10", "--skip-steps", "10"}), HasSubstr("skip_steps"));
  EXPECT_THAT(refusal({"a fox", "--init-image", "nowhere.png"}), HasSubstr("nowhere.png"));
  EXPECT_THAT(refusal({"run", "--steps", "5"}), HasSubstr("there is no prompt"));
}

TEST_F(RunTest, FewStepsAreNotRefusedForTheSkippedOnes) { EXPECT_EQ(place.run({"a fox", "--steps", "8"}).status, 0); }

TEST_F(RunTest, TheFirstSignalAsksForACheckpoint) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    auto child = place.start({"a fox", "--steps", "1000", "--batch-name", "slow", "--out", "here", "--progress",
                              "lines", "--models", "my models"});
    ASSERT_TRUE(child.wait_for_err("drawing"));
    child.send(signal);
    const Outcome outcome = child.wait();
    EXPECT_EQ(outcome.status, 130);
    EXPECT_THAT(outcome.err, HasSubstr("finishing this step and keeping a checkpoint; press again to stop at once\n"));
    EXPECT_THAT(outcome.err, HasSubstr("disco: interrupted after step "));
    EXPECT_THAT(outcome.err, HasSubstr("go on with: disco resume here --models 'my models'\n"));
  }
}

TEST_F(RunTest, TheSecondSignalStopsAtOnce) {
  auto child = place.start({"a fox", "--steps", "10", "--batch-name", "hangs", "--progress", "lines"});
  ASSERT_TRUE(child.wait_for_err("drawing"));
  child.send(SIGINT);
  ASSERT_TRUE(child.wait_for_err("press again"));
  child.send(SIGINT);
  const Outcome outcome = child.wait();
  EXPECT_EQ(outcome.status, 130);
  EXPECT_LT(outcome.seconds, 30);
}

TEST_F(RunTest, AReaderThatGoesAwayDoesNotEndARun) {
  ASSERT_EQ(::mkfifo((place / "pipe").c_str(), 0600), 0);
  // The reader opens the pipe and leaves.
  std::thread reader([&] { ::close(::open((place / "pipe").c_str(), O_RDONLY)); });
  auto child = place.start({"a fox", "--steps", "3", "--n-batches", "2", "--batch-name", "slow"}, place / "pipe");
  reader.join();
  EXPECT_EQ(child.wait().status, 0);
  EXPECT_TRUE(fs::exists(place / "out/slow/1.png"));
}

TEST_F(RunTest, ATerminalGetsABar) {
  place.set("COLORTERM", "");
  const Outcome outcome = place.run_on_terminal({"a fox", "--steps", "4", "--no-advice"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("\r\x1b[K"));
  EXPECT_THAT(outcome.err, HasSubstr("██"));
  EXPECT_THAT(outcome.err, HasSubstr("picture 1/1  step 4/4  loss 0.250  0:00 left"));
  EXPECT_THAT(outcome.err, Not(HasSubstr("▀")));
  // No line is wider than the terminal.
  for (const std::string& line : split(outcome.err, '\r')) {
    if (!line.starts_with("\x1b[K")) continue;
    std::size_t columns = 0;
    for (std::size_t i = 3; i < line.size(); ++columns) next_code_point(line, i);
    EXPECT_LE(columns, 80u) << line;
  }
}

TEST_F(RunTest, ATerminalWithColourGetsAPreview) {
  place.set("COLORTERM", "truecolor");
  const std::vector<std::string> flags = {"a fox", "--steps", "2", "--width", "128", "--height", "64", "--no-advice"};
  const Outcome outcome = place.run_on_terminal(flags);
  // The flat red of the picture, above and below; it fits into 79 columns and 21 lines of two pixels.
  EXPECT_THAT(outcome.err, HasSubstr("\x1b[38;2;200;0;0m\x1b[48;2;200;0;0m▀▀▀"));
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), 'm') > 0, true);
  std::size_t rows = 0, cells = 0;
  for (const std::string& line : split(outcome.err, '\n')) {
    std::size_t found = 0;
    for (std::size_t at = line.find("▀"); at != std::string::npos; at = line.find("▀", at + 1)) ++found;
    if (found == 0) continue;
    ++rows;
    cells = std::max(cells, found);
  }
  EXPECT_EQ(cells, 79u);
  EXPECT_EQ(rows, 19u);
  std::vector<std::string> without = flags;
  without.insert(without.end(), {"--preview", "none"});
  EXPECT_THAT(place.run_on_terminal(without).err, Not(HasSubstr("▀")));
}

TEST_F(RunTest, DraftsAreQuickAndCarriedOnByNumber) {
  const Outcome draft = place.run({"draft", "a fox", "-n", "4", "--stop-at", "0.3"});
  ASSERT_EQ(draft.status, 0) << draft.err;
  EXPECT_THAT(draft.out_lines(), ElementsAre("out/sheet.png"));
  auto request = place.read_json("out/request.json");
  EXPECT_EQ(request["more"]["count"], 4);
  EXPECT_EQ(request["more"]["stop_at"], 0.3);
  EXPECT_EQ(request["origins"]["cutn_batches"], "preset draft");
  place.run({"draft", "a fox", "--preset", "gold"});
  EXPECT_EQ(place.read_json("out/request.json")["origins"]["cutn_batches"], "preset gold");
  const Outcome finish = place.run({"run", "--finish", "3,7-9", "--eta", "0.5"});
  ASSERT_EQ(finish.status, 0) << finish.err;
  request = place.read_json("out/request.json");
  EXPECT_EQ(request["verb"], "finish");
  EXPECT_EQ(request["more"]["numbers"], nlohmann::ordered_json::parse("[3,7,8,9]"));
  EXPECT_EQ(request["origins"]["eta"], "flag");
  // The draft's model and size are not replaced by what a model recommends; its few cuts are.
  EXPECT_EQ(request["origins"]["width"], "default");
  EXPECT_EQ(request["origins"]["diffusion_model"], "default");
  EXPECT_EQ(request["origins"]["cutn_batches"], "pocket models");
}

TEST_F(RunTest, ResumeNamesAllPicturesOfTheRun) {
  fs::create_directories(place / "out");
  const Outcome outcome = place.run({"resume", "--checkpoint-seconds", "5"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out_lines(), ElementsAre("out/second.png", "out/first.png"));
  EXPECT_EQ(place.read_json("out/resumed.json")["checkpoint_seconds"], 5);
  EXPECT_THAT(outcome.err, HasSubstr("going on with 2 pictures"));
  const Outcome missing = place.run({"resume", "nowhere"});
  EXPECT_EQ(missing.status, 2);
}

}  // namespace
}  // namespace disco::program
