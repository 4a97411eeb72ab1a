// CLIP against the original's numbers, and the recognition of OpenAI's and OpenCLIP's files.
#include "models/clip.h"
#include "models/known_shapes.h"

#include <torch/csrc/autograd/autograd.h>

#include "core/error.h"
#include "models/parameters.h"
#include "shapes.h"
#include "support/golden.h"

namespace disco {
namespace {

ClipConfig tiny_config(bool is_vit) {
  ClipConfig config;
  config.is_vit = is_vit;
  config.input_size = is_vit ? 16 : 64;
  config.embedding = 24;
  config.vision_width = is_vit ? 128 : 8;
  config.vision_layers = 2;
  config.patch = is_vit ? 8 : 32;
  config.stage_blocks = is_vit ? std::vector<std::int64_t>{} : std::vector<std::int64_t>{1, 2, 1, 1};
  config.text_width = 64;
  config.text_layers = 2;
  config.context = 20;
  config.vocabulary = 50;
  return config;
}

at::Tensor texts() {
  // Ends at 4 and 1 (49 is the largest id).
  at::Tensor tokens = at::zeros({2, 20}, at::kLong);
  tokens[0].narrow(0, 0, 5).copy_(at::tensor({48, 5, 6, 7, 49}, at::kLong));
  tokens[1].narrow(0, 0, 2).copy_(at::tensor({48, 49}, at::kLong));
  return tokens;
}

TEST(Clip, MatchesTheOriginal) {
  const auto expected = golden::tensors("nets.safetensors");
  for (const std::string name : {"vit32", "vit16", "vit14_336", "rn50", "rn50x4"}) {
    SCOPED_TRACE(name);
    const Clip clip(golden::network("clip." + name), "quick_gelu");
    const std::string prefix = "clip." + name + ".";
    const std::int64_t side = clip.config().input_size;
    const at::Tensor x = golden::unit("input.clip." + name, {2, 3, side, side}).requires_grad_();
    const at::Tensor y = clip.encode_image(x);
    EXPECT_LT(golden::relative_error(y, expected.at(prefix + "y")), 1e-4);
    const at::Tensor c = golden::unit("input.clip." + name + ".c", y.sizes().vec());
    const at::Tensor dx = torch::autograd::grad({(y * c).sum()}, {x})[0];
    EXPECT_LT(golden::relative_error(dx, expected.at(prefix + "dx")), 1e-4);
    EXPECT_LT(golden::relative_error(clip.encode_text(expected.at(prefix + "tokens")), expected.at(prefix + "text")),
              1e-4);
  }
}

struct Known {
  const char* name;
  bool is_vit;
  std::int64_t input_size, embedding, width, patch, heads, text_width;
  std::vector<std::int64_t> blocks;
};

const std::vector<Known> known_models = {
    {"ViT-B-32", true, 224, 512, 768, 32, 12, 512, {12}},
    {"ViT-B-16", true, 224, 512, 768, 16, 12, 512, {12}},
    {"ViT-L-14", true, 224, 768, 1024, 14, 16, 768, {24}},
    {"ViT-L-14-336px", true, 336, 768, 1024, 14, 16, 768, {24}},
    {"RN50", false, 224, 1024, 64, 32, 32, 512, {3, 4, 6, 3}},
    {"RN101", false, 224, 512, 64, 32, 32, 512, {3, 4, 23, 3}},
    {"RN50x4", false, 288, 640, 80, 32, 40, 640, {4, 6, 10, 6}},
    {"RN50x16", false, 384, 768, 96, 32, 48, 768, {6, 8, 18, 8}},
    {"RN50x64", false, 448, 1024, 128, 32, 64, 1024, {3, 15, 36, 10}},
};

TEST(Clip, SeesTheSameWithoutItsText) {
  const Clip whole(golden::network("clip.vit32"), "quick_gelu");
  const Clip image_side = whole.without_text();
  const at::Tensor x = at::rand({2, 3, whole.config().input_size, whole.config().input_size});
  EXPECT_TRUE(at::equal(image_side.encode_image(x), whole.encode_image(x)));
  EXPECT_TRUE(whole.has_text());
  EXPECT_FALSE(image_side.has_text());
  EXPECT_LT(image_side.parameters().size(), whole.parameters().size());
  EXPECT_THROW(image_side.encode_text(at::zeros({1, 77}, at::kLong)), Error);
}

TEST(Clip, RecognisesOpenAisModels) {
  for (const Known& known : known_models) {
    SCOPED_TRACE(known.name);
    const nlohmann::json manifest = golden::json(std::string("manifests/full.clip.") + known.name + ".json");
    Shapes shapes = manifest["tensors"].get<Shapes>();
    const Clip clip(shapeless(shapes), "quick_gelu");
    const ClipConfig& config = clip.config();
    EXPECT_EQ(config.is_vit, known.is_vit);
    EXPECT_EQ(config.input_size, known.input_size);
    EXPECT_EQ(config.embedding, known.embedding);
    EXPECT_EQ(config.vision_width, known.width);
    EXPECT_EQ(config.patch, known.patch);
    EXPECT_EQ(config.vision_heads, known.heads);
    EXPECT_EQ(config.is_vit ? std::vector{config.vision_layers} : config.stage_blocks, known.blocks);
    EXPECT_EQ(config.text_width, known.text_width);
    EXPECT_EQ(config.text_heads, known.text_width / 64);
    EXPECT_EQ(config.text_layers, 12);
    EXPECT_EQ(config.context, 77);
    EXPECT_EQ(config.vocabulary, 49408);

    std::int64_t parameters = 0;
    for (const TensorInfo& info : Clip::manifest(config)) {
      if (info.name.find("running_") == std::string::npos && info.dtype == at::kFloat) {
        parameters += c10::multiply_integers(info.shape);
      }
    }
    EXPECT_EQ(parameters, manifest["parameters"].get<std::int64_t>());
    shapes.erase("attn_mask");
    EXPECT_EQ(shapes_of(Clip::manifest(config)), shapes);
    const auto by_name = known_clip_shape(known.name);
    ASSERT_TRUE(by_name);
    EXPECT_EQ(shapes_of(Clip::manifest(*by_name)), shapes);
    EXPECT_EQ(by_name->vision_heads, config.vision_heads);
  }
}

TEST(Clip, WideVisionTowersHaveSixteenHeads) {
  ClipConfig config = tiny_config(true);
  config.vision_width = 1664;
  config.vision_mlp = 8192;
  const ClipConfig found = Clip::recognise(shapeless(shapes_of(Clip::manifest(config))));
  EXPECT_EQ(found.vision_heads, 16);
  EXPECT_EQ(found.vision_mlp, 8192);
}

TEST(Clip, TakesOpenClipsNamesAndLeavesBuffersAlone) {
  const StateDict plain = random_weights(Clip::manifest(tiny_config(true)), 4);
  StateDict other;
  for (const auto& [name, tensor] : plain) {
    other[name.starts_with("visual.") || name == "logit_scale" ? name : "text." + name] = tensor;
  }
  other["text.attn_mask"] = at::zeros({20, 20});
  for (const char* name : {"input_resolution", "context_length", "vocab_size"}) {
    other[name] = at::tensor(77, at::kLong);
  }
  const Clip a(plain, "gelu"), b(other, "gelu");
  EXPECT_TRUE(at::equal(a.encode_text(texts()), b.encode_text(texts())));
  EXPECT_TRUE(b.parameters().contains("ln_final.weight"));
}

TEST(Clip, TheTextEndsAtItsEnd) {
  const Clip clip(random_weights(Clip::manifest(tiny_config(true)), 4), "gelu");
  const at::Tensor both = clip.encode_text(texts());
  at::Tensor changed = texts();
  changed[0][12] = 9;  // After the end.
  changed[1][1] = 47;  // The end is at 0 now.
  const at::Tensor other = clip.encode_text(changed);
  EXPECT_LT(golden::relative_error(other[0], both[0]), 1e-5);
  EXPECT_GT(golden::relative_error(other[1], both[1]), 1e-3);
  EXPECT_LT(golden::relative_error(clip.encode_text(texts()[1].unsqueeze(0))[0], both[1]), 1e-5);
}

TEST(Clip, ActivationsDiffer) {
  const StateDict tensors = random_weights(Clip::manifest(tiny_config(true)), 4);
  const at::Tensor x = golden::unit("x", {1, 3, 16, 16});
  EXPECT_GT(golden::relative_error(Clip(tensors, "gelu").encode_image(x), Clip(tensors, "quick_gelu").encode_image(x)),
            1e-4);
  EXPECT_THROW(Clip(tensors, "relu"), FormatError);
}

TEST(Clip, ParametersReceiveGradients) {
  for (const bool is_vit : {true, false}) {
    const Clip clip(random_weights(Clip::manifest(tiny_config(is_vit)), 3), "quick_gelu");
    for (const auto& [name, tensor] : clip.parameters()) {
      if (tensor.is_floating_point() && name.find("running_") == std::string::npos) tensor.requires_grad_();
    }
    const std::int64_t side = clip.config().input_size;
    const at::Tensor image = clip.encode_image(golden::unit("x", {2, 3, side, side}));
    ((image * golden::unit("c", {2, 24})).sum() + (clip.encode_text(texts()) * golden::unit("d", {2, 24})).sum())
        .backward();
    for (const auto& [name, tensor] : clip.parameters()) {
      if (!tensor.requires_grad() || name == "logit_scale") continue;
      ASSERT_TRUE(tensor.grad().defined()) << name;
      EXPECT_GT(tensor.grad().abs().sum().item<double>(), 0) << name;
    }
  }
}

TEST(Clip, FreshWeightsGiveFeaturesThatDependOnTheSeedAlone) {
  for (const bool is_vit : {true, false}) {
    const ClipConfig config = tiny_config(is_vit);
    const Clip a(initial_clip(config, 1), "gelu"), b(initial_clip(config, 1), "gelu"),
        c(initial_clip(config, 2), "gelu");
    const at::Tensor x = golden::unit("x", {1, 3, config.input_size, config.input_size});
    const at::Tensor y = a.encode_image(x);
    EXPECT_TRUE(at::equal(y, b.encode_image(x)));
    EXPECT_FALSE(at::equal(y, c.encode_image(x)));
    EXPECT_TRUE(at::isfinite(y).all().item<bool>());
    EXPECT_GT(y.abs().max().item<double>(), 1e-4);
    EXPECT_GT(a.encode_text(texts()).abs().max().item<double>(), 1e-4);
  }
}

TEST(Clip, ASmallVocabularyStandsForTheWhole) {
  const StateDict plain = random_weights(Clip::manifest(tiny_config(true)), 4);
  StateDict mapped = plain;
  at::Tensor ids = at::arange(50, at::kLong) * 1000;
  mapped["token_ids"] = ids;
  const Clip a(plain, "gelu"), b(mapped, "gelu");
  EXPECT_TRUE(at::equal(b.encode_text(texts() * 1000), a.encode_text(texts())));
  // Unknown words have row 0, also beyond the largest id known.
  at::Tensor unknown = texts() * 1000, zero = texts();
  unknown[0][1] = 5001;
  unknown[0][2] = 48999;
  zero[0][1] = 0;
  zero[0][2] = 0;
  EXPECT_TRUE(at::equal(b.encode_text(unknown), a.encode_text(zero)));
  EXPECT_TRUE(b.knows_token(5000));
  EXPECT_FALSE(b.knows_token(5001));
  EXPECT_FALSE(b.knows_token(0));
  EXPECT_TRUE(a.knows_token(5001));
  mapped["token_ids"] = at::arange(49, at::kLong);
  EXPECT_THROW(Clip(mapped, "gelu"), FormatError);
}

TEST(Clip, GoesToADeviceWithAllItsWeights) {
  for (const bool is_vit : {true, false}) {
    const Clip whole(random_weights(Clip::manifest(tiny_config(is_vit)), 3), "quick_gelu");
    for (const Clip& clip : {whole, whole.without_text()}) {
      const Clip same = clip.on(at::kCPU), there = clip.on(at::kMeta);
      EXPECT_EQ(there.has_text(), clip.has_text());
      for (const auto& [name, tensor] : clip.parameters()) {
        EXPECT_TRUE(same.parameters().at(name).is_same(tensor)) << name;
        EXPECT_TRUE(there.parameters().at(name).is_meta()) << name;
      }
      const at::Tensor x = golden::unit("x", {1, 3, clip.config().input_size, clip.config().input_size});
      EXPECT_TRUE(at::equal(same.encode_image(x), clip.encode_image(x)));
      EXPECT_ANY_THROW(there.encode_image(x)) << "its layers have stayed behind";
      if (clip.has_text()) {
        EXPECT_ANY_THROW(there.encode_text(texts()).cpu());
      }
    }
  }
}

TEST(Clip, FoldedBatchNormsAreTheSameNetwork) {
  const StateDict tensors = random_weights(Clip::manifest(tiny_config(false)), 4);
  const StateDict folded = fold_batch_norms(tensors);
  const Clip plain(tensors, "gelu"), fast(folded, "gelu");
  EXPECT_TRUE(fast.config().folded);
  EXPECT_FALSE(plain.config().folded);
  for (const TensorInfo& info : Clip::manifest(fast.config())) {
    EXPECT_EQ(folded.at(info.name).sizes().vec(), info.shape) << info.name;
  }
  for (const auto& [name, tensor] : folded) EXPECT_EQ(name.find("running_"), std::string::npos) << name;
  const auto seen = [](const Clip& clip) {
    const at::Tensor x = golden::unit("x", {3, 3, 64, 64}).requires_grad_();
    const at::Tensor features = clip.encode_image(x);
    (features * golden::unit("c", {3, 24})).sum().backward();
    return std::pair(features.detach(), x.grad());
  };
  const auto [features, gradient] = seen(plain);
  const auto [same_features, same_gradient] = seen(fast);
  EXPECT_LT(golden::relative_error(same_features, features), 1e-5);
  EXPECT_LT(golden::relative_error(same_gradient, gradient), 1e-4);
  EXPECT_TRUE(at::equal(fast.encode_text(texts()), plain.encode_text(texts())));
  EXPECT_THROW(fast.encode_image_training(at::zeros({2, 3, 64, 64})), Error);

  for (const std::string part : {"weight", "bias", "running_mean", "running_var"}) {
    StateDict broken = tensors;
    broken.erase("visual.layer2.0.bn2." + part);
    try {
      fold_batch_norms(broken);
      FAIL() << "a missing tensor was accepted";
    } catch (const FormatError& error) {
      EXPECT_NE(error.problem().find("layer2.0.bn2." + part), std::string::npos) << error.what();
    }
  }
  const StateDict vit = random_weights(Clip::manifest(tiny_config(true)), 4);
  const StateDict same = fold_batch_norms(vit);
  ASSERT_EQ(same.size(), vit.size());
  for (const auto& [name, tensor] : vit) EXPECT_TRUE(same.at(name).is_same(tensor)) << name;
}

TEST(Clip, NamesWhatIsMissingUnknownOrWrong) {
  StateDict tensors = random_weights(Clip::manifest(tiny_config(true)), 4);
  StateDict missing = tensors;
  missing.erase("visual.transformer.resblocks.1.attn.out_proj.bias");
  try {
    Clip(missing, "gelu");
    FAIL() << "a missing tensor was accepted";
  } catch (const FormatError& error) {
    EXPECT_NE(error.problem().find("resblocks.1.attn.out_proj.bias"), std::string::npos) << error.what();
  }
  StateDict unknown = tensors;
  unknown["visual.transformer.resblocks.0.ls_1.gamma"] = at::zeros({128});
  EXPECT_THROW(Clip(unknown, "gelu"), FormatError);
  EXPECT_THROW(Clip(StateDict{}, "gelu"), FormatError);
  StateDict oblong = tensors;
  oblong["visual.positional_embedding"] = at::zeros({8, 128});
  EXPECT_THROW(Clip(oblong, "gelu"), FormatError);
  const Clip clip(tensors, "gelu");
  EXPECT_THROW(clip.encode_image(at::zeros({1, 3, 16, 17})), Error);
  EXPECT_THROW(clip.encode_text(texts() + 1), Error);
}

TEST(Clip, MixedAndHalfPrecisionStayNear) {
  // OpenAI's files hold norms and embeddings in float32, the rest in float16.
  const auto is_wide = [](const std::string& name) {
    return name.find("ln_") != std::string::npos || name.find("bn") != std::string::npos ||
           name.find("downsample.1") != std::string::npos || name.find("embedding") != std::string::npos;
  };
  for (const bool is_vit : {true, false}) {
    const StateDict exact = random_weights(Clip::manifest(tiny_config(is_vit)), 4);
    StateDict mixed = to_dtype(exact, at::kBFloat16);
    const Clip a(exact, "gelu"), half(mixed, "gelu");
    for (auto& [name, tensor] : mixed) {
      if (is_wide(name)) tensor = exact.at(name);
    }
    const Clip b(mixed, "gelu");
    const std::int64_t side = a.config().input_size;
    const at::Tensor x = golden::unit("x", {1, 3, side, side});
    for (const Clip* rough : {&b, &half}) {
      EXPECT_LT(golden::relative_error(rough->encode_image(x), a.encode_image(x)), .1);
      EXPECT_LT(golden::relative_error(rough->encode_text(texts()), a.encode_text(texts())), .1);
      EXPECT_EQ(rough->encode_text(texts()).scalar_type(), at::kFloat);
    }
  }
}

}  // namespace
}  // namespace disco
