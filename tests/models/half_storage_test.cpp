#include "models/half_storage.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <functional>
#include <utility>

#include "models/clip.h"
#include "models/parameters.h"
#include "models/unet.h"

namespace disco {
namespace {

StateDict rounded_to_half(const StateDict& tensors) { return to_dtype(to_dtype(tensors, at::kHalf), at::kFloat); }

/// As a session keeps them.
StateDict kept_in_half(StateDict tensors, const std::string& role) {
  std::int64_t halves = 0;
  for (auto& [name, tensor] : tensors) {
    if (!may_be_half(role, {name, tensor.scalar_type(), tensor.sizes().vec()})) continue;
    tensor = to_half(tensor);
    halves += tensor.scalar_type() == at::kHalf;
  }
  EXPECT_GT(halves, 0);
  return tensors;
}

/// The same bits of what `network` makes of x, and of its gradient.
template <typename Network>
void expect_equal(const at::Tensor& x, const Network& wide, const Network& half) {
  const auto look = [&](const Network& network) {
    const at::Tensor input = x.clone().requires_grad_(), y = network(input);
    return std::pair(y.detach(), torch::autograd::grad({y.square().sum()}, {input})[0]);
  };
  const auto [y, by_x] = look(wide);
  const auto [half_y, half_by_x] = look(half);
  EXPECT_EQ(half_y.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::equal(half_y, y));
  EXPECT_TRUE(at::equal(half_by_x, by_x));
}

TEST(HalfStorage, ChangesNothingInAUNetOfHalves) {
  UNetConfig config;
  config.image_size = 32;
  config.num_channels = 64;
  config.num_res_blocks = 1;
  config.num_head_channels = 32;
  config.channel_mult = {1, 2, 4};
  config.attention_resolutions = {4};
  const StateDict weights = rounded_to_half(random_weights(UNet::manifest(config), 1));
  const UNet wide(config, weights), half(config, kept_in_half(weights, "diffusion"));
  const at::Tensor t = at::full({1}, 300.0);
  at::manual_seed(2);
  using Network = std::function<at::Tensor(const at::Tensor&)>;
  expect_equal<Network>(
      at::randn({1, 3, 32, 32}), [&](const at::Tensor& x) { return wide.forward(x, t); },
      [&](const at::Tensor& x) { return half.forward(x, t); });
}

TEST(HalfStorage, ChangesNothingInAClipOfHalves) {
  ClipConfig config;
  config.input_size = 64;
  config.embedding = 64;
  config.vision_width = 128;
  config.vision_layers = 2;
  config.patch = 8;
  config.vision_heads = 2;
  config.text_width = 64;
  config.text_layers = 1;
  config.text_heads = 1;
  config.vocabulary = 100;
  const StateDict weights = rounded_to_half(random_weights(Clip::manifest(config), 3));
  const Clip wide(weights, "quick_gelu"), half(kept_in_half(weights, "clip"), "quick_gelu");
  at::manual_seed(4);
  using Network = std::function<at::Tensor(const at::Tensor&)>;
  expect_equal<Network>(
      at::randn({3, 3, 64, 64}), [&](const at::Tensor& x) { return wide.encode_image(x); },
      [&](const at::Tensor& x) { return half.encode_image(x); });
}

TEST(HalfStorage, LeavesNumbersThatHalvesCannotHold) {
  EXPECT_EQ(to_half(at::full({4}, 1e5)).scalar_type(), at::kFloat);
  EXPECT_EQ(to_half(at::full({4}, 1e-3)).scalar_type(), at::kHalf);
}

TEST(HalfStorage, IsForLargeLayersOnly) {
  EXPECT_TRUE(may_be_half("diffusion", {"input_blocks.1.0.in_layers.2.weight", at::kFloat, {256, 256, 3, 3}}));
  EXPECT_FALSE(may_be_half("diffusion", {"input_blocks.1.0.in_layers.2.bias", at::kFloat, {1 << 17}}));
  EXPECT_FALSE(may_be_half("diffusion", {"time_embed.0.weight", at::kFloat, {1024, 256}}));
  EXPECT_FALSE(may_be_half("diffusion", {"label_emb.weight", at::kFloat, {1000, 1024}}));
  EXPECT_TRUE(may_be_half("clip", {"visual.transformer.resblocks.0.mlp.c_fc.weight", at::kFloat, {3072, 768}}));
  EXPECT_FALSE(may_be_half("clip", {"token_embedding.weight", at::kFloat, {49408, 512}}));
  EXPECT_FALSE(may_be_half("clip", {"visual.layer1.0.conv2.weight", at::kFloat, {256, 256, 3, 3}}));
  EXPECT_FALSE(may_be_half("secondary", {"net.4.0.weight", at::kFloat, {512, 512, 3, 3}}));
}

}  // namespace
}  // namespace disco
