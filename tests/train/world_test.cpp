#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "core/error.h"
#include "support.h"
#include "train/world/paint.h"

namespace disco {
namespace {

double difference(const Picture& a, const Picture& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.samples.size(); ++i) sum += std::abs(int{a.samples[i]} - int{b.samples[i]});
  return sum / static_cast<double>(a.samples.size());
}

Picture reduced(const Picture& large, int factor) {
  Picture small(large.width / factor, large.height / factor, 3);
  for (int y = 0; y < small.height; ++y) {
    for (int x = 0; x < small.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        int sum = 0;
        for (int k = 0; k < factor * factor; ++k) sum += large.at(factor * x + k % factor, factor * y + k / factor, c);
        small.at(x, y, c) = static_cast<std::uint8_t>(sum / (factor * factor));
      }
    }
  }
  return small;
}

/// A scene of the usual places that shows something and fits everything.
Scene example() {
  Scene scene;
  scene.subject = Subject::house;
  scene.ground = Ground::meadow;
  compose(scene);
  return scene;
}

/// Pictures of the example with each kind of `member` in turn must differ by more than `bound`.
template <typename Kind>
void expect_all_differ(Kind Scene::*member, std::size_t count, double bound) {
  std::vector<Picture> pictures;
  for (std::size_t i = 0; i < count; ++i) {
    Scene scene = example();
    scene.*member = static_cast<Kind>(i);
    pictures.push_back(paint(scene, 32));
    for (std::size_t j = 0; j < i; ++j) EXPECT_GT(difference(pictures[i], pictures[j]), bound) << i << " and " << j;
  }
}

TEST(World, TheSameSeedPaintsTheSamePicture) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const Picture first = paint(random_scene(seed), 32), second = paint(random_scene(seed), 32);
    EXPECT_EQ(first.samples, second.samples);
    EXPECT_NE(first.samples, paint(random_scene(seed + 100), 32).samples);
  }
}

TEST(World, EveryStylePaintsTheSameBytesAgain) {
  Scene scene = example();
  for (std::size_t i = 0; i < style_count; ++i) {
    scene.style = static_cast<Style>(i);
    EXPECT_EQ(paint(scene, 64).samples, paint(scene, 64).samples) << i;
  }
}

TEST(World, SmallPicturesAreLargeOnesReduced) {
  Scene scene = example();
  for (std::size_t i = 0; i < style_count; ++i) {
    scene.style = static_cast<Style>(i);
    const Picture large = paint(scene, 256), small = paint(scene, 64);
    ASSERT_EQ(small.width, 64);
    ASSERT_EQ(small.channels, 3);
    EXPECT_LT(difference(reduced(large, 4), small), 1) << i;
  }
}

TEST(World, PicturesOfAnySizeShowTheSame) {
  Scene scene = example();
  for (std::size_t i = 0; i < style_count; ++i) {
    scene.style = static_cast<Style>(i);
    EXPECT_LT(difference(reduced(paint(scene, 384), 16), reduced(paint(scene, 192), 8)), 20) << i;
  }
  EXPECT_EQ(paint(scene, 1).samples.size(), 3u);
  EXPECT_EQ(paint(scene, 50).width, 50);
  EXPECT_THROW(paint(scene, 0), RequestError);
  EXPECT_THROW(paint(scene, 8193), RequestError);
}

TEST(World, EverySubjectLooksDifferent) { expect_all_differ(&Scene::subject, subject_count, 3); }
TEST(World, EverySkyLooksDifferent) { expect_all_differ(&Scene::sky, sky_count, 15); }
TEST(World, EveryGroundLooksDifferent) { expect_all_differ(&Scene::ground, ground_count, 8); }
TEST(World, EveryStyleLooksDifferent) { expect_all_differ(&Scene::style, style_count, 6); }
TEST(World, EveryPaletteLooksDifferent) { expect_all_differ(&Scene::palette, palette_count, 10); }
TEST(World, EveryTintLooksDifferent) { expect_all_differ(&Scene::tint, tint_count, 0.8); }

TEST(World, OnlyTintableSubjectsTakeATint) {
  for (std::size_t i = 0; i < subject_count; ++i) {
    Scene own = example();
    own.subject = static_cast<Subject>(i);
    compose(own);
    Scene tinted = own;
    tinted.tint = Tint::purple;
    EXPECT_EQ(paint(own, 32).samples != paint(tinted, 32).samples, tintable(own.subject)) << i;
  }
}

