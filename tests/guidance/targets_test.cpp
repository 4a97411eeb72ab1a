// Prompts as targets: weights, binding to models, fuzzy and image prompts.
#include "guidance/targets.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "support/golden.h"

namespace disco {
namespace {

class TargetsTest : public testing::Test {
 protected:
  static Prompt prompt(const std::string& text, double weight = 1, std::vector<std::string> models = {}) {
    Prompt result;
    result.text = text;
    result.weight = weight;
    result.clip_models = std::move(models);
    result.written = text + ":" + std::to_string(weight);
    return result;
  }
  Targets make(std::vector<Prompt> text, std::vector<ImagePrompt> images = {}) {
    RandomStreams streams = RandomStreams::independent(5);
    return make_targets({settings_, std::move(text), std::move(images)}, clip_, "small", tokenizer_, streams,
                        &warnings_);
  }

  Settings settings_ = [] {
    Settings settings;
    settings.compat = "none";
    settings.width = settings.height = 64;
    settings.rand_mag = 0.05;
    return settings;
  }();
  Clip clip_{golden::network("clip.vit32"), "quick_gelu"};
  Tokenizer tokenizer_{Tokenizer::find_vocabulary({})};
  std::vector<std::string> warnings_;
};

TEST_F(TargetsTest, WeightsAreDividedByTheSizeOfTheirSum) {
  const Targets targets = make({prompt("a", 2), prompt("b", -3)});
  const at::Tensor weights = targets.normalised_weights(0);
  EXPECT_FLOAT_EQ(weights[0].item<float>(), 2);
  EXPECT_FLOAT_EQ(weights[1].item<float>(), -3);
  EXPECT_THROW(make({prompt("a", 1), prompt("b", -1)}).normalised_weights(0), RequestError);
}

TEST_F(TargetsTest, PromptsCanBeBoundToModels) {
  const Targets targets =
      make({prompt("for all"), prompt("for another", 1, {"other"}), prompt("for this", 1, {"small"})});
  EXPECT_EQ(targets.embeddings.size(0), 2);
  EXPECT_FALSE(make({prompt("for another", 1, {"other"})}).embeddings.defined());
}

TEST_F(TargetsTest, FuzzyPromptsAreTwentyFiveNoisyCopies) {
  const at::Tensor plain = make({prompt("a castle")}).embeddings;
  settings_.fuzzy_prompt = true;
  const Targets fuzzy = make({prompt("a castle")});
  ASSERT_EQ(fuzzy.embeddings.size(0), 25);
  EXPECT_EQ(fuzzy.weights.size(), 25u);
  const double spread = (fuzzy.embeddings - plain).std().item<double>();
  EXPECT_NEAR(spread, 0.05, 0.01);
  settings_.compat = "disco-5.7";
  const at::Tensor faithful = make({prompt("a castle")}).embeddings;
  EXPECT_GE(faithful.min().item<float>(), 0);
  EXPECT_LE(faithful.max().item<float>(), 1);
}

TEST_F(TargetsTest, FaithfulPromptsAreTokenisedWithTheirWeight) {
  const at::Tensor native = make({prompt("a castle", 2)}).embeddings;
  settings_.compat = "disco-5.7";
  EXPECT_FALSE(native.equal(make({prompt("a castle", 2)}).embeddings));
}

TEST_F(TargetsTest, AnImagePromptIsSixteenTargetsOfASixteenth) {
  Picture picture(80, 50, 3);
  for (std::size_t k = 0; k < picture.samples.size(); ++k) picture.samples[k] = static_cast<std::uint8_t>(k * 7);
  const Targets targets = make({prompt("a", 1)}, {{prompt("picture.png", 4), picture}});
  ASSERT_EQ(targets.embeddings.size(0), 17);
  EXPECT_DOUBLE_EQ(targets.weights[16].at(0), 0.25);
}

TEST_F(TargetsTest, TooManyWordsAreNamedOrRefused) {
  std::string text;
  for (int k = 0; k < 90; ++k) text += "castle ";
  make({prompt(text + "lighthouse")});
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_NE(warnings_[0].find("lighthouse"), std::string::npos);
  settings_.compat = "disco-5.7";
  EXPECT_THROW(make({prompt(text)}), RequestError);
}

}  // namespace
}  // namespace disco
