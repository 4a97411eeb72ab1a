// train, with the real engine and networks that are trained in a moment.
#include <gmock/gmock.h>

#include "picture/picture.h"
#include "program/support.h"

namespace disco::program {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

class TrainTest : public ::testing::Test {
 protected:
  static std::vector<std::string> tiny(const std::string& steps, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {
        "train",           "diffusion",
        "--run",           "run",
        "--export",        "out",
        "--steps",         steps,
        "--picture-size",  "16",
        "--batch",         "4",
        "--threads",       "1",
        "--sheet-minutes", "0",
        "--network",       R"({"num_channels": 32, "channel_mult": [1, 1], "attention_resolutions": "2", "patch": 4})"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  Workplace place;
};

TEST_F(TrainTest, TrainsExportsAndLeavesItsRecord) {
  const Outcome outcome = place.run(tiny("3", {"--precision", "bfloat16", "--accumulate", "2", "--progress", "json"}));
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(place.read_json("out/pocket-diffusion.model.json")["role"], "diffusion");
  const auto request = place.read_json("run/request.json")["request"];
  EXPECT_EQ(request["accumulate"], 2);
  EXPECT_EQ(request["precision"], "bfloat16");
  EXPECT_THAT(place.read("run/log.csv"), HasSubstr("\n3,"));
  EXPECT_EQ(outcome.events().back()["event"], "note");
}

TEST_F(TrainTest, GoesOnFromAnInstalledModelOnAFolderOfImages) {
  ASSERT_EQ(place.run(tiny("1", {"--name", "mine"})).status, 0);
  fs::create_directories(place / "images");
  write_picture(place / "images/a_cat.png", Picture(20, 30, 3));
  write_picture(place / "images/b.jpg", Picture(40, 30, 3));
  place.write("images/broken.webp", "RIFF");
  const std::vector<std::string> words = {"train",       "diffusion", "--run",   "second", "--export",        "out",
                                          "--from",      "mine",      "--data",  "images", "--models",        "out",
                                          "--steps",     "2",         "--batch", "2",      "--sheet-minutes", "0",
                                          "--no-mirror", "--threads", "1"};
  const Outcome outcome = place.run(words);
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("broken.webp is left out"));
  EXPECT_THAT(outcome.err, HasSubstr("starting from out/mine.safetensors"));
  EXPECT_EQ(place.read_json("second/request.json")["request"]["picture_size"], 16);  // What `mine` was made for.
}

TEST_F(TrainTest, AFullDiskLeavesTheOldCheckpointWhole) {
  auto child = place.start(tiny("100000", {"--checkpoint-minutes", "0"}));
  ASSERT_TRUE(child.wait_for_err("checkpoint at step")) << child.err_so_far();
  child.forbid_files_beyond(200000);
  const Outcome outcome = child.wait();
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("could not be written"));
  EXPECT_THAT(outcome.err, HasSubstr("the checkpoint before it is still whole"));
  const std::string log = place.read("run/log.csv");
  const std::string steps = std::to_string(std::count(log.begin(), log.end(), '\n') + 1);
  const Outcome again = place.run(tiny(steps));
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("going on from step"));
}

TEST_F(TrainTest, MistakesAreRefusedBeforeTheWork) {
  const auto refused = [&](const std::vector<std::string>& words, const std::string& what) {
    const Outcome outcome = place.run(words);
    EXPECT_EQ(outcome.status, 2) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(what));
  };
  refused({"train"}, "diffusion, clip, secondary, upscaler, judge, pocket");
  refused({"train", "lpips"}, "diffusion, clip, secondary, upscaler, judge, pocket");
  refused(tiny("1", {"--data", "nowhere"}), "there is no such folder of pictures");
  refused(tiny("1", {"--from", "nobody", "--models", "none"}), "there is no diffusion model \"nobody\"");
  refused(tiny("1", {"--no-mirror"}), "--data");
  refused(tiny("1", {"--minutes", "3"}), "--minutes");
  refused(tiny("1", {"--guesses-of", "x"}), "--guesses-of");
  refused(tiny("1", {"--device", "cuda"}), "CUDA");
  refused({"train", "pocket", "--steps", "3"}, "--steps");
  refused({"train", "pocket", "--minutes", "3", "--scale", "0.5"}, "give one of them");
  place.write("file", "x");
  refused(tiny("1", {"--export", "file"}), "export folder");
}

}  // namespace
}  // namespace disco::program
