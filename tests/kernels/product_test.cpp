#include "kernels/product.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <random>
#include <vector>

#include "support/golden.h"

namespace disco {
namespace {

TEST(PanelLinear, EqualsTheLinearLayerWithItsGradient) {
  std::mt19937 dice(4);
  const auto draw = [&](int least, int most) { return std::uniform_int_distribution<std::int64_t>(least, most)(dice); };
  for (int k = 0; k < 25; ++k) {
    const std::int64_t in = 32 * draw(1, 20), out = 32 * draw(1, 20), rows = draw(1, 400);
    SCOPED_TRACE(testing::Message() << rows << " rows of " << in << " to " << out);
    const at::Tensor weight = at::randn({out, in}).requires_grad_();
    const at::Tensor bias = k % 2 == 0 ? at::randn({out}).requires_grad_() : at::Tensor();
    const at::Tensor x = at::randn({2, rows, in}).requires_grad_();
    std::vector<at::Tensor> inputs = {x, weight};
    if (bias.defined()) inputs.push_back(bias);
    const at::Tensor plain = at::linear(x, weight, bias), fast = panel_linear(x, weight, bias);
    ASSERT_EQ(fast.sizes(), plain.sizes());
    EXPECT_LT(golden::relative_error(fast, plain), 1e-5);
    const at::Tensor by = at::randn(plain.sizes());
    const auto found = torch::autograd::grad({fast}, inputs, {by});
    const auto expected = torch::autograd::grad({plain}, inputs, {by});
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_LT(golden::relative_error(found[i], expected[i]), 1e-5) << i;
  }
}

TEST(PanelLinear, TakesRowsThatDoNotLieOneAfterTheOther) {
  const at::Tensor x = at::randn({64, 70}).t(), weight = at::randn({96, 64});
  EXPECT_LT(golden::relative_error(panel_linear(x, weight, {}), at::linear(x, weight)), 1e-5);
}

TEST(PanelLinear, KeptWeightsGiveTheSameBits) {
  const at::Tensor weight = at::randn({96, 64}), bias = at::randn({96});
  const auto kept = c10::make_intrusive<KeptForms>();
  for (int turn = 0; turn < 2; ++turn) {
    const at::Tensor x = at::randn({50, 64}).requires_grad_(), by = at::randn({50, 96});
    const at::Tensor plain = panel_linear(x, weight, bias), fast = panel_linear(x, weight, bias, kept);
    EXPECT_TRUE(fast.equal(plain));
    EXPECT_TRUE(torch::autograd::grad({fast}, {x}, {by})[0].equal(torch::autograd::grad({plain}, {x}, {by})[0]));
  }
  const at::Tensor x = at::randn({50, 64}), other = at::zeros({96, 64});
  EXPECT_TRUE(panel_linear(x, other, {}, kept).equal(panel_linear(x, weight, {}))) << "what was kept is used";
  const at::Tensor trained = at::randn({96, 64}).requires_grad_();
  EXPECT_TRUE(panel_linear(x, trained, {}, kept).requires_grad()) << "not of weights that are trained";
}

TEST(PanelLinear, AppliesOnlyWhereItIsRight) {
  const at::Tensor x = at::zeros({100, 64}), weight = at::zeros({96, 64});
  EXPECT_TRUE(panel_linear_applies(x, weight));
  EXPECT_FALSE(panel_linear_applies(x, at::zeros({97, 64})));
  EXPECT_FALSE(panel_linear_applies(at::zeros({4, 64}), weight)) << "too few rows";
  EXPECT_TRUE(panel_linear_applies(at::zeros({16, 64}), weight, /*laid_out=*/true));
  EXPECT_FALSE(panel_linear_applies(x.to(at::kBFloat16), weight.to(at::kBFloat16)));
}

}  // namespace
}  // namespace disco
