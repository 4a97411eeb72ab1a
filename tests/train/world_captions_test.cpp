#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <vector>

#include "train/world/captions.h"
#include "train/world/evaluation.h"
#include "train/world/words.h"

namespace disco {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

bool says_any(const std::string& text, Words words) {
  for (const std::string_view word : words) {
    if (text.find(word) != std::string::npos) return true;
  }
  return false;
}

TEST(Captions, SayOnlyWhatTheSceneShows) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    const Scene scene = random_scene(seed);
    const Caption said = caption(scene, seed * 7);
    // A stormy sea lies under any sky.
    const std::string text = std::regex_replace(said.text, std::regex("stormy sea"), "rough sea");
    const auto expect_only = [&](std::size_t count, std::size_t shown, bool named, const auto& name) {
      for (std::size_t i = 0; i < count; ++i) {
        if (i != shown || !named) {
          EXPECT_THAT(text, Not(HasSubstr(name(i))));
        }
      }
    };
    EXPECT_TRUE(!said.names_rough || scene.rough);
    const auto index = [](auto kind) { return static_cast<std::size_t>(kind); };
    expect_only(subject_count, index(scene.subject), said.names_subject,
                [](std::size_t i) { return subject_name(static_cast<Subject>(i)) + ","; });
    expect_only(sky_count, index(scene.sky), said.names_sky,
                [](std::size_t i) { return sky_name(static_cast<Sky>(i)); });
    expect_only(ground_count, index(scene.ground), said.names_ground,
                [](std::size_t i) { return ground_name(static_cast<Ground>(i)); });
    expect_only(palette_count, index(scene.palette), said.names_palette,
                [](std::size_t i) { return palette_name(static_cast<Palette>(i)); });
    expect_only(style_count, index(scene.style), said.names_style,
                [](std::size_t i) { return style_name(static_cast<Style>(i)); });
    EXPECT_TRUE(said.names_subject || said.names_sky || said.names_ground);
    EXPECT_TRUE(!said.names_tint || shown_tint(scene) != Tint::own);
    EXPECT_THAT(said.text, Not(HasSubstr("  ")));
    EXPECT_TRUE(describes(said, scene, scene));
  }
}

TEST(Captions, NoColourIsNamedButThoseOfPaletteAndTint) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const Caption said = caption(random_scene(seed), seed);
    if (said.names_palette || said.names_tint) continue;
    const std::string text = " " + said.text + " ";
    for (const char* colour : {" red ", " orange ", " yellow ", " green ", " blue ", " purple ", " white ", " pink "}) {
      EXPECT_THAT(text, Not(HasSubstr(colour)));
    }
  }
}

TEST(Captions, TheUsualColourOfASubjectIsATintToo) {
  Scene mushroom;
  mushroom.subject = Subject::mushroom;
  Scene red = mushroom, blue = mushroom, grey = mushroom;
  red.tint = Tint::red;
  blue.tint = Tint::blue;
  grey.palette = Palette::monochrome;
  Caption said{"a red mushroom", true};
  said.names_tint = true;
  EXPECT_TRUE(describes(said, red, mushroom));
  EXPECT_FALSE(describes(said, red, blue));
  EXPECT_FALSE(describes(said, mushroom, grey));
}

TEST(Captions, CoverTheSceneInManyWays) {
  Scene scene = random_scene(5);
  scene.style = Style::oil;
  scene.palette = Palette::natural;
  scene.subject = Subject::house;
  scene.tint = Tint::orange;
  std::set<std::string> texts;
  std::set<int> kinds;
  bool opened = false, ended = false, tinted_house = false;
  for (std::uint64_t seed = 0; seed < 800; ++seed) {
    const Caption said = caption(scene, seed);
    EXPECT_EQ(said.text, caption(scene, seed).text);
    texts.insert(said.text);
    kinds.insert(said.names_subject * 4 + said.names_sky * 2 + said.names_ground);
    opened |= said.text.starts_with("an oil painting of");
    ended |= said.text.ends_with(", oil painting");
    tinted_house |= said.text.find("an orange house") != std::string::npos;
  }
  EXPECT_GT(texts.size(), 500u);
  EXPECT_EQ(kinds.size(), 7u);
  EXPECT_TRUE(opened && ended && tinted_house);
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
  const auto expect_false_when = [&](bool Caption::*named, auto Scene::*member, auto kind) {
    Scene other = lighthouse;
    other.*member = kind;
    Caption said = both;
    EXPECT_TRUE(describes(said, lighthouse, other));
    said.*named = true;
    EXPECT_FALSE(describes(said, lighthouse, other));
  };
  expect_false_when(&Caption::names_tint, &Scene::tint, Tint::blue);
  expect_false_when(&Caption::names_ground, &Scene::ground, Ground::forest);
}

