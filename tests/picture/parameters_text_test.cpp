#include "picture/parameters_text.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <regex>

#include "core/error.h"
#include "core/text.h"

namespace disco {
namespace {

const ParameterPairs three = {{"Steps", "250"}, {"Sampler", "DDIM"}, {"Seed", "1"}};

TEST(ParametersText, IsWhatImageBrowsersExpect) {
  const ParameterPairs pairs = {{"Steps", "250"},        {"Sampler", "DDIM"},     {"CFG scale", "7"},
                                {"Seed", "1"},           {"Size", "1280x768"},    {"Model hash", "0123456789"},
                                {"CLIP models", "a, b"}, {"Version", "disco-1.0"}};
  EXPECT_EQ(format_parameters("a lighthouse,\nat night", "people", pairs),
            "a lighthouse,\nat night\n"
            "Negative prompt: people\n"
            "Steps: 250, Sampler: DDIM, CFG scale: 7, Seed: 1, Size: 1280x768, Model hash: 0123456789, "
            "CLIP models: \"a, b\", Version: disco-1.0");
  EXPECT_EQ(format_parameters("a", "", three), "a\nSteps: 250, Sampler: DDIM, Seed: 1");
  EXPECT_EQ(format_parameters("", "", three), "Steps: 250, Sampler: DDIM, Seed: 1");
  EXPECT_EQ(format_parameters("", "b", three), "Negative prompt: b\nSteps: 250, Sampler: DDIM, Seed: 1");
}

/// The value as it stands in the text.
std::string written(const std::string& value) {
  ParameterPairs pairs = three;
  pairs.emplace_back("Note", value);
  const std::string text = format_parameters("", "", pairs);
  return text.substr(text.find("Note: ") + 6);
}

TEST(ParametersText, ValuesThatNeedItAreJson) {
  EXPECT_EQ(written("plain value"), "plain value");
  EXPECT_EQ(written("5\" nails"), "5\" nails");
  EXPECT_EQ(written("back\\slash"), "back\\slash");
  EXPECT_EQ(written("日本"), "日本");
  EXPECT_EQ(written("a, b"), R"("a, b")");
  EXPECT_EQ(written("a: b"), R"("a: b")");
  EXPECT_EQ(written("a\nb"), R"("a\nb")");
  EXPECT_EQ(written("say \"x\", y\\"), R"("say \"x\", y\\")");
  EXPECT_EQ(written("日本, é"), "\"日本, é\"");
  EXPECT_EQ(written("\"quoted\""), R"("\"quoted\"")");
  EXPECT_EQ(written(" spaced"), R"(" spaced")");
  EXPECT_EQ(written("a\tb"), R"("a\tb")");
  EXPECT_EQ(written(""), R"("")");
}

TEST(ParametersText, RefusesWhatReadersWouldMisread) {
  EXPECT_THROW((void)format_parameters("a", "", {{"Steps", "1"}, {"Seed", "1"}}), Error);
  for (const char* key : {"", "x", "top.p", "f(x)", " Steps", "Steps ", "-a", "a:b", "a,b", "Größe", "a\nb"}) {
    ParameterPairs pairs = three;
    pairs.emplace_back(key, "1");
    EXPECT_THROW((void)format_parameters("a", "", pairs), Error) << key;
  }
  EXPECT_NO_THROW((void)format_parameters("a", "", {{"a_b", "1"}, {"A/B-c 2", "2"}, {"0x", "3"}}));
}

/// The readers' own expression, for lines short enough for std::regex.
ParameterPairs by_regex(const std::string& line) {
  static const std::regex pattern(R"re(\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$))re");
  ParameterPairs pairs;
  for (auto it = std::sregex_iterator(line.begin(), line.end(), pattern); it != std::sregex_iterator(); ++it) {
    pairs.emplace_back((*it)[1], (*it)[2]);
  }
  return pairs;
}

TEST(ParametersText, PairsAreFoundAsTheReadersExpressionFindsThem) {
  EXPECT_TRUE(rc::check([] {
    // Pieces that make trouble for each other; no quotation mark of a whole JSON string, which only we decode.
    const auto pieces = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
        "ab", "c", ":", ",", " ", "-", "/", ".", "(", "\"", "\\", "Steps: 1, ", "x y: ", "\"q, r\"", "\\\""));
    const std::string line = "Aa: 1,Bb: 2,Cc: 3," + join(pieces, "") + ",Zz:";
    const ParameterPairs expected = by_regex(line), found = parse_parameters(line).pairs;
    RC_ASSERT(found.size() == expected.size());
    for (std::size_t k = 0; k < found.size(); ++k) {
      RC_ASSERT(found[k].first == expected[k].first);
      const std::string& raw = expected[k].second;
      if (raw.size() < 2 || raw.front() != '"' || raw.back() != '"') RC_ASSERT(found[k].second == raw);
    }
  }));
}

