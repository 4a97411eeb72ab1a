// Pictures drawn by the whole program: the same ones every time, whatever happens on the way.
#include "program/drawing.h"

#include <gmock/gmock.h>

#include "picture/picture.h"

namespace disco::program {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(DrawingTest, TheSameSeedIsTheSameFile) {
  const Outcome first = place.run(drawing("a"));
  ASSERT_EQ(first.status, 0) << first.err;
  EXPECT_THAT(first.out_lines(), ElementsAre("a/small/small(0)_0000.png"));
  EXPECT_THAT(files("a"), ElementsAre("small(0)_0000.json", "small(0)_0000.png"));
  ASSERT_EQ(place.run(drawing("b")).status, 0);
  EXPECT_EQ(picture("a", 0), picture("b", 0));
  ASSERT_EQ(place.run(drawing("c", {"--seed", "4"})).status, 0);
  EXPECT_NE(picture("a", 0), picture("c", 0));

  int steps = 0;
  for (const auto& event : first.events()) {
    if (event["event"] != "step") continue;
    EXPECT_EQ(event["step"], ++steps);
    EXPECT_GT(event["loss"], 0);
  }
  EXPECT_EQ(steps, 6);
  const auto beside = place.read_json("a/small/small(0)_0000.json");
  EXPECT_EQ(beside["settings"]["steps"], 6);
  EXPECT_EQ(beside["settings"]["text_prompts"]["0"][0], "a lighthouse");
  EXPECT_EQ(beside["losses"].size(), 6u);
  const PictureText texts = read_picture_text(picture("a", 0), "a");
  EXPECT_THAT(texts.at("parameters"), HasSubstr("a lighthouse\nSteps: 6, "));
  // The picture is a settings file, and draws itself again.
  ASSERT_EQ(place
                .run({"run", "--settings", "a/small/small(0)_0000.png", "--out", "d", "--models",
                      small_models().string(), "--threads", "1", "--no-advice"})
                .status,
            0);
  EXPECT_EQ(picture("d", 0), picture("a", 0));
}

TEST_F(DrawingTest, AnInterruptedRunGoesOnToTheSameBits) {
  ASSERT_EQ(place.run(drawing("whole", {"--n-batches", "2"})).status, 0);
  auto child = place.start(drawing("cut", {"--n-batches", "2"}));
  ASSERT_TRUE(child.wait_for_err("\"step\":3,")) << child.err_so_far();
  child.send(SIGINT);
  const Outcome interrupted = child.wait();
  EXPECT_EQ(interrupted.status, 130);
  EXPECT_EQ(interrupted.out, "");
  EXPECT_EQ(interrupted.events().back()["status"], 130);
  EXPECT_THAT(interrupted.events().back()["message"].get<std::string>(), HasSubstr("disco resume "));
  EXPECT_FALSE(fs::exists(place / "cut/small/small(0)_0000.png"));
  const Outcome resumed = place.run(resuming("cut"));
  ASSERT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_THAT(resumed.out_lines(), ElementsAre("cut/small/small(0)_0000.png", "cut/small/small(0)_0001.png"));
  for (int k = 0; k < 2; ++k) {
    EXPECT_EQ(picture("cut", k), picture("whole", k));
    EXPECT_EQ(losses("cut", k), losses("whole", k));
  }
  EXPECT_EQ(files("cut"), files("whole"));
  const Outcome again = place.run(resuming("cut"));
  EXPECT_EQ(again.status, 2);
  EXPECT_THAT(again.err, HasSubstr("no unfinished run"));
}

TEST_F(DrawingTest, AFullDiskLeavesTheEarlierPicturesWhole) {
  ASSERT_EQ(place.run(drawing("whole", {"--n-batches", "2"})).status, 0);
  auto child = place.start(drawing("full", {"--n-batches", "2", "--checkpoint-seconds", "0"}));
  ASSERT_TRUE(child.wait_for_err("\"event\":\"picture\"")) << child.err_so_far();
  child.forbid_files_beyond(4096);
  const Outcome outcome = child.wait();
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.out_lines(), ElementsAre("full/small/small(0)_0000.png"));
  EXPECT_EQ(picture("full", 0), picture("whole", 0));
  EXPECT_FALSE(fs::exists(place / "full/small/small(0)_0001.png"));
  // The checkpoint from before is whole, too.
  const Outcome resumed = place.run(resuming("full"));
  ASSERT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_EQ(picture("full", 1), picture("whole", 1));
  EXPECT_EQ(files("full"), files("whole"));
}

