#include "kernels/gate.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <limits>

#include "support/golden.h"

namespace disco {
namespace {

TEST(FusedGate, EqualsItsPartsWithTheirGradient) {
  at::manual_seed(3);
  for (const double steepness : {1.0, 1.702}) {
    for (const std::int64_t count : {1, 15, 16, 17, 1000, 70000}) {
      const at::Tensor x = (at::randn({count}) * 8).requires_grad_(), by = at::randn({count});
      const at::Tensor plain = x * at::sigmoid(x * steepness), fused = fused_gate(x, steepness);
      EXPECT_LT(golden::relative_error(fused, plain), 1e-6) << count;
      const auto gradient = [&](const at::Tensor& y) { return torch::autograd::grad({y}, {x}, {by})[0]; };
      EXPECT_LT(golden::relative_error(gradient(fused), gradient(plain)), 1e-6) << count;
    }
  }
}

TEST(FusedGate, TakesGradientsOfAnotherLayout) {
  const at::Tensor x = at::randn({2, 8, 5, 7}).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
  const at::Tensor by = at::randn(x.sizes()), one = at::ones({1}).expand(x.sizes());
  const auto gradient = [&](const at::Tensor& y, const at::Tensor& g) {
    return torch::autograd::grad({y}, {x}, {g})[0];
  };
  for (const at::Tensor& g : {by, one}) {
    EXPECT_LT(golden::relative_error(gradient(fused_gate(x, 1), g), gradient(at::silu(x), g)), 1e-6);
  }
}

TEST(FusedGate, StandsTheEndsOfTheScale) {
  const float most = std::numeric_limits<float>::max(), infinite = std::numeric_limits<float>::infinity();
  const at::Tensor x = at::tensor({-most, -1000.f, -90.f, 0.f, 90.f, 1000.f, most});
  const at::Tensor expected = x.to(at::kDouble) * at::sigmoid(x.to(at::kDouble));
  EXPECT_TRUE(at::allclose(fused_gate(x.clone(), 1).to(at::kDouble), expected, 1e-6, 1e-6));
  const at::Tensor odd = fused_gate(at::tensor({std::numeric_limits<float>::quiet_NaN(), infinite}), 1);
  EXPECT_TRUE(std::isnan(odd[0].item<float>()));
  EXPECT_EQ(odd[1].item<float>(), infinite);
}

TEST(FusedGate, OverwritesWhereNoGradientIsToCome) {
  const at::Tensor x = at::randn({40}), expected = at::silu(x);
  const void* place = x.data_ptr();
  const at::Tensor y = fused_gate(x, 1);
  EXPECT_EQ(y.data_ptr(), place);
  EXPECT_LT(golden::relative_error(y, expected), 1e-6);
}

TEST(FusedGate, AppliesOnlyWhereItIsRight) {
  EXPECT_TRUE(fused_gate_applies(at::zeros({4, 4})));
  EXPECT_TRUE(fused_gate_applies(at::zeros({4, 4}).t()));
  EXPECT_FALSE(fused_gate_applies(at::zeros({4, 4}).slice(1, 0, 2)));
  EXPECT_FALSE(fused_gate_applies(at::zeros({4}, at::kHalf)));
}

}  // namespace
}  // namespace disco
