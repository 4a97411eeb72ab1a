// The diffusion UNet against the original's numbers, and the recognition of the community's models.
#include "models/unet.h"

#include <torch/csrc/autograd/autograd.h>

#include "core/error.h"
#include "kernels/choice.h"
#include "models/parameters.h"
#include "shapes.h"
#include "support/golden.h"

namespace disco {
namespace {

const std::vector<std::string> small_networks = {"adm512", "adm256", "portrait", "pixelart"};
const std::vector<std::string> unet_manifests = {"full.256x256_diffusion_uncond",
                                                 "full.512x512_diffusion_uncond_finetune_008100",
                                                 "full.portrait_generator_v001",
                                                 "full.pixelart_256",
                                                 "small.unet.adm512",
                                                 "small.unet.adm256",
                                                 "small.unet.portrait",
                                                 "small.unet.pixelart"};

UNet small_network(const std::string& name) {
  const nlohmann::json manifest = golden::json("manifests/small.unet." + name + ".json");
  return UNet(UNetConfig::from_json(manifest["config"]), golden::network("unet." + name));
}

UNetConfig tiny_config() {
  UNetConfig config;
  config.image_size = 32;
  config.num_channels = 32;
  config.num_res_blocks = 1;
  config.num_head_channels = 16;
  config.channel_mult = {1, 2};
  config.attention_resolutions = {8};
  config.patch = 2;
  return config;
}

at::Tensor gradient(const at::Tensor& y, const at::Tensor& by, const at::Tensor& c) {
  return torch::autograd::grad({(y * c).sum()}, {by})[0];
}

TEST(UNet, MatchesTheOriginal) {
  const auto expected = golden::tensors("nets.safetensors");
  for (const std::string& name : small_networks) {
    SCOPED_TRACE(name);
    const UNet unet = small_network(name);
    const std::string prefix = "unet." + name + ".";
    const at::Tensor x = golden::unit("input.unet." + name, {2, 3, 64, 128}).requires_grad_();
    const at::Tensor y = unet.forward(x, expected.at(prefix + "t"));
    EXPECT_LT(golden::relative_error(y, expected.at(prefix + "y")), 1e-4);
    const at::Tensor c = golden::unit("input.unet." + name + ".c", y.sizes().vec());
    EXPECT_LT(golden::relative_error(gradient(y, x, c), expected.at(prefix + "dx")), 1e-4);
    for (const auto& [key, tensor] : unet.parameters()) EXPECT_FALSE(tensor.grad().defined()) << key;
  }
}

TEST(UNet, ManifestsAreTheOriginals) {
  for (const std::string& name : unet_manifests) {
    SCOPED_TRACE(name);
    const nlohmann::json manifest = golden::json("manifests/" + name + ".json");
    const auto infos = UNet::manifest(UNetConfig::from_json(manifest["config"]));
    EXPECT_EQ(shapes_of(infos), manifest["tensors"].get<Shapes>());
    if (!manifest.contains("parameters")) continue;
    std::int64_t parameters = 0;
    for (const TensorInfo& info : infos) parameters += c10::multiply_integers(info.shape);
    EXPECT_EQ(parameters, manifest["parameters"].get<std::int64_t>());
  }
}

TEST(UNet, RecognisesTheModelsByTheirTensors) {
  for (const std::string& name : unet_manifests) {
    SCOPED_TRACE(name);
    const nlohmann::json manifest = golden::json("manifests/" + name + ".json");
    const StateDict tensors = shapeless(manifest["tensors"].get<Shapes>());
    const UNetConfig truth = UNetConfig::from_json(manifest["config"]);
    const UNetConfig found = UNet::recognise(tensors, nullptr);
    nlohmann::json a = found.to_json(), b = truth.to_json();
    for (const char* unknowable : {"num_heads", "num_head_channels"}) {
      a.erase(unknowable);
      b.erase(unknowable);
    }
    EXPECT_EQ(a, b);
    EXPECT_EQ(shapes_of(UNet::manifest(found)), manifest["tensors"].get<Shapes>());

    const UNetConfig told = UNet::recognise(tensors, manifest["config"]);
    EXPECT_EQ(told.num_heads, truth.num_heads);
    EXPECT_EQ(told.num_head_channels, truth.num_head_channels);
  }
}

TEST(UNet, RecognisesEveryShapeThatItCanTake) {
  for (const bool updown : {false, true}) {
    for (const bool scale_shift : {false, true}) {
      for (const std::int64_t blocks : {1, 2, 3}) {
        UNetConfig config;
        config.image_size = 64;
        config.num_channels = 32;
        config.num_res_blocks = blocks;
        config.attention_resolutions = {32, 16};
        config.channel_mult = {1, 1, 1, 2};
        config.resblock_updown = updown;
        config.use_scale_shift_norm = scale_shift;
        config.learn_sigma = scale_shift;
        config.class_count = updown ? 10 : 0;
        config.patch = static_cast<std::int64_t>(blocks);
        config.image_size *= config.patch;
        config.num_head_channels = 16;
        const nlohmann::json given = {{"image_size", config.image_size}, {"num_head_channels", 16}};
        const UNetConfig found = UNet::recognise(shapeless(shapes_of(UNet::manifest(config))), given);
        EXPECT_EQ(found.to_json(), config.to_json());
      }
    }
  }
}

TEST(UNet, ReadsConfigurationsOfBothSpellings) {
  const UNetConfig text = UNetConfig::from_json({{"attention_resolutions", "32, 16,8"}, {"channel_mult", "0.5,1"}});
  EXPECT_EQ(text.attention_resolutions, (std::vector<std::int64_t>{32, 16, 8}));
  EXPECT_EQ(text.channel_mult, (std::vector<double>{.5, 1}));
  const UNetConfig again = UNetConfig::from_json(text.to_json());
  EXPECT_EQ(again.to_json(), text.to_json());
  EXPECT_EQ(UNetConfig::from_json({{"class_cond", true}}).class_count, 1000);
  EXPECT_THROW(UNetConfig::from_json({{"attention_resolutions", "32;16"}}), FormatError);
  EXPECT_THROW(UNetConfig::from_json({{"num_channels", "many"}}), FormatError);
  EXPECT_THROW(UNetConfig::from_json({{"prediction", "x0"}}), FormatError);
  EXPECT_THROW(UNetConfig::from_json({{"image_size", 100}}).multipliers(), FormatError);
}

TEST(UNet, NamesWhatIsMissingOrMisshapen) {
  const UNetConfig config = tiny_config();
  StateDict tensors = initial_unet(config, 1);
  StateDict missing = tensors;
  missing.erase("middle_block.1.qkv.weight");
  try {
    UNet(config, missing);
    FAIL() << "a missing tensor was accepted";
  } catch (const FormatError& error) {
    EXPECT_NE(error.problem().find("middle_block.1.qkv.weight"), std::string::npos) << error.what();
  }
  tensors["out.2.bias"] = at::zeros({5});
  try {
    UNet(config, tensors);
    FAIL() << "a wrong shape was accepted";
  } catch (const FormatError& error) {
    EXPECT_NE(error.problem().find("out.2.bias has shape (5)"), std::string::npos) << error.what();
  }
  EXPECT_THROW(UNet::recognise({{"conv.weight", at::zeros({1, 1, 1, 1})}}, nullptr), FormatError);
}

TEST(UNet, TheNewAttentionOrderIsARearrangement) {
  UNetConfig config = tiny_config();
  const StateDict legacy = random_weights(UNet::manifest(config), 5);
  StateDict rearranged = legacy;
  for (const auto& [name, tensor] : legacy) {
    if (name.find(".qkv.") == std::string::npos) continue;
    // Rows (heads, 3, 16) become (3, heads, 16).
    const auto sizes = tensor.sizes().vec();
    rearranged[name] = tensor.reshape({sizes[0] / 48, 3, -1}).transpose(0, 1).reshape(sizes);
  }
  const at::Tensor x = golden::unit("x", {1, 3, 16, 16}), t = at::tensor({500.f});
  const at::Tensor expected = UNet(config, legacy).forward(x, t);
  config.use_new_attention_order = true;
  EXPECT_LT(golden::relative_error(UNet(config, rearranged).forward(x, t), expected), 1e-5);
  EXPECT_GT(golden::relative_error(UNet(config, legacy).forward(x, t), expected), 1e-3);
}

TEST(UNet, ParametersReceiveGradients) {
  UNetConfig config = tiny_config();
  config.class_count = 4;
  config.learn_sigma = false;
  const UNet unet(config, random_weights(UNet::manifest(config), 2));
  for (const auto& [name, tensor] : unet.parameters()) tensor.requires_grad_();
  const at::Tensor x = golden::unit("x", {2, 3, 16, 32});
  const at::Tensor y = unet.forward(x, at::tensor({1.f, 900.f}), at::tensor({0, 3}, at::kLong));
  ASSERT_EQ(y.sizes(), x.sizes());
  (y * golden::unit("c", {2, 3, 16, 32})).sum().backward();
  for (const auto& [name, tensor] : unet.parameters()) {
    ASSERT_TRUE(tensor.grad().defined()) << name;
    EXPECT_GT(tensor.grad().abs().sum().item<double>(), 0) << name;
  }
  EXPECT_EQ(unet.parameters().at("label_emb.weight").grad()[1].abs().sum().item<double>(), 0);
}

TEST(UNet, KeepsNoFiltersOfWeightsThatAreTrained) {
  at::manual_seed(1);
  UNetConfig config = tiny_config();
  config.num_channels = 32;
  StateDict tensors = initial_unet(config, 1);
  for (auto& [name, tensor] : tensors) tensor.normal_(0, 0.05).requires_grad_();
  const UNet unet(config, tensors);
  const at::Tensor x = at::randn({1, 3, 32, 32}), t = at::full({1}, 100.0);
  const at::Tensor before = unet.forward(x, t).detach();
  {
    const at::NoGradGuard no_grad;
    for (auto& [name, tensor] : tensors) tensor.mul_(1.1);
  }
  EXPECT_FALSE(before.equal(unet.forward(x, t).detach()));
}

TEST(UNet, SmallOnesWithKeptFiltersGiveWhatLibTorchGives) {
  at::manual_seed(2);
  UNetConfig config = tiny_config();
  config.image_size = 64;
  config.num_channels = 32;
  config.channel_mult = {1, 2, 3};
  StateDict tensors = initial_unet(config, 3);
  for (auto& [name, tensor] : tensors) tensor.normal_(0, 0.05);
  const UNet unet(config, tensors);
  for (const std::int64_t width : {16, 64, 72}) {  // Columns alone, and both ways.
    const at::Tensor x = at::randn({1, 3, 64, width}).requires_grad_(), t = at::full({1}, 300.0);
    const auto both = [&](Kernels kernels) {
      choose_kernels(kernels);
      const at::Tensor y = unet.forward(x, t);
      const at::Tensor by_x = torch::autograd::grad({y}, {x}, {at::ones_like(y)})[0];
      choose_kernels(Kernels::fast);
      return std::pair(y.detach(), by_x);
    };
    const auto plain = both(Kernels::plain), fast = both(Kernels::fast);
    EXPECT_LT(golden::relative_error(fast.first, plain.first), 1e-4) << width;
    EXPECT_LT(golden::relative_error(fast.second, plain.second), 1e-4) << width;
    EXPECT_FALSE(fast.first.equal(plain.first)) << "both were LibTorch's";
  }
}

TEST(UNet, GivesTheSameWithAndWithoutAGradient) {
  const UNet unet = small_network("pixelart");
  const at::Tensor x = golden::unit("x", {1, 3, 32, 32}), t = at::tensor({250.f});
  const at::Tensor plain = unet.forward(x, t);
  EXPECT_TRUE(at::equal(unet.forward(x.clone().requires_grad_(), t), plain));
  EXPECT_TRUE(at::equal(x, golden::unit("x", {1, 3, 32, 32})));
}

TEST(UNet, RecomputedActivationsGiveTheSameBits) {
  for (const char* name : {"adm256", "pixelart"}) {
    const UNet unet = small_network(name);
    const at::Tensor t = at::tensor({250.f}), by = golden::unit("by", {1, unet.config().learn_sigma ? 6 : 3, 64, 64});
    const auto evaluate = [&](Activations activations) {
      const at::Tensor x = golden::unit("x", {1, 3, 64, 64}).requires_grad_();
      const at::Tensor y = unet.forward(x, t, {}, activations);
      return std::pair{y.detach(), torch::autograd::grad({y}, {x}, {by})[0]};
    };
    const auto [y, by_x] = evaluate(Activations::kept);
    const auto [y_again, by_x_again] = evaluate(Activations::recomputed);
    EXPECT_TRUE(at::equal(y, y_again)) << name;
    EXPECT_TRUE(at::equal(by_x, by_x_again)) << name;
    EXPECT_GT(by_x.abs().max().item<float>(), 0) << name;
  }
}

TEST(UNet, GoesToADeviceWithAllItsWeights) {
  const UNet unet(tiny_config(), initial_unet(tiny_config(), 3));
  const UNet same = unet.on(at::kCPU), there = unet.on(at::kMeta);
  for (const auto& [name, tensor] : unet.parameters()) {
    EXPECT_TRUE(same.parameters().at(name).is_same(tensor)) << name;
    EXPECT_TRUE(there.parameters().at(name).is_meta()) << name;
  }
  choose_kernels(Kernels::plain);
  EXPECT_ANY_THROW(there.forward(at::zeros({1, 3, 32, 32}), at::zeros({1}))) << "its layers have stayed behind";
  choose_kernels(Kernels::fast);
}

TEST(UNet, FreshWeightsGiveZeroAndDependOnTheSeedAlone) {
  const UNetConfig config = tiny_config();
  const StateDict a = initial_unet(config, 7), b = initial_unet(config, 7), c = initial_unet(config, 8);
  for (const auto& [name, tensor] : a) EXPECT_TRUE(at::equal(tensor, b.at(name))) << name;
  EXPECT_FALSE(at::equal(a.at("time_embed.0.weight"), c.at("time_embed.0.weight")));
  const at::Tensor y = UNet(config, a).forward(golden::unit("x", {1, 3, 16, 16}), at::tensor({10.f}));
  EXPECT_EQ(y.sizes(), (std::vector<std::int64_t>{1, 6, 16, 16}));
  EXPECT_EQ(y.abs().max().item<double>(), 0);
}

TEST(UNet, RefusesWrongInputs) {
  const UNet unet(tiny_config(), initial_unet(tiny_config(), 1));
  const at::Tensor t = at::tensor({1.f});
  EXPECT_EQ(unet.config().side_multiple(), 4);
  EXPECT_THROW(unet.forward(at::zeros({1, 3, 18, 16}), t), Error);
  EXPECT_THROW(unet.forward(at::zeros({1, 4, 16, 16}), t), Error);
  EXPECT_THROW(unet.forward(at::zeros({1, 3, 16, 16}), t, at::zeros({1}, at::kLong)), Error);
}

TEST(UNet, HalfPrecisionStaysNear) {
  const UNetConfig config = tiny_config();
  const StateDict tensors = random_weights(UNet::manifest(config), 3);
  const at::Tensor x = golden::unit("x", {1, 3, 16, 16}), t = at::tensor({300.f});
  const at::Tensor exact = UNet(config, tensors).forward(x, t);
  const at::Tensor rough = UNet(config, to_dtype(tensors, at::kBFloat16)).forward(x, t);
  EXPECT_EQ(rough.scalar_type(), at::kFloat);
  EXPECT_LT(golden::relative_error(rough, exact), .1);
}

}  // namespace
}  // namespace disco
