// The cutouts' kernels beside the processor's.
#include <algorithm>

#include "guidance/augment.h"
#include "guidance/cutouts.h"
#include "guidance/noise.h"
#include "kernels/choice.h"
#include "kernels/cut_colours.h"
#include "on_gpu.h"

namespace disco {
namespace {

class CutKernels : public OnGpu {
 protected:
  void TearDown() override { choose_kernels(Kernels::fast); }
};

TEST_F(CutKernels, NoiseIsThatOfTheProcessor) {
  for (const std::int64_t count : {1, 4, 7, 100003}) {
    const at::Tensor there = gpu()->noise(0x123456789abcdefu, 2, {count}, at::Device(at::kCUDA, 0));
    EXPECT_LT((there.cpu() - counter_noise(0x123456789abcdefu, 2, {count})).abs().max().item<double>(), 1e-5);
  }
}

TEST_F(CutKernels, ColoursEqualTheProcessors) {
  const at::Tensor cuts = at::rand({5, 3, 47, 61}), by = at::randn(cuts.sizes());
  const at::Tensor first = at::randn(cuts.sizes()), second = at::randn(cuts.sizes());
  std::array<int, 4> order = {0, 1, 2, 3};
  const std::array<ColourStep, 4> all = {{{ColourStep::brightness, 1.07f},
                                          {ColourStep::contrast, .93f},
                                          {ColourStep::saturation, 1.06f},
                                          {ColourStep::hue, .02f}}};
  int cases = 0;
  do {
    std::optional<ColourSteps> steps = ColourSteps{};
    for (std::size_t k = 0; k < 4; ++k) (*steps)[k] = all[static_cast<std::size_t>(order[k])];
    if (cases == 23) steps.reset();
    const bool grey = cases % 4 == 3;
    const at::Tensor here = cuts.clone().requires_grad_(), there = to_gpu(cuts).requires_grad_();
    const at::Tensor expected = fused_cut_colours(here, first, second, .01, grey, steps);
    const at::Tensor found = gpu()->cut_colours(there, to_gpu(first), to_gpu(second), .01, grey, steps);
    SCOPED_TRACE(testing::Message() << "case " << cases);
    EXPECT_LT(apart(found, expected), float_error);
    // Where two channels are all but equal, or a value lies at a clamp's end, rounding turns a pixel's gate.
    const at::Tensor away =
        (gradient_by(found, there, to_gpu(by)).cpu() - gradient_by(expected, here, by)).abs() / by.abs().max();
    EXPECT_LT(away.gt(float_error).to(at::kFloat).mean().item<double>(), grey ? .02 : .002);
    ++cases;
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(CutKernels, CutoutsEqualThePlainOnes) {
  for (const AugmentationList list : {AugmentationList::still, AugmentationList::video, AugmentationList::three_d}) {
    for (const int overview : {2, 4, 6}) {
      for (const bool skip : {true, false}) {
        CutoutSettings settings;
        settings.cut_size = 48;
        settings.overview = overview;
        settings.inner = 5;
        settings.list = list;
        settings.skip_augs = skip;
        settings.faithful = false;
        const at::Tensor picture = to_gpu(at::rand({1, 3, 96, 160})).requires_grad_();
        const auto cut = [&](Kernels kernels, std::uint64_t seed) {
          choose_kernels(kernels);
          RandomStream places(seed), augmentation(seed + 1);
          return make_cutouts(picture, settings, places, augmentation);
        };
        for (std::uint64_t seed = 1; seed < 4; ++seed) {
          SCOPED_TRACE(testing::Message() << static_cast<int>(list) << " " << overview << " " << skip << " " << seed);
          const at::Tensor plain = cut(Kernels::plain, seed), fast = cut(Kernels::fast, seed);
          // Nearest pixels and hues have edges, where rounding decides.
          const double edges = skip ? 0 : .005;
          const auto share_apart = [](const at::Tensor& a, const at::Tensor& b) {
            return ((a - b).abs() / b.abs().max()).gt(float_error).to(at::kFloat).mean().item<double>();
          };
          EXPECT_LE(share_apart(fast, plain), edges);
          const at::Tensor by = at::randn_like(plain);
          EXPECT_LE(share_apart(gradient_by(fast, picture, by), gradient_by(plain, picture, by)), 40 * edges);
        }
      }
    }
  }
}

TEST_F(CutKernels, ACutSmallerThanItsResultAndASquarePicture) {
  CutoutSettings settings;
  settings.cut_size = 80;
  settings.overview = 1;
  settings.inner = 3;
  settings.skip_augs = true;
  settings.faithful = false;
  const at::Tensor picture = to_gpu(at::rand({1, 3, 64, 64})).requires_grad_();
  const auto cut = [&](Kernels kernels) {
    choose_kernels(kernels);
    RandomStream places(3), augmentation(4);
    return make_cutouts(picture, settings, places, augmentation);
  };
  const at::Tensor plain = cut(Kernels::plain), fast = cut(Kernels::fast), by = at::randn_like(plain);
  EXPECT_LT(apart(fast, plain), float_error);
  EXPECT_LT(apart(gradient_by(fast, picture, by), gradient_by(plain, picture, by)), float_error);
}

TEST_F(CutKernels, GradientsHaveTheSameBitsEveryTime) {
  CutoutSettings settings;
  settings.faithful = false;
  const at::Tensor picture = to_gpu(at::rand({1, 3, 384, 512})).requires_grad_();
  const at::Tensor by = to_gpu(at::randn({16, 3, 224, 224}));
  const auto once = [&] {
    RandomStream places(5), augmentation(6);
    return gradient_by(make_cutouts(picture, settings, places, augmentation), picture, by);
  };
  const at::Tensor first = once();
  for (int k = 0; k < 3; ++k) EXPECT_TRUE(at::equal(once(), first));
}

}  // namespace
}  // namespace disco