TEST(World, ScenesAreSpreadEvenlyAndFitTogether) {
  std::map<Subject, int> subjects;
  std::map<Sky, int> skies;
  std::map<Ground, int> grounds;
  std::map<Style, int> styles;
  std::map<Palette, int> palettes;
  std::map<Tint, int> tints;
  constexpr int count = 8000;
  for (std::uint64_t seed = 0; seed < count; ++seed) {
    const Scene scene = random_scene(seed);
    EXPECT_TRUE(subject_fits(scene.subject, scene.ground));
    if (scene.tint != Tint::own) {
      EXPECT_TRUE(tintable(scene.subject) && scene.palette == Palette::natural);
    }
    ++subjects[scene.subject];
    ++skies[scene.sky];
    ++grounds[scene.ground];
    ++styles[scene.style];
    ++palettes[scene.palette];
    ++tints[scene.tint];
  }
  ASSERT_EQ(subjects.size(), subject_count);
  for (const auto& [subject, number] : subjects) {
    EXPECT_NEAR(number, subject == Subject::nothing ? 195 : 390, 110) << static_cast<int>(subject);
  }
  ASSERT_EQ(skies.size(), sky_count);
  for (const auto& [sky, number] : skies) EXPECT_NEAR(number, count / 6, 200) << static_cast<int>(sky);
  ASSERT_EQ(grounds.size(), ground_count);
  for (const auto& [ground, number] : grounds) EXPECT_GT(number, count / 16) << static_cast<int>(ground);
  ASSERT_EQ(styles.size(), style_count);
  EXPECT_NEAR(styles[Style::plain], count / 2, 400);
  ASSERT_EQ(palettes.size(), palette_count);
  EXPECT_NEAR(palettes[Palette::natural], count / 2, 400);
  EXPECT_EQ(tints.size(), tint_count);
}

TEST(World, ANearMissDiffersInOneThing) {
  int styles = 0, subjects = 0;
  constexpr int count = 4000;
  for (std::uint64_t seed = 0; seed < count; ++seed) {
    const Scene scene = random_scene(seed), other = near_miss(scene, seed);
    EXPECT_EQ(things_apart(scene, other), 1) << seed;
    EXPECT_TRUE(subject_fits(other.subject, other.ground));
    EXPECT_FALSE(held_out(other));
    EXPECT_TRUE(other.tint == Tint::own || (tintable(other.subject) && shown_tint(other) == other.tint)) << seed;
    EXPECT_TRUE(!other.rough || has_sea(other.ground));
    styles += scene.style != other.style;
    subjects += scene.subject != other.subject;
    EXPECT_TRUE(scene.style == other.style || scene.x == other.x) << "a style moves nothing";
  }
  // Some subjects fit few grounds, so that a little more than half is style.
  EXPECT_NEAR(styles, 0.55 * count, 0.06 * count);
  EXPECT_GT(subjects, count / 20);
}

TEST(World, HeldOutCombinationsAreNeverDrawnForTraining) {
  for (std::uint64_t seed = 0; seed < 20000; ++seed) EXPECT_FALSE(held_out(random_scene(seed)));
  for (std::uint64_t seed = 0; seed < 200; ++seed) EXPECT_TRUE(held_out(held_out_scene(seed)));
}

TEST(World, ATenthOfTheCombinationsIsHeldOut) {
  int out = 0, all = 0;
  Scene scene;
  for (std::size_t subject = 0; subject < subject_count; ++subject) {
    for (std::size_t style = 0; style < style_count; ++style) {
      for (std::size_t palette = 0; palette < palette_count; ++palette) {
        scene.subject = static_cast<Subject>(subject);
        scene.style = static_cast<Style>(style);
        scene.palette = static_cast<Palette>(palette);
        out += held_out(scene);
        ++all;
        // Where and in which tint something is shown does not matter.
        Scene moved = scene;
        moved.x = 0.3, moved.detail = 9, moved.tint = Tint::red;
        EXPECT_EQ(held_out(moved), held_out(scene));
      }
    }
  }
  EXPECT_NEAR(out, all / 10, 60);
}

TEST(World, WithoutVarietyTheSameThingsLookTheSame) {
  using Things = std::tuple<Sky, Ground, Subject, bool, Tint>;
  std::map<Things, std::vector<std::uint8_t>> seen;
  int repeated = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const Scene scene = random_scene(seed, {.variety = 0}), varied = random_scene(seed);
    EXPECT_EQ(scene.sky, varied.sky);
    EXPECT_EQ(scene.subject, varied.subject);
    if (scene.subject != Subject::ship && scene.subject != Subject::nothing) continue;
    const Things things(scene.sky, scene.ground, scene.subject, scene.rough, scene.tint);
    Scene plain = scene;
    plain.style = Style::plain;
    plain.palette = Palette::natural;
    const auto [it, fresh] = seen.emplace(things, paint(plain, 8).samples);
    EXPECT_EQ(it->second, paint(plain, 8).samples);
    repeated += !fresh;
  }
  EXPECT_GT(repeated, 5);
}

}  // namespace
}  // namespace disco
