// Conversion and random weights.
#include "models/parameters.h"

#include "core/error.h"
#include "models/clip.h"
#include "models/lpips.h"
#include "models/secondary.h"
#include "models/unet.h"
#include "support/golden.h"

namespace disco {
namespace {

TEST(Parameters, ConversionTouchesOnlyFloatingPoint) {
  const StateDict tensors = {{"a", at::ones({3})}, {"b", at::tensor({1, 2}, at::kLong)}};
  const StateDict half = to_dtype(tensors, at::kHalf), same = to_dtype(tensors, at::kFloat);
  EXPECT_EQ(half.at("a").scalar_type(), at::kHalf);
  EXPECT_EQ(half.at("b").scalar_type(), at::kLong);
  EXPECT_EQ(tensors.at("a").scalar_type(), at::kFloat);
  EXPECT_TRUE(same.at("a").is_same(tensors.at("a")));
}

TEST(Parameters, RandomWeightsDependOnSeedAndNameAlone) {
  const std::vector<TensorInfo> both = {{"x.weight", at::kFloat, {4, 5}}, {"y.weight", at::kFloat, {4, 5}}};
  const StateDict a = random_weights(both, 1), b = random_weights({both[1]}, 1), c = random_weights(both, 2);
  EXPECT_TRUE(at::equal(a.at("y.weight"), b.at("y.weight")));
  EXPECT_FALSE(at::equal(a.at("x.weight"), a.at("y.weight")));
  EXPECT_FALSE(at::equal(a.at("x.weight"), c.at("x.weight")));
}

TEST(Parameters, RandomWeightsKeepActivationsInHalfsRange) {
  // Depth is what makes activations grow: the published depth, at a small width.
  UNetConfig unet = UNetConfig::from_json(golden::json("manifests/full.256x256_diffusion_uncond.json")["config"]);
  unet.num_channels = 32;
  unet.num_head_channels = 32;
  const at::Tensor y = UNet(unet, random_weights(UNet::manifest(unet), 1))
                           .forward(golden::unit("x", {1, 3, 32, 32}), at::tensor({500.f}));
  ClipConfig clip;
  clip.is_vit = false;
  clip.input_size = 64;
  clip.vision_width = 8;
  clip.stage_blocks = {3, 15, 36, 10};
  clip.text_width = 64;
  clip.vocabulary = 10;
  const at::Tensor image =
      Clip(random_weights(Clip::manifest(clip), 1), "gelu").encode_image(golden::unit("x", {1, 3, 64, 64}));
  const at::Tensor v = SecondaryModel(random_weights(SecondaryModel::manifest(8), 1))
                           .forward(golden::unit("x", {1, 3, 64, 64}), at::tensor({.5f}))
                           .v;
  for (const at::Tensor& result : {y, image, v}) {
    EXPECT_TRUE(at::isfinite(result).all().item<bool>());
    EXPECT_LT(result.abs().max().item<double>(), 1000);
    EXPECT_GT(result.std().item<double>(), 1e-4);
  }
}

TEST(Parameters, RequiredTensorsAreCounted) {
  const std::vector<TensorInfo> manifest = {{"a", at::kFloat, {1}}, {"b", at::kFloat, {}}, {"c", at::kFloat, {2, 3}}};
  EXPECT_NO_THROW(
      require_tensors({{"a", at::ones({1})}, {"b", at::ones({})}, {"c", at::ones({2, 3})}}, manifest, "net"));
  try {
    require_tensors({{"a", at::ones({1})}}, manifest, "net");
    FAIL() << "missing tensors were accepted";
  } catch (const FormatError& error) {
    EXPECT_EQ(error.problem(), "2 tensors are missing, the first of them b");
    EXPECT_EQ(error.where(), "net");
  }
  EXPECT_EQ(shape_text({2, 3}), "(2, 3)");
  EXPECT_EQ(shape_text({}), "()");
}

}  // namespace
}  // namespace disco
