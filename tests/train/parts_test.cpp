// The trainer's parts: painting ahead, the optimiser, noising, views and the contrastive loss.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <atomic>
#include <stdexcept>

#include "train/adamw.h"
#include "train/ahead.h"
#include "train/batches.h"
#include "train/contrast.h"
#include "train/noising.h"
#include "train/views.h"

namespace disco {
namespace {

TEST(Ahead, GivesItemsInOrderAndWorksNoFurtherAheadThanAsked) {
  std::atomic<std::uint64_t> furthest{0};
  Ahead<std::uint64_t> squares(
      [&](std::uint64_t k) {
        if (k > furthest) furthest = k;
        if (k % 3 == 0) std::this_thread::yield();
        return k * k;
      },
      5, 4, 3);
  for (std::uint64_t k = 5; k < 60; ++k) {
    EXPECT_EQ(squares.take(), k * k);
    EXPECT_LE(furthest, k + 4);
  }
}

TEST(Ahead, PassesOnWhatWasThrown) {
  Ahead<int> items([](std::uint64_t k) -> int { return k == 1 ? throw std::runtime_error("broken") : 7; }, 0, 2, 1);
  EXPECT_EQ(items.take(), 7);
  EXPECT_THROW(items.take(), std::runtime_error);
  EXPECT_EQ(items.take(), 7);
}

TEST(AdamW, TakesTheStepsOfThePaper) {
  const at::Tensor matrix = at::tensor({2.0f, -1.0f}).view({1, 2}), bias = at::tensor({0.5f});
  AdamW optimiser({{"bias", bias}, {"matrix", matrix}},
                  {.beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-8, .weight_decay = 0.1, .clip_gradient = 0});
  double theta[3] = {0.5, 2.0, -1.0}, m[3] = {}, v[3] = {};
  const double gradients[2][3] = {{0.3, -0.2, 0.05}, {-0.1, 0.4, 0.2}};
  for (int step = 1; step <= 2; ++step) {
    const double* g = gradients[step - 1];
    optimiser.step({at::tensor({g[0]}, at::kFloat), at::tensor({g[1], g[2]}, at::kFloat).view({1, 2})}, 0.01);
    for (int i = 0; i < 3; ++i) {
      m[i] = 0.9 * m[i] + 0.1 * g[i];
      v[i] = 0.99 * v[i] + 0.01 * g[i] * g[i];
      const double decay = i == 0 ? 0 : 0.1;  // the bias has one dimension
      theta[i] -= 0.01 * decay * theta[i];
      theta[i] -= 0.01 * (m[i] / (1 - std::pow(0.9, step))) / (std::sqrt(v[i] / (1 - std::pow(0.99, step))) + 1e-8);
    }
    EXPECT_NEAR(bias[0].item<double>(), theta[0], 1e-6);
    EXPECT_NEAR(matrix[0][0].item<double>(), theta[1], 1e-6);
    EXPECT_NEAR(matrix[0][1].item<double>(), theta[2], 1e-6);
  }
  EXPECT_EQ(optimiser.steps(), 2);
}

TEST(AdamW, HoldsTheGradientBelowItsNorm) {
  const at::Tensor a = at::zeros({1}), b = at::zeros({1});
  AdamW optimiser({{"a", a}, {"b", b}}, {.clip_gradient = 1});
  EXPECT_NEAR(optimiser.step({at::tensor({30.0f}), at::tensor({40.0f})}, 0.1), 50, 1e-4);
  EXPECT_NEAR(optimiser.first_moments().at("a").item<double>(), 0.1 * 0.6, 1e-6);
  EXPECT_NEAR(optimiser.first_moments().at("b").item<double>(), 0.1 * 0.8, 1e-6);
}

TEST(AdamW, PairsChannelsLastTensorsWithTheirGradients) {
  const at::Tensor plain = at::arange(24, at::kFloat).view({2, 3, 2, 2}).clone();
  const at::Tensor last = plain.contiguous(at::MemoryFormat::ChannelsLast).clone();
  const at::Tensor gradient = at::arange(24, at::kFloat).view({2, 3, 2, 2}).sin();
  AdamW first({{"w", plain}}, {}), second({{"w", last}}, {});
  first.step({gradient}, 0.1);
  second.step({gradient}, 0.1);
  EXPECT_TRUE(at::equal(plain, last));
}

TEST(Mean, MovesTowardsTheWeights) {
  const at::Tensor mean = at::zeros({2}), weights = at::full({2}, 10.0);
  move_mean({{"w", mean}}, {{"w", weights}, {"other", weights}}, 0.75);
  EXPECT_TRUE(at::allclose(mean, at::full({2}, 2.5)));
}

TEST(Noising, VAndXGiveThePictureBack) {
  RandomStream draws(3);
  const at::Tensor x0 = draws.randn({5, 3, 4, 4});
  const Noised noised = add_random_noise(x0, 1000, draws);
  EXPECT_TRUE(at::allclose(noised.alpha * noised.x - noised.sigma * noised.v, x0, 1e-4, 1e-4));
  EXPECT_TRUE(at::allclose(noised.alpha.square() + noised.sigma.square(), at::ones({5, 1, 1, 1})));
  // One time in each fifth.
  EXPECT_TRUE(at::equal((noised.t / 200).floor(), at::arange(5, at::kFloat)));
  const at::Tensor view = guidance_view(noised, noised.v);
  EXPECT_TRUE(at::allclose(view, x0 * noised.sigma + noised.x * (1 - noised.sigma), 1e-4, 1e-4));
  EXPECT_EQ(add_noise_at(x0, 300, draws).t[2].item<double>(), 300);
}

TEST(Noising, ContactSheetsRunByRows) {
  const at::Tensor pictures = at::arange(3, at::kFloat).view({3, 1, 1, 1}).expand({3, 3, 2, 2});
  const at::Tensor sheet = contact_sheet(pictures, 2);
  ASSERT_EQ(sheet.sizes(), at::IntArrayRef({1, 3, 4, 4}));
  EXPECT_EQ(sheet[0][0][0][2].item<double>(), 1);
  EXPECT_EQ(sheet[0][0][2][0].item<double>(), 2);
  EXPECT_EQ(sheet[0][0][2][2].item<double>(), -1);
}

TEST(Views, WithoutVariationAreThePicture) {
  RandomStream draws(1);
  const at::Tensor pictures = at::rand({2, 3, 8, 8});
  const ViewSettings plain{.whole = 1, .turn = 0, .shift = 0, .grey = 0, .jitter = 0, .hue = 0, .noise = 0};
  const at::Tensor views = random_views(pictures, 8, plain, draws);
  for (std::int64_t k = 0; k < 2; ++k) {
    const bool same = at::allclose(views[k], pictures[k], 1e-4, 1e-4);
    EXPECT_TRUE(same || at::allclose(views[k], pictures[k].flip({2}), 1e-4, 1e-4)) << "neither it nor its mirror";
  }
}

TEST(Views, GreysHaveNoColourAndHueKeepsGreyGrey) {
  RandomStream draws(1);
  const at::Tensor views = random_views(at::rand({4, 3, 8, 8}), 8, {.grey = 1, .noise = 0}, draws);
  EXPECT_TRUE(at::allclose(views.select(1, 0), views.select(1, 2), 1e-4, 1e-4));
  const at::Tensor grey = at::full({1, 3, 8, 8}, 0.5);
  const at::Tensor turned =
      random_views(grey, 8, {.whole = 1, .turn = 0, .shift = 0, .grey = 0, .jitter = 0, .hue = 0.5, .noise = 0}, draws);
  EXPECT_TRUE(at::allclose(turned, grey, 1e-4, 1e-4));
}

TEST(Contrast, IsInfoNceWhenEachCaptionIsTrueOfItsOwnPicture) {
  const at::Tensor images = at::tensor({3.0f, 0.0f, 0.0f, 2.0f}).view({2, 2});
  const at::Tensor texts = at::tensor({1.0f, 0.0f, 1.0f, 1.0f}).view({2, 2});
  // Cosines: [[1, r], [0, r]], r = 1/sqrt(2); scale 2.
  const double r = std::sqrt(0.5);
  const auto entropy = [](double right, double wrong) { return std::log1p(std::exp(2 * (wrong - right))); };
  const double expected = (entropy(1, r) + entropy(r, 0) + entropy(1, 0) + entropy(r, r)) / 4;
  const at::Tensor loss = contrastive_loss(images, texts, at::tensor(2.0f), at::eye(2));
  EXPECT_NEAR(loss.item<double>(), expected, 1e-5);
}

TEST(Contrast, DoesNotPushEqualCaptionsApart) {
  const at::Tensor vectors = at::ones({3, 4}).set_requires_grad(true);
  const at::Tensor loss = contrastive_loss(vectors, at::ones({3, 4}), at::tensor(5.0f), at::ones({3, 3}));
  EXPECT_NEAR(loss.item<double>(), std::log(3.0), 1e-5);
  EXPECT_LT(torch::autograd::grad({loss}, {vectors})[0].abs().max().item<double>(), 1e-6);
}

TEST(Batches, AgreementFollowsTheCaptions) {
  const CaptionedBatch batch = captioned_batch(1, 0, 24, 16, {});
  const at::Tensor matrix = agreement(batch);
  EXPECT_EQ(batch.pictures.sizes(), at::IntArrayRef({24, 3, 16, 16}));
  EXPECT_TRUE(at::equal(matrix.diagonal(), at::ones({24})));
  const double shared = matrix.sum().item<double>() - 24;
  EXPECT_GT(shared, 0);
  EXPECT_LT(shared, 24 * 23);
  // Sample k does not depend on the batch that it is in.
  const CaptionedBatch later = captioned_batch(1, 8, 16, 16, {});
  EXPECT_TRUE(at::equal(later.pictures, batch.pictures.narrow(0, 8, 16)));
  EXPECT_EQ(later.captions[0].text, batch.captions[8].text);
}

}  // namespace
}  // namespace disco
