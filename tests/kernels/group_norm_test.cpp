#include "kernels/group_norm.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <random>

#include "support/golden.h"

namespace disco {
namespace {

constexpr double same = 1e-5;

at::Tensor gradient(const at::Tensor& y, const at::Tensor& x, const at::Tensor& by) {
  return torch::autograd::grad({y}, {x}, {by})[0];
}

struct Layer {
  at::Tensor gain, shift;
  bool silu;

  Layer(std::int64_t pictures, std::int64_t channels, bool through_silu)
      : gain(at::randn({pictures, channels}).requires_grad_()),
        shift(at::randn({pictures, channels}).requires_grad_()),
        silu(through_silu) {}

  at::Tensor plain(const at::Tensor& x) const {
    const auto everywhere = [&](const at::Tensor& t) { return t.to(x.scalar_type()).unsqueeze(-1).unsqueeze(-1); };
    const at::Tensor y = at::group_norm(x, 32, {}, {}, 1e-5) * everywhere(gain) + everywhere(shift);
    return silu ? at::silu(y) : y;
  }

  at::Tensor fused(const at::Tensor& x) const { return fused_group_norm(x, gain, shift, silu); }
};

TEST(FusedGroupNorm, EqualsItsPartsWithTheirGradient) {
  at::manual_seed(2);
  std::mt19937 dice(6);
  const auto draw = [&](int least, int most) { return std::uniform_int_distribution<std::int64_t>(least, most)(dice); };
  for (int k = 0; k < 40; ++k) {
    // Every second one in several pieces.
    const std::int64_t most = k % 2 == 0 ? 20 : 90, pictures = draw(1, 3), channels = 32 * draw(1, 12);
    const Layer layer(pictures, channels, k % 5 != 0);
    at::Tensor x = at::randn({pictures, channels, draw(1, most), draw(1, most)}) * 3 + 1;
    if (k % 4 != 0) x = x.contiguous(at::MemoryFormat::ChannelsLast);
    SCOPED_TRACE(testing::Message() << "case " << k << " " << x.sizes());
    x.requires_grad_();
    const at::Tensor plain = layer.plain(x), fused = layer.fused(x);
    ASSERT_TRUE(fused.is_contiguous(at::MemoryFormat::ChannelsLast));
    EXPECT_LT(golden::relative_error(fused, plain), same);
    EXPECT_TRUE(at::equal(fused, layer.fused(x.detach()))) << "with and without a gradient to come";
    const at::Tensor by = at::randn(plain.sizes());
    const auto gradients = [&](const at::Tensor& y) {
      return torch::autograd::grad({y}, {x, layer.gain, layer.shift}, {by});
    };
    const auto found = gradients(fused), expected = gradients(plain);
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_LT(golden::relative_error(found[i], expected[i]), same) << i;
  }
}

TEST(FusedGroupNorm, StandsAMeanFarFromZeroAndAFlatPicture) {
  const Layer layer(1, 64, true);
  const at::Tensor far = at::randn({1, 64, 50, 50}) + 300;
  EXPECT_LT(golden::relative_error(layer.fused(far).to(at::kDouble), layer.plain(far.to(at::kDouble))), 1e-4);
  const at::Tensor flat = at::full({1, 64, 9, 9}, 0.25).requires_grad_();
  const at::Tensor y = layer.fused(flat);
  EXPECT_LT(golden::relative_error(y, layer.plain(flat)), same);
  EXPECT_TRUE(at::isfinite(gradient(y, flat, at::ones_like(y))).all().item<bool>());
}

TEST(FusedGroupNorm, StandsLargeValuesThroughSilu) {
  Layer layer(1, 32, true);
  layer.gain = at::full({1, 32}, 200.0);
  const at::Tensor x = at::randn({1, 32, 8, 8}).requires_grad_();
  const at::Tensor fused = layer.fused(x), plain = layer.plain(x);
  EXPECT_LT(golden::relative_error(fused, plain), same);
  const at::Tensor by = at::ones_like(plain);
  EXPECT_LT(golden::relative_error(gradient(fused, x, by), gradient(plain, x, by)), 1e-4);
}

TEST(FusedGroupNorm, ShowsWhatIsNotFinite) {
  const Layer layer(1, 32, true);
  at::Tensor x = at::randn({1, 32, 8, 8});
  x[0][3][4][5] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(at::isnan(layer.fused(x)).any().item<bool>());
}

TEST(FusedGroupNorm, TheSameBitsForAnyNumberOfThreads) {
  const Layer layer(2, 96, true);
  const at::Tensor x = at::randn({2, 96, 70, 50}).requires_grad_(), by = at::randn(x.sizes());
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor one = layer.fused(x), by_one = gradient(one, x, by);
  at::set_num_threads(2);
  const at::Tensor two = layer.fused(x), by_two = gradient(two, x, by);
  at::set_num_threads(before);
  EXPECT_TRUE(at::equal(one, two));
  EXPECT_TRUE(at::equal(by_one, by_two));
}

TEST(FusedGroupNorm, AppliesOnlyWhereItIsRight) {
  EXPECT_TRUE(fused_group_norm_applies(at::zeros({1, 64, 8, 8})));
  EXPECT_FALSE(fused_group_norm_applies(at::zeros({1, 64, 8, 8}, at::kHalf)));
  EXPECT_FALSE(fused_group_norm_applies(at::zeros({1, 48, 8, 8})));
  EXPECT_FALSE(fused_group_norm_applies(at::zeros({1, 64, 8})));
}

}  // namespace
}  // namespace disco
