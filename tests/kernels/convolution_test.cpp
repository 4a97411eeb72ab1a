#include "kernels/convolution.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <random>

#include "kernels/column_convolution.h"
#include "support/golden.h"

namespace disco {
namespace {

struct Problem {
  std::int64_t pictures, in, out, height, width;
};

at::Tensor gradient(const at::Tensor& y, const at::Tensor& x, const at::Tensor& by) {
  return torch::autograd::grad({y}, {x}, {by})[0];
}

/// Shapes with remainders everywhere: of vectors, tiles and blocks.
std::vector<Problem> problems() {
  std::vector<Problem> all = {
      {1, 3, 5, 4, 4}, {1, 16, 16, 1, 1}, {2, 33, 17, 7, 9}, {1, 64, 32, 64, 64}, {3, 8, 200, 5, 2}};
  std::mt19937 dice(5);
  const auto draw = [&](int least, int most) { return std::uniform_int_distribution<std::int64_t>(least, most)(dice); };
  for (int k = 0; k < 20; ++k) all.push_back({draw(1, 3), draw(1, 70), draw(1, 70), draw(1, 40), draw(1, 40)});
  return all;
}

TEST(Winograd, EqualsTheDirectConvolutionWithItsGradient) {
  at::manual_seed(1);
  for (const Problem& p : problems()) {
    SCOPED_TRACE(testing::Message() << p.pictures << "x" << p.in << "x" << p.height << "x" << p.width << " to "
                                    << p.out);
    const at::Tensor weight = at::randn({p.out, p.in, 3, 3}), bias = at::randn({p.out});
    at::Tensor x = at::randn({p.pictures, p.in, p.height, p.width}).requires_grad_();
    const at::Tensor plain = at::conv2d(x, weight, bias, 1, 1), fast = winograd_convolution(x, weight, bias);
    ASSERT_EQ(fast.sizes(), plain.sizes());
    EXPECT_LT(golden::relative_error(fast, plain), 1e-5);
    const at::Tensor by = at::randn(plain.sizes());
    const at::Tensor expected = gradient(plain, x, by);
    EXPECT_LT(golden::relative_error(gradient(fast, x, by), expected), 1e-5);
    const at::Tensor bare = winograd_convolution(x, weight, {});
    EXPECT_LT(golden::relative_error(bare, at::conv2d(x, weight, {}, 1, 1)), 1e-5);
    EXPECT_LT(golden::relative_error(gradient(bare, x, by), expected), 1e-5);
  }
}

TEST(Winograd, GivesTheGradientsOfItsWeights) {
  at::manual_seed(4);
  for (const Problem& p : problems()) {
    SCOPED_TRACE(testing::Message() << p.pictures << "x" << p.in << "x" << p.height << "x" << p.width << " to "
                                    << p.out);
    const at::Tensor weight = at::randn({p.out, p.in, 3, 3}).requires_grad_(),
                     bias = at::randn({p.out}).requires_grad_();
    const at::Tensor x = at::randn({p.pictures, p.in, p.height, p.width}).requires_grad_();
    const at::Tensor by = at::randn({p.pictures, p.out, p.height, p.width});
    const auto gradients = [&](const at::Tensor& y) { return torch::autograd::grad({y}, {x, weight, bias}, {by}); };
    const auto expected = gradients(at::conv2d(x, weight, bias, 1, 1));
    const auto found = gradients(winograd_convolution(x, weight, bias));
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_LT(golden::relative_error(found[i], expected[i]), 1e-5) << i;
    // Of pictures that need none, as in a network's first layer.
    const at::Tensor first = winograd_convolution(x.detach(), weight, {});
    const at::Tensor by_weight = torch::autograd::grad({first}, {weight}, {by})[0];
    EXPECT_TRUE(at::equal(by_weight, found[1]));
  }
}

TEST(Winograd, TakesPicturesOfAnyLayoutAndGivesChannelsLast) {
  const at::Tensor x = at::randn({2, 20, 12, 10}), weight = at::randn({24, 20, 3, 3});
  const at::Tensor y = winograd_convolution(x, weight, {});
  EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(at::equal(y, winograd_convolution(x.contiguous(at::MemoryFormat::ChannelsLast), weight, {})));
  EXPECT_TRUE(at::equal(y, winograd_convolution(x.transpose(2, 3).contiguous().transpose(2, 3), weight, {})));
}

TEST(Winograd, TheSameBitsForAnyNumberOfThreads) {
  const at::Tensor x = at::randn({1, 48, 150, 130}), weight = at::randn({40, 48, 3, 3});
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor one = winograd_convolution(x, weight, {});
  at::set_num_threads(2);
  const at::Tensor two = winograd_convolution(x, weight, {});
  at::set_num_threads(before);
  EXPECT_TRUE(at::equal(one, two));
}

/// Either way to convolve with kept filters.
using Kept = at::Tensor (*)(const at::Tensor&, const at::Tensor&, const at::Tensor&, const KeptFormsPtr&);

template <std::int64_t stride>
at::Tensor columns(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const KeptFormsPtr& kept) {
  return column_convolution(x, weight, bias, kept, stride);
}

void expect_the_direct_convolution(Kept convolve, const Problem& p, std::int64_t stride = 1) {
  SCOPED_TRACE(testing::Message() << p.pictures << "x" << p.in << "x" << p.height << "x" << p.width << " to " << p.out);
  const at::Tensor weight = at::randn({p.out, p.in, 3, 3}), bias = at::randn({p.out});
  const auto kept = c10::make_intrusive<KeptForms>();
  for (int turn = 0; turn < 2; ++turn) {  // The second uses what the first one kept.
    const at::Tensor x = at::randn({p.pictures, p.in, p.height, p.width}).requires_grad_();
    const at::Tensor plain = at::conv2d(x, weight, bias, stride, 1), fast = convolve(x, weight, bias, kept);
    ASSERT_EQ(fast.sizes(), plain.sizes());
    EXPECT_TRUE(fast.is_contiguous(at::MemoryFormat::ChannelsLast));
    EXPECT_LT(golden::relative_error(fast, plain), 1e-5);
    const at::Tensor by = at::randn(plain.sizes());
    EXPECT_LT(golden::relative_error(gradient(fast, x, by), gradient(plain, x, by)), 1e-5);
    EXPECT_LT(golden::relative_error(convolve(x.detach(), weight, {}, kept), at::conv2d(x, weight, {}, stride, 1)),
              1e-5);
  }
}

TEST(KeptForms, GiveTheDirectConvolutionWithItsGradient) {
  at::manual_seed(3);
  std::mt19937 dice(9);
  const auto draw = [&](int least, int most) { return std::uniform_int_distribution<std::int64_t>(least, most)(dice); };
  for (int k = 0; k < 12; ++k) {
    const std::int64_t in = draw(1, 150), out = draw(1, 150);
    expect_the_direct_convolution(columns<1>, {draw(1, 3), in, out, draw(1, 12), draw(1, 12)});
    expect_the_direct_convolution(columns<2>, {draw(1, 3), in, out, 2 * draw(1, 6), 2 * draw(1, 6)}, 2);
    expect_the_direct_convolution(kept_winograd_convolution, {draw(1, 3), draw(16, 80), draw(16, 80), draw(9, 20), 12});
  }
}

TEST(KeptForms, AreMadeOnceOrAtEachUse) {
  const at::Tensor x = at::randn({1, 32, 16, 16}), weight = at::randn({32, 32, 3, 3}),
                   other = at::zeros({32, 32, 3, 3});
  for (const Kept convolve : {Kept(columns<1>), Kept(kept_winograd_convolution)}) {
    const auto kept = c10::make_intrusive<KeptForms>();
    EXPECT_TRUE(convolve(x, weight, {}, kept).equal(convolve(x, other, {}, kept)));
    const auto fresh = c10::make_intrusive<KeptForms>(/*keeps=*/false);
    EXPECT_TRUE(convolve(x, weight, {}, fresh).equal(convolve(x, weight, {}, kept)));
    EXPECT_TRUE(convolve(x, other, {}, fresh).equal(at::zeros_like(x)));
  }
}

TEST(KeptForms, GiveTheSameBitsForAnyNumberOfThreads) {
  const at::Tensor x = at::randn({2, 96, 8, 8}).requires_grad_(), weight = at::randn({64, 96, 3, 3});
  const auto both = [&](std::int64_t stride) {
    const auto kept = c10::make_intrusive<KeptForms>();
    const at::Tensor y = column_convolution(x, weight, {}, kept, stride);
    return std::pair(y.detach(), gradient(y, x, at::ones_like(y)));
  };
  const int before = at::get_num_threads();
  for (const std::int64_t stride : {1, 2}) {
    at::set_num_threads(1);
    const auto one = both(stride);
    at::set_num_threads(2);
    const auto two = both(stride);
    EXPECT_TRUE(one.first.equal(two.first));
    EXPECT_TRUE(one.second.equal(two.second));
  }
  at::set_num_threads(before);
}

TEST(KeptForms, AreForFrozenWeightsOnly) {
  const at::Tensor x = at::zeros({1, 32, 8, 8}), weight = at::zeros({32, 32, 3, 3});
  EXPECT_TRUE(column_convolution_applies(x, weight));
  EXPECT_TRUE(column_convolution_applies(x, weight.to(at::kHalf)));
  EXPECT_FALSE(column_convolution_applies(x, at::zeros({32, 32, 1, 1})));
  EXPECT_TRUE(column_convolution_applies(x, weight, 2));
  EXPECT_FALSE(column_convolution_applies(at::zeros({1, 32, 8, 7}), weight, 2));
  EXPECT_FALSE(column_convolution_applies(at::zeros({1, 32, 256, 256}), weight)) << "more samples than are copied";
  EXPECT_FALSE(kept_winograd_applies(x, weight)) << "four tiles";
  EXPECT_TRUE(kept_winograd_applies(at::zeros({1, 32, 16, 16}), weight));
  const at::Tensor trained = at::zeros({32, 32, 3, 3}).requires_grad_();
  EXPECT_FALSE(column_convolution_applies(x, trained));
  EXPECT_FALSE(kept_winograd_applies(at::zeros({1, 32, 16, 16}), trained));
}

TEST(Winograd, AppliesOnlyWhereItIsRight) {
  const at::Tensor x = at::zeros({1, 32, 64, 64}), weight = at::zeros({32, 32, 3, 3});
  EXPECT_TRUE(winograd_applies(x, weight));
  EXPECT_FALSE(winograd_applies(x.to(at::kHalf), weight.to(at::kHalf)));
  EXPECT_FALSE(winograd_applies(x, at::zeros({32, 32, 1, 1})));
  EXPECT_FALSE(winograd_applies(x, at::zeros({32, 16, 3, 3})));
  EXPECT_FALSE(winograd_applies(at::zeros({1, 32, 16, 16}), weight)) << "too few tiles to pay for the filters";
  EXPECT_FALSE(winograd_applies(at::zeros({1, 3, 64, 64}), at::zeros({32, 3, 3, 3})));
}

}  // namespace
}  // namespace disco
