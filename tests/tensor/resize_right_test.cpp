#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <thread>

#include "core/error.h"
#include "support/golden.h"
#include "support/gradient.h"
#include "tensor/picture_tensor.h"

namespace disco {
namespace {

struct GoldenSize {
  std::int64_t height, width, out;
};

TEST(ResizeRight, MatchesTheReference) {
  const auto expected = golden::tensors("ops.safetensors");
  const std::vector<GoldenSize> sizes = {{64, 96, 224},   {300, 300, 224}, {768, 768, 224},
                                         {224, 224, 224}, {91, 91, 288},   {512, 512, 336}};
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto [height, width, out] = sizes[i];
    const std::string name = "resize." + std::to_string(i);
    SCOPED_TRACE(name);
    // Every channel is resized alike, and the golden holds the first.
    const at::Tensor x = golden::unit("input." + name, {1, 3, height, width}).narrow(1, 0, 1);
    const at::Tensor c = golden::unit("input." + name + ".c", {1, 3, out, out}).narrow(1, 0, 1);
    const auto resize = [out](const at::Tensor& t) { return resize_right(t, out, out); };
    EXPECT_LT(golden::relative_error(resize(x), expected.at(name + ".y")), 1e-4);
    // The golden's gradient of the unchanged size is of no use.
    if (height != out) {
      EXPECT_LT(golden::relative_error(gradient(resize, x, c), expected.at(name + ".dx")), 1e-4);
    }
  }
}

TEST(ResizeRight, AnUnchangedSizeIsLeftAlone) {
  const at::Tensor x = golden::unit("resize.same", {2, 3, 7, 9});
  EXPECT_TRUE(at::equal(resize_right(x, 7, 9), x));
  EXPECT_TRUE(at::allclose(resize_right(x, 7, 5), at::matmul(x, resize_right_matrix(9, 5).t())));
}

RC_GTEST_PROP(ResizeRight, RowsSumToOneAwayFromTheBorders, ()) {
  const auto in = *rc::gen::inRange<std::int64_t>(1, 90), out = *rc::gen::inRange<std::int64_t>(1, 90);
  const at::Tensor matrix = resize_right_matrix(in, out);
  RC_ASSERT(matrix.sizes() == at::IntArrayRef({out, in}));
  const at::Tensor sums = matrix.sum(1, false, at::kDouble);
  const double scale = static_cast<double>(out) / static_cast<double>(in), reach = 2 / std::min(scale, 1.0);
  for (std::int64_t j = 0; j < out; ++j) {
    const double centre = (static_cast<double>(j) + .5) / scale - .5;
    const double sum = sums[j].item<double>();
    if (centre - reach > -1 && centre + reach < static_cast<double>(in)) RC_ASSERT(std::abs(sum - 1) < 1e-5);
    RC_ASSERT(sum < 1.3);
  }
}

RC_GTEST_PROP(ResizeRight, AConstantStaysConstantInside, ()) {
  const auto out = *rc::gen::inRange<std::int64_t>(8, 60);
  const at::Tensor y = resize_right(at::full({1, 3, 64, 48}, .25), out, out);
  const at::Tensor inside = y.narrow(2, out / 2 - 1, 2).narrow(3, out / 2 - 1, 2);
  RC_ASSERT((inside - .25).abs().max().item<double>() < 1e-5);
  // The borders mix with the zeros outside.
  RC_ASSERT(y[0][0][0][0].item<double>() < .25);
}

RC_GTEST_PROP(ResizeRight, TheGradientIsTheAdjoint, ()) {
  const auto size = rc::gen::inRange<std::int64_t>(1, 40);
  const auto height = *size, width = *size, new_height = *size, new_width = *size;
  const at::Tensor x = golden::unit("adjoint.x", {1, 2, height, width});
  const at::Tensor c = golden::unit("adjoint.c", {1, 2, new_height, new_width});
  const auto resize = [&](const at::Tensor& t) { return resize_right(t, new_height, new_width); };
  const double forward = (resize(x) * c).sum().item<double>();
  const double backward = (x * gradient(resize, x, c)).sum().item<double>();
  RC_ASSERT(std::abs(forward - backward) < 1e-3);
}

TEST(ResizeRight, ThreadsMayShareTheMatrices) {
  std::vector<std::thread> threads;
  std::vector<double> sums(4);
  for (std::size_t t = 0; t < sums.size(); ++t) {
    threads.emplace_back([&sums, t] {
      // Enough of them that old ones are dropped meanwhile.
      for (std::int64_t in = 1000; in < 1060; ++in) sums[t] += resize_right_matrix(in, 640)[320].sum().item<double>();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const double sum : sums) EXPECT_NEAR(sum, 60, 1e-3);
}

TEST(ResizeRight, RefusesEmptySizes) {
  EXPECT_THROW(resize_right_matrix(0, 4), Error);
  EXPECT_THROW(resize_right(at::zeros({1, 3, 4, 4}), 4, 0), Error);
}

}  // namespace
}  // namespace disco