TEST(ParametersText, ReadsTheWebUisOwnTexts) {
  const Parameters parameters = parse_parameters(
      "a photo of <lora:x:0.8>, (detailed:1.2)\n  more \nNegative prompt: bad, ugly\nworse\n"
      "Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 3, Size: 512x512, Lora hashes: \"x: 1a2b\", Hires "
      "prompt: \"say \\\"hi\\\", twice\", Template: \"\", Empty: , Version: v1.9.0\n");
  EXPECT_EQ(parameters.prompt, "a photo of <lora:x:0.8>, (detailed:1.2)\nmore");
  EXPECT_EQ(parameters.negative_prompt, "bad, ugly\nworse");
  EXPECT_EQ(parameters.pairs, (ParameterPairs{{"Steps", "20"},
                                              {"Sampler", "DPM++ 2M Karras"},
                                              {"CFG scale", "7"},
                                              {"Seed", "3"},
                                              {"Size", "512x512"},
                                              {"Lora hashes", "x: 1a2b"},
                                              {"Hires prompt", "say \"hi\", twice"},
                                              {"Template", ""},
                                              {"Empty", ""},
                                              {"Version", "v1.9.0"}}));
}

TEST(ParametersText, TextWithoutSettingsIsThePrompt) {
  EXPECT_EQ(parse_parameters("just words: two, pairs: only").prompt, "just words: two, pairs: only");
  EXPECT_TRUE(parse_parameters("just words: two, pairs: only").pairs.empty());
  EXPECT_EQ(parse_parameters("").prompt, "");
  EXPECT_EQ(parse_parameters("a\nNegative prompt: b").negative_prompt, "b");
}

TEST(ParametersText, HostileTextIsReadInLinearTime) {
  const std::string runs(1 << 20, 'a'), colons(1 << 20, ':'), quotes = "Aa: \"" + std::string(1 << 20, '\\');
  EXPECT_EQ(parse_parameters(runs).prompt.size(), runs.size());
  EXPECT_EQ(parse_parameters(colons).prompt.size(), colons.size());
  EXPECT_EQ(parse_parameters(quotes).pairs.size(), 0u);
  std::string many;
  for (int k = 0; k < 100000; ++k) many += "Aa: \",";
  EXPECT_GT(parse_parameters(many).pairs.size(), 1000u);
}

std::string word_from(const std::vector<std::string>& pieces) {
  return join(*rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(pieces)), "");
}

TEST(ParametersText, AnyValueComesBack) {
  static const std::vector<std::string> pieces = {"a",    "Steps: 1",
                                                  ",",    ":",
                                                  "\n",   "\r",
                                                  "\t",   "\"",
                                                  "\\",   " ",
                                                  "é",    "日本",
                                                  "🎨",    "{",
                                                  "}",    "Negative prompt:",
                                                  "\x01", std::string(1, '\0'),
                                                  "/"};
  EXPECT_TRUE(rc::check([] {
    ParameterPairs pairs = three;
    const int extras = *rc::gen::inRange(0, 5);
    for (int k = 0; k < extras; ++k) pairs.emplace_back("Extra " + std::to_string(k), word_from(pieces));
    RC_ASSERT(parse_parameters(format_parameters("p", "", pairs)).pairs == pairs);
  }));
}

TEST(ParametersText, PromptsComeBack) {
  static const std::vector<std::string> pieces = {"a", "Steps: 1, Seed: 2, Size: 3", ",", ":", "\"", "\\", "é", "日本",
                                                  " x"};
  EXPECT_TRUE(rc::check([] {
    const auto prompt = [](const std::string& first) {
      std::vector<std::string> lines = {first};
      const int more = *rc::gen::inRange(0, 3);
      for (int k = 0; k < more; ++k) lines.push_back("l" + word_from(pieces));
      return join(lines, "\n");
    };
    const std::string positive = prompt("p" + word_from(pieces));
    const std::string negative = *rc::gen::arbitrary<bool>() ? prompt("n" + word_from(pieces)) : "";
    const Parameters parameters = parse_parameters(format_parameters(positive, negative, three));
    RC_ASSERT(parameters.prompt == positive);
    RC_ASSERT(parameters.negative_prompt == negative);
    RC_ASSERT(parameters.pairs == three);
  }));
}

}  // namespace
}  // namespace disco
