// The layers' kernels beside LibTorch's operators on the processor, in values and gradients.
#include <random>

#include "core/error.h"
#include "kernels/choice.h"
#include "kernels/deterministic.h"
#include "models/layers.h"
#include "on_gpu.h"

namespace disco {
namespace {

class LayerKernels : public OnGpu {};

struct Dice {
  std::mt19937 engine{6};
  std::int64_t operator()(int least, int most) {
    return std::uniform_int_distribution<std::int64_t>(least, most)(engine);
  }
};

TEST_F(LayerKernels, GroupNormEqualsItsParts) {
  Dice dice;
  for (int k = 0; k < 24; ++k) {
    const at::ScalarType type = k % 2 == 0 ? at::kFloat : at::kHalf;
    const std::int64_t pictures = dice(1, 3), channels = 32 * dice(1, k % 5 == 0 ? 96 : 12),
                       most = k % 3 == 0 ? 90 : 20;
    const bool silu = k % 5 != 1;
    const at::Tensor x = (at::randn({pictures, channels, dice(1, most), dice(1, most)}) * 2 + 1).to(type);
    const at::Tensor gain = at::randn({pictures, channels}).to(type), shift = at::randn({pictures, channels}).to(type);
    const at::Tensor by = at::randn(x.sizes()).to(type);
    SCOPED_TRACE(testing::Message() << "case " << k << " " << x.sizes() << " " << type);

    const at::Tensor here = x.to(at::kDouble).requires_grad_();
    const auto everywhere = [](const at::Tensor& t) { return t.to(at::kDouble).unsqueeze(-1).unsqueeze(-1); };
    at::Tensor plain = at::group_norm(here, 32, {}, {}, 1e-5) * everywhere(gain) + everywhere(shift);
    if (silu) plain = at::silu(plain);
    const at::Tensor there = to_gpu(k % 4 == 0 ? x : x.contiguous(at::MemoryFormat::ChannelsLast)).requires_grad_();
    const at::Tensor fused = gpu()->group_norm(there, to_gpu(gain), to_gpu(shift), silu);
    ASSERT_EQ(fused.scalar_type(), type);
    ASSERT_TRUE(fused.is_contiguous(at::MemoryFormat::ChannelsLast));
    EXPECT_LT(apart(fused, plain), allowed(type));
    EXPECT_LT(apart(gradient_by(fused, there, to_gpu(by)), gradient_by(plain, here, by.to(at::kDouble))),
              allowed(type));
    EXPECT_TRUE(at::equal(fused, gpu()->group_norm(there.detach(), to_gpu(gain), to_gpu(shift), silu)))
        << "with and without a gradient to come";
  }
}

TEST_F(LayerKernels, GroupNormStandsAMeanFarFromZeroAndAFlatPicture) {
  const at::Tensor ones = at::ones({1, 64}), none = at::zeros({1, 64});
  const at::Tensor far = at::randn({1, 64, 50, 50}) + 300;
  const at::Tensor fused = gpu()->group_norm(to_gpu(far), to_gpu(ones), to_gpu(none), false);
  EXPECT_LT(apart(fused, at::group_norm(far.to(at::kDouble), 32, {}, {}, 1e-5)), float_error);
  const at::Tensor flat = to_gpu(at::full({1, 64, 9, 9}, .25)).requires_grad_();
  const at::Tensor y = gpu()->group_norm(flat, to_gpu(ones), to_gpu(none), true);
  EXPECT_TRUE(at::isfinite(gradient_by(y, flat, at::ones_like(y))).all().item<bool>());
}

TEST_F(LayerKernels, GroupNormShowsWhatIsNotFinite) {
  at::Tensor x = at::randn({1, 32, 8, 8});
  x[0][3][4][5] = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor ones = to_gpu(at::ones({1, 32}));
  EXPECT_TRUE(at::isnan(gpu()->group_norm(to_gpu(x), ones, ones, true)).any().item<bool>());
}

TEST_F(LayerKernels, GateEqualsItsParts) {
  for (const at::ScalarType type : {at::kFloat, at::kHalf}) {
    for (const double steepness : {1.0, 1.702}) {
      const at::Tensor x = (at::randn({7, 13, 5}) * 4).to(type), by = at::randn(x.sizes()).to(type);
      const at::Tensor here = x.to(at::kDouble).requires_grad_(), plain = here * at::sigmoid(here * steepness);
      const at::Tensor there = to_gpu(x).requires_grad_(), fused = gpu()->gate(there, steepness);
      EXPECT_LT(apart(fused, plain), allowed(type));
      EXPECT_LT(apart(gradient_by(fused, there, to_gpu(by)), gradient_by(plain, here, by.to(at::kDouble))),
                allowed(type));
      EXPECT_TRUE(at::equal(fused, gpu()->gate(to_gpu(x), steepness)));
    }
  }
}

TEST_F(LayerKernels, GateTakesValuesThatBeginAnywhere) {
  const at::Tensor all = to_gpu(at::randn({100}).to(at::kHalf));
  const at::Tensor odd = all.narrow(0, 3, 77), expected = gpu()->gate(odd.clone(), 1.702);
  EXPECT_TRUE(at::equal(gpu()->gate(odd, 1.702), expected));
}

TEST_F(LayerKernels, GroupNormOfASum) {
  Dice dice;
  const at::NoGradGuard no_gradient;
  for (int k = 0; k < 12; ++k) {
    const at::ScalarType type = k % 2 == 0 ? at::kFloat : at::kHalf;
    const std::int64_t pictures = dice(1, 2), channels = 32 * dice(1, 8);
    const at::Tensor x = at::randn({pictures, channels, dice(1, 40), dice(1, 40)}).to(type);
    const at::Tensor gain = at::randn({pictures, channels}).to(type), shift = at::randn({pictures, channels}).to(type);
    const at::Tensor before = (at::randn({channels}) * 3 + 2).to(type);
    const at::Tensor sum = x.to(at::kDouble) + before.to(at::kDouble).view({1, -1, 1, 1});
    const auto everywhere = [](const at::Tensor& t) { return t.to(at::kDouble).unsqueeze(-1).unsqueeze(-1); };
    const at::Tensor plain = at::silu(at::group_norm(sum, 32, {}, {}, 1e-5) * everywhere(gain) + everywhere(shift));
    SCOPED_TRACE(testing::Message() << x.sizes() << " " << type);
    EXPECT_LT(apart(gpu()->group_norm(to_gpu(x), to_gpu(gain), to_gpu(shift), true, to_gpu(before)), plain),
              allowed(type));
  }
}

TEST_F(LayerKernels, ConvolutionsWithWhatFollowsEqualTheirParts) {
  for (const bool with_gradient : {false, true}) {
    const at::AutoGradMode mode(with_gradient);
    const auto random = [](at::IntArrayRef sizes) { return to_gpu(at::randn(sizes)).to(at::kHalf); };
    const auto picture = [&](std::int64_t channels) {
      return random({2, channels, 12, 20}).contiguous(at::MemoryFormat::ChannelsLast);
    };
    const at::Tensor x = picture(64), y = picture(32), other = picture(64);
    const Affine layer{random({64, 64, 3, 3}) / 24, random({64})}, pointwise{random({64, 32, 1, 1}) / 6, random({64})},
        norm{random({64}), random({64})};
    const AfterNorm after{random({2, 64}), random({2, 64}), true};
    const at::Tensor input = x.clone().requires_grad_(with_gradient);
    const auto all = [&] {
      const at::Tensor results[] = {
          convolution(input, layer, 1, 1, {other, false}), convolution(input, layer, 1, 1, {other, true}),
          convolution(input, layer, 1, 1, {.relu = true}), added_convolutions(input, layer, y, pointwise),
          convolution_and_norm(input, layer, norm, after)};
      std::vector<at::Tensor> found;
      for (std::size_t k = 0; k < std::size(results); ++k) {
        const at::Tensor& result = results[k];
        found.push_back(result.detach());
        // A gate of a ReLU that rounding turns gives its pixels another gradient.
        const bool gated = k == 1 || k == 2;
        if (with_gradient && !gated) found.push_back(gradient_by(result, input, at::ones_like(result)));
      }
      return found;
    };
    choose_kernels(Kernels::plain);
    const std::vector<at::Tensor> plain = all();
    choose_kernels(Kernels::fast);
    const std::vector<at::Tensor> fast = all();
    for (std::size_t k = 0; k < plain.size(); ++k) {
      EXPECT_LT(apart(fast[k], plain[k]), 2 * allowed(at::kHalf)) << k << (with_gradient ? " with gradient" : "");
    }
  }
}

TEST_F(LayerKernels, ShiftedEqualsItsParts) {
  Dice dice;
  for (int k = 0; k < 16; ++k) {
    const at::ScalarType type = k % 2 == 0 ? at::kFloat : at::kHalf;
    // Channels that vectors do not divide go by LibTorch's operators.
    const std::int64_t channels = k % 5 == 4 ? 13 : 8 * dice(1, 9);
    const at::Tensor x = at::randn({dice(1, 3), channels, dice(1, 9), dice(1, 9)}).to(type);
    const at::Tensor shift = at::randn({channels}).to(type), other = at::randn(x.sizes()).to(type),
                     by = at::randn(x.sizes()).to(type);
    const bool two = k % 4 < 2, relu = k % 3 != 0;
    SCOPED_TRACE(testing::Message() << x.sizes() << " " << type << (two ? " two" : " one") << (relu ? " relu" : ""));
    const auto wide = [](const at::Tensor& t) { return t.to(at::kDouble).requires_grad_(); };
    const auto there = [](const at::Tensor& t) {
      return to_gpu(t).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
    };
    const at::Tensor here_x = wide(x), here_other = wide(other), there_x = there(x), there_other = there(other);
    const at::Tensor sum = here_x + shift.to(at::kDouble).view({1, -1, 1, 1});
    const at::Tensor whole = two ? sum + here_other : sum, plain = relu ? at::relu(whole) : whole;
    const at::Tensor fused = gpu()->shifted(there_x, to_gpu(shift), two ? there_other : at::Tensor(), relu);
    EXPECT_LT(apart(fused, plain), allowed(type));
    EXPECT_LT(apart(gradient_by(fused, there_x, to_gpu(by)), gradient_by(plain, here_x, by.to(at::kDouble))),
              allowed(type));
    const at::NoGradGuard no_gradient;
    const at::Tensor fresh = there_x.clone();
    const at::Tensor again = gpu()->shifted(fresh, to_gpu(shift), two ? there_other : at::Tensor(), relu);
    EXPECT_TRUE(at::equal(again, fused));
  }
  const at::Tensor odd = at::full({1, 8, 1, 1}, std::numeric_limits<float>::quiet_NaN());
  EXPECT_TRUE(at::isnan(gpu()->shifted(to_gpu(odd), to_gpu(at::zeros({8})), {}, true)).all().item<bool>());
}

TEST_F(LayerKernels, DoubledEqualsBilinear) {
  Dice dice;
  for (int k = 0; k < 12; ++k) {
    const at::ScalarType type = k % 2 == 0 ? at::kFloat : at::kHalf;
    const at::Tensor x = at::randn({dice(1, 2), 8 * dice(1, 5), dice(1, 9), dice(1, 9)}).to(type);
    const at::Tensor here = x.to(at::kDouble).requires_grad_();
    const at::Tensor plain = at::upsample_bilinear2d(here, {2 * x.size(2), 2 * x.size(3)}, false);
    const at::Tensor by = at::randn(plain.sizes()).to(type);
    const at::Tensor there = to_gpu(x).requires_grad_(), doubled = gpu()->doubled(there);
    SCOPED_TRACE(testing::Message() << x.sizes() << " " << type);
    EXPECT_LT(apart(doubled, plain), allowed(type));
    EXPECT_LT(apart(gradient_by(doubled, there, to_gpu(by)), gradient_by(plain, here, by.to(at::kDouble))),
              allowed(type));
  }
}

TEST_F(LayerKernels, HalvedAndRepeatedEqualLibTorchs) {
  Dice dice;
  for (int k = 0; k < 12; ++k) {
    const at::ScalarType type = k % 2 == 0 ? at::kFloat : at::kHalf;
    const at::Tensor x = at::randn({dice(1, 3), 8 * dice(1, 5), 2 * dice(1, 9), 2 * dice(1, 9)}).to(type);
    const auto check = [&](const at::Tensor& there, const at::Tensor& fused, const at::Tensor& here,
                           const at::Tensor& plain) {
      const at::Tensor by = at::randn(plain.sizes()).to(type);
      EXPECT_LT(apart(fused, plain), allowed(type));
      EXPECT_LT(apart(gradient_by(fused, there, to_gpu(by)), gradient_by(plain, here, by.to(at::kDouble))),
                allowed(type));
      EXPECT_TRUE(fused.is_contiguous(at::MemoryFormat::ChannelsLast));
    };
    SCOPED_TRACE(testing::Message() << x.sizes() << " " << type);
    const at::Tensor here = x.to(at::kDouble).requires_grad_();
    const at::Tensor there = to_gpu(k % 3 == 0 ? x : x.contiguous(at::MemoryFormat::ChannelsLast)).requires_grad_();
    check(there, gpu()->halved(there), here, at::avg_pool2d(here, 2));
    check(there, gpu()->repeated(there), here, at::upsample_nearest2d(here, {2 * x.size(2), 2 * x.size(3)}));
  }
  const at::Tensor odd = at::randn({1, 8, 5, 7});
  EXPECT_LT(apart(halved(to_gpu(odd)), at::avg_pool2d(odd, 2)), float_error) << "by LibTorch's operator";
}

TEST_F(LayerKernels, DoubledWithPlainKernelsHasARepeatableGradient) {
  choose_kernels(Kernels::plain);
  for (const auto& sizes : std::vector<std::vector<std::int64_t>>{{1, 8, 6, 9}, {2, 3, 1, 4}, {1, 16, 5, 1}}) {
    const at::Tensor x = at::randn(sizes), here = x.to(at::kDouble).requires_grad_();
    const at::Tensor plain = at::upsample_bilinear2d(here, {2 * x.size(2), 2 * x.size(3)}, false);
    const at::Tensor by = at::randn(plain.sizes());
    const StrictlyDeterministic strict;
    const at::Tensor there = to_gpu(x).requires_grad_(), sliced = doubled(there);
    EXPECT_LT(apart(sliced, plain), float_error);
    EXPECT_LT(apart(gradient_by(sliced, there, to_gpu(by)), gradient_by(plain, here, by.to(at::kDouble))), float_error);
  }
  choose_kernels(Kernels::fast);
}

TEST_F(LayerKernels, GradientsHaveTheSameBitsEveryTime) {
  const at::Tensor x = to_gpu(at::randn({1, 256, 96, 128})).to(at::kHalf).requires_grad_();
  const at::Tensor ones = to_gpu(at::ones({1, 256})).to(at::kHalf), by = at::randn_like(x);
  const auto once = [&] { return gradient_by(gpu()->group_norm(x, ones, ones, true), x, by); };
  const at::Tensor first = once();
  for (int k = 0; k < 5; ++k) EXPECT_TRUE(at::equal(once(), first));
}

TEST_F(LayerKernels, ARecordingRepeatsItsWorkOnNewNumbers) {
  const at::Tensor weight = to_gpu(at::randn({64, 64}));
  const Recordable work = [&](const std::vector<at::Tensor>& inputs) {
    const at::AutoGradMode on(true);
    const at::Tensor x = inputs[0].detach().requires_grad_(true);
    const at::Tensor y = at::matmul(x, weight).sin().square().sum(1);
    return std::vector{y.detach(), torch::autograd::grad({y}, {x}, {at::ones_like(y)})[0]};
  };
  const auto recorded = gpu()->record({to_gpu(at::randn({32, 64}))}, work);
  for (int k = 0; k < 3; ++k) {
    const at::Tensor x = to_gpu(at::randn({32, 64}));
    const std::vector<at::Tensor> expected = work({x}), replayed = recorded->replay({x});
    EXPECT_TRUE(at::equal(replayed[0], expected[0]));
    EXPECT_TRUE(at::equal(replayed[1], expected[1]));
  }
}

TEST_F(LayerKernels, ARecordingGivesTheGradientThatItsWorkWould) {
  const at::Tensor weight = to_gpu(at::randn({64, 64}));
  const Recordable work = [&](const std::vector<at::Tensor>& inputs) {
    return std::vector{(at::matmul(inputs[0], weight).sin().square() * inputs[1]).sum(1)};
  };
  const auto random = [] { return std::vector{to_gpu(at::randn({32, 64})), to_gpu(at::randn({32, 64}))}; };
  const auto recorded = gpu()->record_with_gradient(random(), work);
  // Another recording's temporaries lie in the same pool.
  const auto beside = gpu()->record(random(), work);
  for (int k = 0; k < 3; ++k) {
    std::vector<at::Tensor> inputs = random();
    inputs[0].requires_grad_(true);
    const at::Tensor expected = work(inputs)[0], replayed = recorded->replay(inputs);
    beside->replay(random());
    const at::Tensor by = at::randn_like(expected);
    EXPECT_TRUE(at::equal(replayed, expected));
    EXPECT_TRUE(at::equal(gradient_by(replayed, inputs[0], by), gradient_by(expected, inputs[0], by)));
  }
  std::vector<at::Tensor> inputs = random();
  inputs[0].requires_grad_(true);
  const at::Tensor early = recorded->replay(inputs);
  recorded->replay(inputs);
  EXPECT_THROW(gradient_by(early, inputs[0], at::ones_like(early)), Error) << "its activations are overwritten";
}

TEST_F(LayerKernels, RecordingsComeAndGo) {
  const Recordable work = [](const std::vector<at::Tensor>& inputs) { return std::vector{inputs[0].exp().sum(0)}; };
  const at::Tensor x = to_gpu(at::randn({300, 500}));
  for (int k = 0; k < 3; ++k) {
    const auto first = gpu()->record({x}, work), second = gpu()->record({x}, work);
    EXPECT_TRUE(at::equal(first->replay({x})[0], second->replay({x})[0]));
  }
}

TEST_F(LayerKernels, WorkThatCannotBeRecordedIsRefusedAndLeavesTheStreamWhole) {
  const auto waits = [](const std::vector<at::Tensor>& inputs) {
    return std::vector{inputs[0] * inputs[0].sum().item<double>()};
  };
  const at::Tensor x = to_gpu(at::ones({8}));
  EXPECT_ANY_THROW(gpu()->record({x}, waits));
  EXPECT_EQ((x + 1).sum().item<float>(), 16);
}

}  // namespace
}  // namespace disco