TEST(Captions, WithoutPaletteAndStyleMeanTheUsualOnes) {
  Scene plain, neon, ink;
  neon.palette = Palette::neon;
  ink.style = Style::ink;
  const Caption said{"a sunset", false, true, false};
  EXPECT_TRUE(describes(said, plain, plain));
  EXPECT_FALSE(describes(said, plain, neon));
  EXPECT_FALSE(describes(said, plain, ink));
  int named = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    EXPECT_TRUE(caption(neon, seed).names_palette);
    EXPECT_TRUE(caption(ink, seed).names_style);
    named += caption(plain, seed).names_palette;
  }
  EXPECT_GT(named, 10);
  EXPECT_LT(named, 60);
}

TEST(Captions, TellARoughSeaFromAStorm) {
  Scene calm, rough;
  calm.ground = rough.ground = Ground::cliff;
  calm.sky = rough.sky = Sky::sunset;
  rough.rough = true;
  bool named = false;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    EXPECT_FALSE(caption(calm, seed).names_rough);
    const Caption said = caption(rough, seed);
    if (!said.names_rough) continue;
    named = true;
    EXPECT_FALSE(describes(said, rough, calm));
    EXPECT_TRUE(said.text.find("stormy sea") != std::string::npos || said.text.find("rough sea") != std::string::npos ||
                said.text.find("waves") != std::string::npos)
        << said.text;
  }
  EXPECT_TRUE(named);
}

TEST(Captions, AreMadeOfTheListedPhrases) {
  std::string all;
  for (const std::string& phrase : caption_phrases()) all += " " + phrase + " ";
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
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

TEST(EvaluationPrompts, AreHeldOutAndBalanced) {
  const std::vector<EvaluationPrompt> prompts = evaluation_prompts();
  ASSERT_EQ(prompts.size(), 100u);
  std::map<Subject, int> subjects;
  std::map<Sky, int> skies;
  std::map<Style, int> styles;
  std::map<Palette, int> palettes;
  std::set<std::string> texts;
  for (const auto& [text, scene] : prompts) {
    EXPECT_TRUE(held_out(scene)) << text;
    EXPECT_TRUE(subject_fits(scene.subject, scene.ground)) << text;
    ++subjects[scene.subject];
    ++skies[scene.sky];
    ++styles[scene.style];
    ++palettes[scene.palette];
    texts.insert(text);
  }
  EXPECT_EQ(texts.size(), prompts.size());
  EXPECT_EQ(subjects.size(), subject_count - 1);
  for (const auto& [subject, count] : subjects) EXPECT_EQ(count, 5) << static_cast<int>(subject);
  EXPECT_EQ(skies.size(), sky_count);
  for (const auto& [sky, count] : skies) EXPECT_NEAR(count, 17, 1) << static_cast<int>(sky);
  EXPECT_EQ(styles.size(), style_count);
  for (const auto& [style, count] : styles) EXPECT_EQ(count, 10) << static_cast<int>(style);
  EXPECT_EQ(palettes.size(), palette_count);
  for (const auto& [palette, count] : palettes) EXPECT_EQ(count, 10) << static_cast<int>(palette);
}

TEST(EvaluationPrompts, NameWhatTheyAreJudgedBy) {
  for (const auto& [sentence, scene] : evaluation_prompts()) {
    const std::string text = lower(sentence);
    EXPECT_TRUE(says_any(text, subject_words(scene.subject))) << text;
    EXPECT_TRUE(says_any(text, sky_clauses(scene.sky))) << text;
    EXPECT_EQ(says_any(text, palette_clauses(scene.palette)) || says_any(text, palette_tags(scene.palette)),
              scene.palette != Palette::natural)
        << text;
    EXPECT_EQ(says_any(text, style_openings(scene.style)) || says_any(text, style_tags(scene.style)),
              scene.style != Style::plain)
        << text;
    EXPECT_TRUE(text.ends_with(".")) << text;
  }
}

}  // namespace
}  // namespace disco