TEST_F(DrawingTest, AFolderThatCannotBeWrittenIsSaidBeforeAnythingIsDrawn) {
  std::vector<std::string> folders = {"/dev/null/here", "/proc/here"};
  if (::geteuid() != 0) {
    fs::create_directories(place / "locked");
    fs::permissions(place / "locked", fs::perms::owner_read | fs::perms::owner_exec);
    folders.push_back("locked");
  }
  for (const std::string& folder : folders) {
    const Outcome outcome = place.run(drawing(folder));
    EXPECT_NE(outcome.status, 0) << folder;
    EXPECT_EQ(outcome.out, "");
    for (const auto& event : outcome.events()) EXPECT_NE(event["event"], "step");
    EXPECT_THAT(outcome.events().back()["message"].get<std::string>(), HasSubstr(folder));
  }
}

TEST_F(DrawingTest, AMissingModelIsNamedWithTheCommandThatGetsIt) {
  const Outcome outcome =
      place.run({"a fox", "--models", (place / "empty").string(), "--diffusion-model", "256x256_diffusion_uncond"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("disco models pull 256x256_diffusion_uncond"));
}

TEST_F(DrawingTest, TheEngineAnswersTheOtherVerbs) {
  const auto models = place.run({"models", "list", "--json", "--models", small_models().string()}).json();
  EXPECT_TRUE(std::any_of(models["installed"].begin(), models["installed"].end(),
                          [](const auto& m) { return m["name"] == "ref-vit32"; }));
  EXPECT_GT(models["known"].size(), 10u);
  const auto seen =
      place.run({"models", "inspect", "--json", (small_models() / "ref-adm256.safetensors").string()}).json();
  EXPECT_EQ(seen["role"], "diffusion");
  EXPECT_EQ(seen["parameters"], 8675526);
  EXPECT_TRUE(place.run({"doctor", "--json"}).json().contains("memory"));
  const auto memory =
      place.run({"explain", "memory", "--json", "--settings", "small.json", "--models", small_models().string()})
          .json();
  EXPECT_EQ(memory["fits"], true);
  EXPECT_GT(memory["peak"], 50'000'000);
  const Outcome refused = place.run(drawing("none", {"--memory", "0.05"}));
  EXPECT_EQ(refused.status, 3) << refused.err;
}

TEST_F(DrawingTest, DraftsAreFinishedByNumber) {
  std::vector<std::string> flags = drawing("out", {"--count", "3", "--stop-at", "0.5"});
  flags.front() = "draft";
  const Outcome draft = place.run(flags);
  ASSERT_EQ(draft.status, 0) << draft.err;
  EXPECT_THAT(draft.out_lines(), ElementsAre("out/small/small(0)_drafts.png"));
  EXPECT_GT(read_picture(place / "out/small/small(0)_drafts.png").width, 64);
  const Outcome finished = place.run({"run", "--finish", "2", "--out", "out", "--models", small_models().string(),
                                      "--threads", "1", "--progress", "none"});
  ASSERT_EQ(finished.status, 0) << finished.err;
  ASSERT_EQ(finished.out_lines().size(), 1u);
  const fs::path sidecar = fs::path(place / finished.out_lines().front()).replace_extension(".json");
  const auto settings = nlohmann::ordered_json::parse(read_file(sidecar))["settings"];
  EXPECT_EQ(settings["seed"], 4);
  EXPECT_EQ(settings["width"], 64);
  EXPECT_EQ(settings["text_prompts"]["0"][0], "a lighthouse");
  const Outcome missing = place.run({"run", "--finish", "9", "--out", "out", "--models", small_models().string(),
                                     "--threads", "1", "--progress", "none"});
  EXPECT_EQ(missing.status, 2);
  EXPECT_THAT(missing.err, HasSubstr("numbered 1 to 3"));
}

}  // namespace
}  // namespace disco::program
