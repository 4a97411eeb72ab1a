// What a resumed run promises: the same weights, the same pictures to begin with, all that was asked for, one process.
#include <gmock/gmock.h>

#include <algorithm>

#include "picture/picture.h"
#include "program/drawing.h"

namespace disco::program {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ResumeTest : public DrawingTest {
 protected:
  /// Stopped after two steps, with a checkpoint.
  void interrupt(const std::vector<std::string>& arguments) {
    auto child = place.start(arguments);
    ASSERT_TRUE(child.wait_for_err("\"step\":2,")) << child.err_so_far();
    child.send(SIGINT);
    ASSERT_EQ(child.wait().status, 130) << child.err_so_far();
  }
  std::vector<std::string> checkpoints(const std::string& out) const {
    std::vector<std::string> names;
    if (!fs::exists(place / (out + "/small"))) return names;
    for (const std::string& name : files(out)) {
      if (name.ends_with(".ckpt")) names.push_back(name);
    }
    return names;
  }
  std::string message(const Outcome& outcome) const { return outcome.events().back()["message"].get<std::string>(); }
};

TEST_F(ResumeTest, OtherWeightsAreRefused) {
  fs::copy(small_models(), place / "models", fs::copy_options::recursive);
  const std::string models = (place / "models").string();
  std::vector<std::string> run = drawing("out");
  *(std::find(run.begin(), run.end(), "--models") + 1) = models;
  interrupt(run);
  // The same network with other numbers.
  const fs::path weights = place / "models/ref-vit32.safetensors";
  std::string bytes = read_file(weights);
  const std::string kept = bytes;
  for (std::size_t k = bytes.size() - 4000; k < bytes.size(); k += 4) bytes[k] = static_cast<char>(bytes[k] ^ 1);
  write_file(weights, bytes);
  const std::vector<std::string> resume = {"resume", "out", "--models", models, "--threads", "1", "--progress", "json"};
  const Outcome refused = place.run(resume);
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(message(refused), HasSubstr("the weights of ref-vit32 are not those that the run was begun with"));
  write_file(weights, kept);
  EXPECT_EQ(place.run(resume).status, 0);
}

TEST_F(ResumeTest, AnotherInitImageIsRefused) {
  Picture init(64, 64, 3);
  write_picture(place / "init.png", init);
  interrupt(drawing("out", {"--init-image", "init.png", "--init-scale", "0"}));
  const std::string kept = place.read("init.png");
  init.samples[5] = 200;
  write_picture(place / "init.png", init);
  const Outcome changed = place.run(resuming("out"));
  EXPECT_EQ(changed.status, 2);
  EXPECT_THAT(message(changed), HasSubstr("init.png: this is not the picture that the run was begun with"));
  fs::remove(place / "init.png");
  const Outcome gone = place.run(resuming("out"));
  EXPECT_EQ(gone.status, 2);
  EXPECT_THAT(message(gone), HasSubstr("init.png"));
  place.write("init.png", kept);
  EXPECT_EQ(place.run(resuming("out")).status, 0);
}

TEST_F(ResumeTest, ARunThatCannotBeginIsNoUnfinishedOne) {
  place.write("broken.png", "no picture");
  for (const std::vector<std::string>& flags :
       {std::vector<std::string>{"--perlin-init", "true", "--init-scale", "100", "--lpips-model", "none-here"},
        {"--init-image", "broken.png"},
        {"--batch-name", std::string(300, 'x')}}) {
    const Outcome outcome = place.run(drawing("out", flags));
    EXPECT_EQ(outcome.status, 2) << outcome.err;
    EXPECT_THAT(checkpoints("out"), ElementsAre());
  }
}

TEST_F(ResumeTest, DraftsThatWereLeftAreCarriedOnToo) {
  std::vector<std::string> draft = drawing("out", {"--count", "3", "--stop-at", "0.34"});
  draft.front() = "draft";
  ASSERT_EQ(place.run(draft).status, 0);
  interrupt(drawing("out", {"--finish", "1,3"}));
  EXPECT_EQ(checkpoints("out").size(), 2u);
  const Outcome resumed = place.run(resuming("out"));
  ASSERT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_THAT(resumed.out_lines(), ElementsAre("out/small/small(1)_0000.png", "out/small/small(2)_0000.png"));
  EXPECT_THAT(checkpoints("out"), ElementsAre());
  const auto sidecar = place.read_json("out/small/small(2)_0000.json");
  EXPECT_EQ(sidecar["seed"], 5);
  EXPECT_EQ(sidecar["carried_on"]["draft"], "small(0)_0002.draft");
  const Outcome imported = place.run({"import", "out/small/small(2)_0000.png"});
  EXPECT_THAT(imported.err, HasSubstr("carried on from a draft"));
}

TEST_F(ResumeTest, WholeDraftsStayDrafts) {
  std::vector<std::string> draft = drawing("out", {"--count", "2", "--stop-at", "1", "--checkpoint-seconds", "0"});
  draft.front() = "draft";
  interrupt(draft);
  const Outcome resumed = place.run(resuming("out"));
  ASSERT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_THAT(resumed.out_lines(), ElementsAre("out/small/small(0)_drafts.png"));
}

TEST_F(ResumeTest, DraftsStopAtTheirShareOfTheSteps) {
  place.write("twenty.json", R"({"steps": 20})");
  std::vector<std::string> draft = drawing("out", {"--count", "1", "--settings", "twenty.json"});
  draft.front() = "draft";
  const Outcome outcome = place.run(draft);
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  for (const auto& event : outcome.events()) {
    if (event["event"] == "started") {
      EXPECT_EQ(event["steps"], 9) << "45 % of 20";
    }
  }
}

TEST_F(ResumeTest, ARunIsDrawnByOneProcess) {
  auto child = place.start(drawing("out", {"--steps", "200", "--checkpoint-seconds", "0"}));
  ASSERT_TRUE(child.wait_for_err("\"step\":2,")) << child.err_so_far();
  const Outcome second = place.run(resuming("out"));
  EXPECT_EQ(second.status, 2);
  EXPECT_THAT(message(second), HasSubstr("another process is drawing this run"));
  child.send(SIGKILL);
  child.wait();
  EXPECT_TRUE(fs::exists(place / "out/small/small(0)_0000.ckpt"));
  auto third = place.start(resuming("out"));
  EXPECT_TRUE(third.wait_for_err("\"resumed\":true")) << "a killed process holds nothing";
  third.send(SIGKILL);
  third.wait();
}

TEST_F(ResumeTest, ProgressInJsonIsJsonFromTheFirstLine) {
  const Outcome outcome = place.run({"run", "a fox", "--progress", "json", "--no-such-flag"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.events().back()["event"], "error");
}

}  // namespace
}  // namespace disco::program
