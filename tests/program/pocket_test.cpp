// The models that come with the program draw what the words say, with nothing else installed.
#include <gmock/gmock.h>

#include "picture/picture.h"
#include "program/support.h"

namespace disco::program {
namespace {

using ::testing::HasSubstr;

struct Colour {
  double red = 0, green = 0, blue = 0;
};

class PocketTest : public ::testing::Test {
 protected:
  /// The mean colour of the upper third, which is sky, of the picture of a seed.
  Colour sky(const std::string& prompt, std::vector<std::string> more = {}) {
    std::vector<std::string> words = {prompt, "--seed",   "1",    "--steps",    "25",   "--threads",
                                      "1",    "--models", "none", "--progress", "lines"};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = place.run(words);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    if (outcome.status != 0) return {};
    EXPECT_THAT(outcome.err, HasSubstr("the small models that come with Disco draw this"));
    const Picture picture = read_picture(place / outcome.out_lines().at(0));
    EXPECT_EQ(picture.width, 256);  // Drawn at 64 and enlarged.
    Colour mean;
    const int rows = picture.height / 3;
    const double pixels = static_cast<double>(rows) * picture.width;
    for (int y = 0; y < rows; ++y) {
      for (int x = 0; x < picture.width; ++x) {
        mean.red += picture.at(x, y, 0) / pixels;
        mean.green += picture.at(x, y, 1) / pixels;
        mean.blue += picture.at(x, y, 2) / pixels;
      }
    }
    return mean;
  }

  Workplace place;
};

TEST_F(PocketTest, TheWordsChooseTheSky) {
  const Colour sunset = sky("a lighthouse at sunset"), night = sky("a ship at night");
  const Colour unguided = sky("a lighthouse at sunset", {"--clip-guidance-scale", "0"});
  EXPECT_GT(sunset.red, sunset.blue + 20);
  EXPECT_LT(night.red + night.green + night.blue, 3 * 90);
  EXPECT_LT(unguided.red, unguided.blue);  // This seed draws a day when nobody asks.
}

}  // namespace
}  // namespace disco::program
