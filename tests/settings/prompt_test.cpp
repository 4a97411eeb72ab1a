// The text forms of prompts and of choices of CLIP models.
#include "settings/prompt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "core/error.h"
#include "settings/random_settings.h"
#include "settings/resolve.h"

namespace disco {
namespace {

using testing::HasSubstr;

void expect_prompt(const std::string& written, const std::string& text, double weight) {
  const Prompt prompt = parse_prompt(written);
  EXPECT_EQ(prompt.text, text) << written;
  EXPECT_EQ(prompt.weight, Schedule(weight)) << written;
  EXPECT_EQ(prompt.written, written);
  EXPECT_TRUE(prompt.clip_models.empty());
}

TEST(Prompt, TheWeightFollowsTheLastColon) {
  expect_prompt("a castle", "a castle", 1);
  expect_prompt("a castle:2", "a castle", 2);
  expect_prompt("a castle: -0.5 ", "a castle", -0.5);
  expect_prompt("a: b:3", "a: b", 3);
  expect_prompt("blurry:-1e-1", "blurry", -0.1);
  expect_prompt("", "", 1);
  expect_prompt(":2", "", 2);
}

TEST(Prompt, AddressesKeepTheirOwnColons) {
  expect_prompt("https://example.org/a.png", "https://example.org/a.png", 1);
  expect_prompt("https://example.org/a.png:0.5", "https://example.org/a.png", 0.5);
  expect_prompt("http://example.org:8080/a.png:2", "http://example.org:8080/a.png", 2);
  expect_prompt("http://example.org:8080/a.png", "http://example.org:8080/a.png", 1);
}

TEST(Prompt, AWeightMayBeASchedule) {
  EXPECT_EQ(parse_prompt("fog:[1]*500+[0]*500").weight.at(999), 0);
  EXPECT_EQ(parse_prompt("fog:2 -> 0").weight.at(0), 2);
  EXPECT_EQ(parse_prompt("fog:2 -> 0").text, "fog");
}

TEST(Prompt, TextAfterAColonIsText) {
  std::string warning;
  EXPECT_EQ(parse_prompt("a castle: a study in blue", &warning).text, "a castle: a study in blue");
  EXPECT_EQ(warning, "");
  EXPECT_EQ(parse_prompt("a castle:1,5", &warning).text, "a castle:1,5");
  EXPECT_THAT(warning, HasSubstr("taken as text without a weight"));
}

TEST(PromptProperty, NothingIsLost) {
  EXPECT_TRUE(rc::check([] {
    const std::string written = random_settings::text();
    const Prompt prompt = parse_prompt(written);
    RC_ASSERT(prompt.written == written);
    RC_ASSERT(written.starts_with(prompt.text));
  }));
}

TEST(Prompts, HoldUntilTheNextFrame) {
  const PromptFrames frames = {{5, {parse_prompt("a")}}, {10, {parse_prompt("b")}}};
  EXPECT_EQ(prompts_at(frames, 0)[0].text, "a");
  EXPECT_EQ(prompts_at(frames, 9)[0].text, "a");
  EXPECT_EQ(prompts_at(frames, 10)[0].text, "b");
  EXPECT_TRUE(prompts_at({}, 0).empty());
}

TEST(ClipChoice, NamesKeepTheirDoubleColons) {
  const auto is = [](const std::string& written, const std::string& name, double weight) {
    EXPECT_EQ(parse_clip_choice(written), (ClipChoice{name, Schedule(weight)})) << written;
  };
  is("ViT-B/32", "ViT-B/32", 1);
  is("ViT-B/32:0.5", "ViT-B/32", 0.5);
  is("ViT-L/14@336px : 2", "ViT-L/14@336px", 2);
  is("ViT-B-32::laion2b_e16", "ViT-B-32::laion2b_e16", 1);
  is("ViT-B-32::laion400m_e31::quickgelu:0.25", "ViT-B-32::laion400m_e31::quickgelu", 0.25);
  is("mine:v", "mine:v", 1);
  EXPECT_EQ(parse_clip_choice("RN50:0: (1), 400: (0)").weight.at(200), 0.5);
  EXPECT_THROW(parse_clip_choice("RN50:[1]*500"), RequestError);
  EXPECT_THROW(parse_clip_choice("RN50:1x"), RequestError);
}

TEST(ClipChoice, TextIsGivenOnlyWhenItReadsBack) {
  EXPECT_EQ(clip_choice_text({"RN50", Schedule(1)}), "RN50");
  EXPECT_EQ(clip_choice_text({"RN50", Schedule(0.5)}), "RN50:0.5");
  EXPECT_EQ(clip_choice_text({"a:1", Schedule(1)}), "");
}

}  // namespace
}  // namespace disco
