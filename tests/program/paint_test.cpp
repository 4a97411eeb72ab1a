// paint, with the real engine.
#include <gmock/gmock.h>

#include "picture/picture.h"
#include "program/support.h"

namespace disco::program {
namespace {

using ::testing::HasSubstr;

class PaintTest : public ::testing::Test {
 protected:
  Workplace place;
};

TEST_F(PaintTest, PaintsPicturesWithCaptionsTheSameEachTime) {
  const std::vector<std::string> words = {
      "paint",   "one",          "--count", "3",     "--side",    "64",     "--seed",    "5",
      "--style", "oil painting", "--sky",   "night", "--subject", "castle", "--palette", "sepia"};
  const Outcome outcome = place.run(words);
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "one\n");
  const Picture picture = read_picture(place / "one/000003.png");
  EXPECT_EQ(picture.width, 64);
  EXPECT_EQ(picture.height, 64);
  EXPECT_FALSE(fs::exists(place / "one/000004.png"));
  EXPECT_EQ(std::ranges::count(place.read("one/000001.txt"), '\n'), 3);
  std::vector<std::string> again = words;
  again[1] = "two";
  ASSERT_EQ(place.run(again).status, 0);
  EXPECT_EQ(place.read("one/000002.png"), place.read("two/000002.png"));
  EXPECT_EQ(place.read("one/000002.txt"), place.read("two/000002.txt"));
  EXPECT_NE(place.read("one/000001.png"), place.read("one/000002.png"));
}

TEST_F(PaintTest, RefusesWhatItCannotPaint) {
  const auto refused = [&](const std::vector<std::string>& more, const std::string& message) {
    std::vector<std::string> words = {"paint", "pictures", "--count", "1"};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = place.run(words);
    EXPECT_EQ(outcome.status, 2) << message;
    EXPECT_THAT(outcome.err, HasSubstr(message));
    EXPECT_FALSE(fs::exists(place / "pictures"));
  };
  refused({"--style", "cubism"}, "stained glass");
  refused({"--subject", "whale", "--ground", "desert"}, "no picture shows all of this together");
  refused({"--side", "4"}, "--side");
  refused({"--variety", "2"}, "--variety");
}

TEST_F(PaintTest, LeavesFoldersWithFilesAlone) {
  fs::create_directories(place / "mine");
  place.write("mine/000001.png", "precious");
  const Outcome outcome = place.run({"paint", "mine", "--count", "1"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("empty folder"));
  EXPECT_EQ(place.read("mine/000001.png"), "precious");
}

}  // namespace
}  // namespace disco::program
