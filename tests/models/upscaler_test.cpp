// The upscaler: shapes, recognition, and that it begins as the bicubic enlargement.
#include "models/upscaler.h"

#include <gmock/gmock.h>
#include <torch/csrc/autograd/autograd.h>

#include "core/error.h"
#include "models/parameters.h"
#include "shapes.h"
#include "support/golden.h"

namespace disco {
namespace {

constexpr UpscalerConfig tiny{.width = 8, .blocks = 2, .factor = 2};

TEST(Upscaler, EnlargesPicturesOfAnySize) {
  for (const std::int64_t factor : {2, 4}) {
    const Upscaler upscaler(random_weights(Upscaler::manifest({.width = 8, .blocks = 1, .factor = factor}), 1));
    const at::Tensor y = upscaler.forward(golden::unit("x", {2, 3, 5, 7}));
    EXPECT_EQ(y.sizes(), at::IntArrayRef({2, 3, 5 * factor, 7 * factor}));
    EXPECT_EQ(y.scalar_type(), at::kFloat);
  }
  EXPECT_THROW(Upscaler(initial_upscaler(tiny, 1)).forward(at::zeros({1, 4, 8, 8})), Error);
}

TEST(Upscaler, IsRecognisedFromItsTensors) {
  const UpscalerConfig found = Upscaler::recognise(shapeless(shapes_of(Upscaler::manifest({24, 5, 3}))));
  EXPECT_EQ(found.width, 24);
  EXPECT_EQ(found.blocks, 5);
  EXPECT_EQ(found.factor, 3);
}

TEST(Upscaler, TheDefaultHasHalfAMillionParameters) {
  std::int64_t parameters = 0;
  for (const TensorInfo& info : Upscaler::manifest({})) parameters += c10::multiply_integers(info.shape);
  EXPECT_GT(parameters, 400000);
  EXPECT_LT(parameters, 800000);
}

TEST(Upscaler, BeginsAsTheBicubicEnlargement) {
  const at::Tensor x = golden::unit("x", {1, 3, 6, 6});
  EXPECT_TRUE(at::equal(Upscaler(initial_upscaler(tiny, 1)).forward(x), Upscaler::bicubic(x, 2)));
  const StateDict a = initial_upscaler(tiny, 7), b = initial_upscaler(tiny, 7), c = initial_upscaler(tiny, 8);
  for (const auto& [name, tensor] : a) EXPECT_TRUE(at::equal(tensor, b.at(name))) << name;
  EXPECT_FALSE(at::equal(a.at("head.weight"), c.at("head.weight")));
}

TEST(Upscaler, AllParametersReceiveGradients) {
  const Upscaler upscaler(random_weights(Upscaler::manifest(tiny), 2));
  for (const auto& [name, tensor] : upscaler.parameters()) tensor.requires_grad_();
  (upscaler.forward(golden::unit("x", {1, 3, 8, 8})) * golden::unit("c", {1, 3, 16, 16})).sum().backward();
  for (const auto& [name, tensor] : upscaler.parameters()) {
    ASSERT_TRUE(tensor.grad().defined()) << name;
    EXPECT_GT(tensor.grad().abs().sum().item<double>(), 0) << name;
  }
}

TEST(Upscaler, NamesWhatIsWrong) {
  const auto problem = [](const StateDict& tensors) -> std::string {
    try {
      const Upscaler upscaler(tensors);
    } catch (const FormatError& error) {
      return error.problem();
    }
    return "accepted";
  };
  StateDict tensors = initial_upscaler(tiny, 1);
  tensors.erase("body.1.1.bias");
  EXPECT_EQ(problem(tensors), "tensor body.1.1.bias is missing");
  tensors = initial_upscaler(tiny, 1);
  tensors["trunk.bias"] = at::zeros({5});
  EXPECT_THAT(problem(tensors), testing::HasSubstr("trunk.bias has shape (5)"));
  tensors["up.weight"] = at::zeros({17, 8, 3, 3});
  EXPECT_THAT(problem(tensors), testing::HasSubstr("17 channels"));
  EXPECT_THAT(problem({}), testing::HasSubstr("head.weight"));
}

}  // namespace
}  // namespace disco
