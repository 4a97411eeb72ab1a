// models, doctor and explain memory, on a stand-in for the engine.
#include <gmock/gmock.h>

#include "program/support.h"

namespace disco::program {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

using ModelsTest = FakeEngineTest;

TEST_F(ModelsTest, ListShowsInstalledAndKnown) {
  const Outcome table = place.run({"models"});
  ASSERT_EQ(table.status, 0) << table.err;
  EXPECT_THAT(table.out, ContainsRegex("Installed\n  pocket-looks +clip "));
  EXPECT_THAT(table.out, HasSubstr("disco models pull NAME\n  RN50  clip  a ResNet\n"));
  const auto json = place.run({"models", "list", "--json"}).json();
  EXPECT_EQ(json["installed"].size(), 2u);
  EXPECT_EQ(json["known"][0]["name"], "RN50");
  EXPECT_EQ(json["known"][0]["installed"], false);
}

TEST_F(ModelsTest, InspectSaysWhatAFileHolds) {
  place.write("w.safetensors", "x");
  const Outcome text = place.run({"models", "inspect", "w.safetensors", "--tensors"});
  EXPECT_THAT(text.out, HasSubstr("  role        clip\n  parameters  12\n"));
  EXPECT_THAT(text.out, HasSubstr("a.weight  F32  [3,4]"));
  EXPECT_EQ(place.run({"models", "inspect", "w.safetensors", "--json"}).json()["tensors"][0]["shape"][1], 4);
  EXPECT_EQ(place.run({"models", "inspect", "none"}).status, 2);
}

TEST_F(ModelsTest, VerifyFailsWhenAModelIsBad) {
  const Outcome outcome = place.run({"models", "verify"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.out, ContainsRegex("good +good-one"));
  EXPECT_THAT(outcome.out, ContainsRegex("BAD +bad-one +another checksum"));
  EXPECT_EQ(place.run({"models", "verify", "--json"}).json()[1]["good"], false);
}

TEST_F(ModelsTest, AddPullAndRemoveSayWhatTheyDid) {
  place.write("mine.pt", "x");
  EXPECT_THAT(place.run({"models", "add", "mine.pt", "--name", "better", "--models", "store"}).err,
              HasSubstr("added better (clip): store/mine.pt"));
  const Outcome pull = place.run({"models", "pull", "RN50", "RN101", "--models", "store", "--progress", "json"});
  EXPECT_EQ(pull.status, 0);
  EXPECT_THAT(pull.err, HasSubstr(R"({"event":"download","model":"RN101","done":20,"all":20})"));
  EXPECT_THAT(pull.err, HasSubstr("RN50 is there: store/RN50"));
  EXPECT_EQ(place.run({"models", "pull", "RN50", "--offline"}).status, 2);
  EXPECT_EQ(place.run({"models", "remove", "pocket-looks"}).status, 0);
  EXPECT_EQ(place.run({"models", "remove", "nothing"}).status, 2);
}

TEST_F(ModelsTest, DoctorIsAnOutlineOrJson) {
  EXPECT_EQ(place.run({"doctor"}).out,
            "machine:\n  cores: 2\nmodels:\n  - a\n  - b\nfits:\n  preset   verdict\n  gold     no\n  default  yes\n");
  EXPECT_EQ(place.run({"doctor", "--json"}).json()["machine"]["cores"], 2);
  EXPECT_EQ(place.run({"doctor", "who"}).status, 2);
}

TEST_F(ModelsTest, MemoryIsExplained) {
  const Outcome fits = place.run({"explain", "memory", "--width", "640", "--height", "640"});
  EXPECT_THAT(fits.out, ContainsRegex("diffusion weights +195.3 MiB\n"));
  EXPECT_THAT(fits.out, HasSubstr("It fits.\n"));
  EXPECT_THAT(fits.out, HasSubstr("with the secondary model\ncuts     4    8     16\n512x512  0.5  1.0*  -\n"));
  const auto large = place.run({"explain", "memory", "--width", "2048", "--height", "2048", "--json"}).json();
  EXPECT_EQ(large["fits"], false);
  EXPECT_EQ(large["suggestion"], "width 512, height 512");
}

}  // namespace
}  // namespace disco::program
