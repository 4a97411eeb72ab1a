// The measurement of how often pictures show what was asked for.
#include "bench/adherence.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "models/weights/state_dict.h"
#include "run/support.h"
#include "settings/table.h"
#include "train/judge.h"

namespace disco {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Counter : public BenchEvents {
 public:
  void drawn(const std::string& arm, int, int) override { arms.push_back(arm); }
  std::vector<std::string> arms;
};

class Adherence : public ::testing::Test {
 protected:
  Adherence() {
    save_safetensors(place.path() / "models/a-judge.safetensors", initial_judge({{4, 8}, {1, 1}}, 1));
    write_file(place.path() / "models/a-judge.model.json",
               R"({"name": "a-judge", "role": "judge", "file": "a-judge.safetensors"})");
    request.engine.model_folders = {place.path() / "models", golden::models_folder()};
    request.engine.device = "cpu";
    request.engine.threads = 1;
    request.settings = quick_settings({{"steps", 2}}).settings;
    request.settings.text_prompts.clear();
    request.out = place.path() / "out";
    request.judge = "a-judge";
    request.prompts = 2;
  }

  AdherenceResult measure() { return measure_adherence(request, counter); }

  TemporaryFolder place;
  AdherenceRequest request;
  Counter counter;
};

TEST_F(Adherence, DrawsEveryPromptInEveryArm) {
  const AdherenceResult result = measure();
  ASSERT_EQ(result.arms.size(), 2u);
  EXPECT_EQ(result.arms[0].name, "guided");
  EXPECT_EQ(result.arms[1].name, "unguided");
  std::vector<std::string> attributes;
  for (const AdherenceScore& score : result.arms[0].scores) {
    attributes.push_back(score.attribute);
    EXPECT_EQ(score.asked, 2);
    EXPECT_LE(score.right, 2);
    EXPECT_GT(score.chance, 0);
  }
  EXPECT_THAT(attributes, ElementsAre("subject", "sky", "ground", "palette", "style"));
  for (const AdherenceResult::Arm& arm : result.arms) EXPECT_GT(read_picture(arm.sheet).width, 64);
  EXPECT_EQ(nlohmann::ordered_json::parse(read_file(request.out / "adherence.json")), to_json(result));
  for (const AdherenceResult::Arm& arm : result.arms) {
    ASSERT_EQ(arm.pictures.size(), 2u);
    for (std::size_t i = 0; i < arm.scores.size(); ++i) {
      int right = 0;
      for (const AdherencePicture& picture : arm.pictures) right += picture.seen.at(i) == picture.asked.at(i) ? 1 : 0;
      EXPECT_EQ(arm.scores[i].right, right) << arm.scores[i].attribute;
    }
    EXPECT_EQ(arm.pictures[0].asked[0], "a ship");
    EXPECT_THAT(arm.pictures[0].prompt, HasSubstr("ship"));
  }
  const std::string guided = read_file(request.out / "guided/001.png");
  EXPECT_NE(guided, read_file(request.out / "unguided/001.png"));
  EXPECT_NE(guided, read_file(request.out / "guided/051.png"));
  for (const auto& entry : fs::directory_iterator(request.out / "guided")) {
    EXPECT_FALSE(entry.is_directory()) << entry.path();  // What a picture was drawn in is cleared away.
  }
}

TEST_F(Adherence, SharesTogetherDrawWhatOneCallDraws) {
  const AdherenceResult whole = measure();
  const std::string second = read_file(request.out / "guided/051.png");
  request.out = place.path() / "shared";
  request.shares = 2;
  request.share = 1;
  EXPECT_TRUE(measure().arms.empty());
  EXPECT_FALSE(fs::exists(request.out / "guided/001.png"));
  EXPECT_EQ(read_file(request.out / "guided/051.png"), second);
  request.share = 0;
  measure();
  request.shares = 1;
  const auto drawn_at = fs::last_write_time(request.out / "unguided/001.png");
  EXPECT_EQ(to_json(measure()), to_json(whole));
  EXPECT_EQ(fs::last_write_time(request.out / "unguided/001.png"), drawn_at);
  request.shares = 2;
  request.share = 2;
  EXPECT_THROW(measure(), RequestError);
}

TEST_F(Adherence, FinishedPicturesAreKept) {
  measure();
  const auto drawn_at = fs::last_write_time(request.out / "guided/001.png");
  fs::remove(request.out / "unguided/051.png");
  measure();
  EXPECT_EQ(fs::last_write_time(request.out / "guided/001.png"), drawn_at);
  EXPECT_TRUE(fs::exists(request.out / "unguided/051.png"));
}

TEST_F(Adherence, PicturesOfOtherSettingsAreRefused) {
  measure();
  request.settings.clip_guidance_scale = 17;
  try {
    measure();
    FAIL() << "pictures of two settings were mixed";
  } catch (const RequestError& error) {
    EXPECT_THAT(error.what(), HasSubstr("drawn with other settings"));
  }
}

TEST_F(Adherence, AnInterruptEndsItBetweenPictures) {
  const std::atomic<bool> interrupt = true;
  request.interrupt = &interrupt;
  EXPECT_THROW(measure(), Interrupted);
  EXPECT_TRUE(counter.arms.empty());
}

TEST_F(Adherence, EveryClipModelAloneIfAsked) {
  request.settings.clip_models = {{"ViT-B/32", 1.0}, {"RN50", 1.0}};
  EXPECT_EQ(adherence_arms(request).size(), 2u);
  request.each_clip = true;
  const std::vector<AdherenceArm> arms = adherence_arms(request);
  ASSERT_EQ(arms.size(), 4u);
  EXPECT_EQ(arms[3].name, "RN50 alone");
  EXPECT_EQ(arms[3].settings.clip_models.size(), 1u);
  EXPECT_TRUE(arms[1].settings.clip_guidance_scale.maximum() == 0);
}

TEST_F(Adherence, AMissingJudgeIsNamed) {
  request.judge = "nobody";
  try {
    measure();
    FAIL();
  } catch (const RequestError& error) {
    EXPECT_THAT(error.what(), HasSubstr("judge model \"nobody\""));
  }
}

}  // namespace
}  // namespace disco
