#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "core/error.h"
#include "train/world/captions.h"
#include "train/world/paint.h"

namespace disco {
namespace {

using testing::HasSubstr;
using testing::Not;

double difference(const Picture& a, const Picture& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.samples.size(); ++i) sum += std::abs(int{a.samples[i]} - int{b.samples[i]});
  return sum / static_cast<double>(a.samples.size());
}

TEST(World, TheSameSeedPaintsTheSamePicture) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const Picture first = paint(random_scene(seed), 32), second = paint(random_scene(seed), 32);
    EXPECT_EQ(first.samples, second.samples);
    EXPECT_NE(first.samples, paint(random_scene(seed + 100), 32).samples);
  }
}

TEST(World, PicturesOfAnySizeShowTheSame) {
  const Scene scene = random_scene(7);
  const Picture large = paint(scene, 64), small = paint(scene, 16);
  ASSERT_EQ(small.width, 16);
  ASSERT_EQ(small.channels, 3);
  // The mean of each 4×4 block of the large one is about the small one's pixel.
  Picture reduced(16, 16, 3);
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 16; ++x) {
      for (int c = 0; c < 3; ++c) {
        int sum = 0;
        for (int k = 0; k < 16; ++k) sum += large.at(4 * x + k % 4, 4 * y + k / 4, c);
        reduced.at(x, y, c) = static_cast<std::uint8_t>(sum / 16);
      }
    }
  }
  EXPECT_LT(difference(reduced, small), 4);
  EXPECT_THROW(paint(scene, 0), RequestError);
}

TEST(World, EverySubjectSkyAndGroundLooksDifferent) {
  Scene scene = random_scene(11);
  scene.ground = Ground::sea;
  std::vector<Picture> pictures;
  for (std::size_t i = 0; i < subject_count; ++i) {
    scene.subject = static_cast<Subject>(i);
    pictures.push_back(paint(scene, 32));
  }
  scene.subject = Subject::nothing;
  for (std::size_t i = 0; i < sky_count; ++i) {
    Scene other = scene;
    other.sky = static_cast<Sky>(i);
    if (other.sky != scene.sky) pictures.push_back(paint(other, 32));
  }
  for (std::size_t i = 1; i < ground_count; ++i) {
    Scene other = scene;
    other.ground = static_cast<Ground>(i);
    pictures.push_back(paint(other, 32));
  }
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_GT(difference(pictures[i], pictures[j]), 5) << i << " and " << j;
  }
}

TEST(World, ScenesAreSpreadEvenlyAndShipsAreAtSea) {
  std::map<Subject, int> subjects;
  std::map<Sky, int> skies;
  std::map<Ground, int> grounds;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const Scene scene = random_scene(seed);
    ++subjects[scene.subject];
    ++skies[scene.sky];
    if (scene.subject == Subject::ship) {
      EXPECT_EQ(scene.ground, Ground::sea);
    } else {
      ++grounds[scene.ground];
    }
  }
  EXPECT_EQ(subjects.size(), subject_count);
  for (const auto& [subject, count] : subjects) {
    EXPECT_NEAR(count, subject == Subject::nothing ? 118 : 235, 60) << static_cast<int>(subject);
  }
  for (const auto& [sky, count] : skies) EXPECT_NEAR(count, 400, 80) << static_cast<int>(sky);
  for (const auto& [ground, count] : grounds) EXPECT_NEAR(count, 441, 80) << static_cast<int>(ground);
}

TEST(World, WithoutVarietyTheSameThingsLookTheSame) {
  std::map<std::tuple<Sky, Ground, Subject>, std::vector<std::uint8_t>> seen;
  int repeated = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const Scene scene = random_scene(seed, 0);
    EXPECT_EQ(scene.sky, random_scene(seed, 1).sky);
    const auto [it, fresh] = seen.emplace(std::tuple(scene.sky, scene.ground, scene.subject), paint(scene, 8).samples);
    if (!fresh) {
      EXPECT_EQ(it->second, paint(scene, 8).samples);
    }
    repeated += !fresh;
  }
  EXPECT_GT(repeated, 100);
}

TEST(Captions, SayOnlyWhatTheSceneShows) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    const Scene scene = random_scene(seed);
    const Caption said = caption(scene, seed * 7);
    for (std::size_t i = 1; i < subject_count; ++i) {
      const auto subject = static_cast<Subject>(i);
      if (subject != scene.subject || !said.names_subject) {
        EXPECT_THAT(said.text, Not(HasSubstr(subject_name(subject))));
      }
    }
    for (std::size_t i = 0; i < sky_count; ++i) {
      const auto sky = static_cast<Sky>(i);
      if (sky != scene.sky || !said.names_sky) {
        EXPECT_THAT(said.text, Not(HasSubstr(sky_name(sky))));
      }
    }
    for (std::size_t i = 0; i < ground_count; ++i) {
      const auto ground = static_cast<Ground>(i);
      if (ground != scene.ground || !said.names_ground) {
        EXPECT_THAT(said.text, Not(HasSubstr(ground_name(ground))));
      }
    }
    EXPECT_TRUE(said.names_subject || said.names_sky || said.names_ground);
    EXPECT_THAT(said.text, Not(HasSubstr("  ")));
  }
}

TEST(Captions, CoverTheSceneInManyWays) {
  const Scene scene = random_scene(5);
  std::set<std::string> texts;
  std::set<int> kinds;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const Caption said = caption(scene, seed);
    EXPECT_EQ(said.text, caption(scene, seed).text);
    texts.insert(said.text);
    kinds.insert(said.names_subject * 4 + said.names_sky * 2 + said.names_ground);
  }
  EXPECT_GT(texts.size(), 150u);
  EXPECT_EQ(kinds.size(), 7u);
}

TEST(Captions, DescribeTheScenesThatAgreeWithWhatTheySay) {
  Scene lighthouse, castle;
  lighthouse.subject = Subject::lighthouse;
  castle.subject = Subject::castle;
  lighthouse.sky = castle.sky = Sky::sunset;
  const Caption sky_only{"a sunset", false, true, false}, both{"a lighthouse at sunset", true, true, false};
  EXPECT_TRUE(describes(sky_only, lighthouse, castle));
  EXPECT_FALSE(describes(both, lighthouse, castle));
  EXPECT_TRUE(describes(both, lighthouse, lighthouse));
}

TEST(Captions, AreMadeOfTheListedPhrases) {
  std::string all;
  for (const std::string& phrase : caption_phrases()) all += " " + phrase + " ";
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    std::string word;
    for (const char c : caption(random_scene(seed), seed).text + " ") {
      if (c != ' ' && c != ',') {
        word += c;
      } else if (!word.empty()) {
        EXPECT_THAT(all, HasSubstr(" " + word + " "));
        word.clear();
      }
    }
  }
}

}  // namespace
}  // namespace disco
