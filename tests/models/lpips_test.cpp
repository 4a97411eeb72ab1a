// LPIPS against the original's numbers.
#include "models/lpips.h"

#include <torch/csrc/autograd/autograd.h>

#include "core/error.h"
#include "models/parameters.h"
#include "shapes.h"
#include "support/golden.h"

namespace disco {
namespace {

TEST(Lpips, MatchesTheOriginal) {
  const auto expected = golden::tensors("nets.safetensors");
  const Lpips lpips(golden::network("lpips"));
  const at::Tensor x = (golden::unit("input.lpips.x", {1, 3, 64, 96}) / 2).requires_grad_();
  const at::Tensor z = golden::unit("input.lpips.z", {1, 3, 64, 96}) / 2;
  const at::Tensor d = lpips.distance(x, z);
  EXPECT_LT(golden::relative_error(d.sum(), expected.at("lpips.d").sum()), 1e-4);
  const at::Tensor dx = torch::autograd::grad({d.sum()}, {x})[0];
  EXPECT_LT(golden::relative_error(dx, expected.at("lpips.dx")), 1e-4);
}

class LpipsAtRandom : public ::testing::Test {
 protected:
  static StateDict tensors() { return random_weights(Lpips::manifest(), 1); }
};

TEST_F(LpipsAtRandom, TakesTorchvisionsNamesAndItsOwnScaling) {
  const StateDict package = golden::network("lpips");
  StateDict other;
  for (const auto& [name, tensor] : package) {
    if (name.starts_with("scaling_layer")) continue;
    if (name.starts_with("net.")) {
      other["features." + name.substr(std::string("net.slice1.").size())] = tensor;
    } else {
      other[name] = tensor;
    }
  }
  const at::Tensor x = golden::unit("x", {2, 3, 16, 32}), z = golden::unit("z", {2, 3, 16, 32});
  EXPECT_TRUE(at::equal(Lpips(package).distance(x, z), Lpips(other).distance(x, z)));
}

TEST_F(LpipsAtRandom, IsADistanceOfEachPair) {
  const Lpips lpips(tensors());
  const at::Tensor x = golden::unit("x", {2, 3, 32, 16}) / 2, z = golden::unit("z", {2, 3, 32, 16}) / 2;
  const at::Tensor d = lpips.distance(x, z);
  ASSERT_EQ(d.sizes(), (std::vector<std::int64_t>{2}));
  EXPECT_GT(d.min().item<double>(), 0);
  EXPECT_EQ(lpips.distance(x, x).abs().max().item<double>(), 0);
  EXPECT_LT(golden::relative_error(lpips.distance(z, x), d), 1e-5);
  EXPECT_LT(golden::relative_error(lpips.distance(x[1].unsqueeze(0), z[1].unsqueeze(0))[0], d[1]), 1e-5);
  EXPECT_TRUE(at::equal(lpips.distance(lpips.features(x), lpips.features(z)), d));
}

TEST_F(LpipsAtRandom, GradientsStayFiniteWhereEveryChannelIsZero) {
  StateDict dead = tensors();
  dead["net.slice5.28.bias"] = at::full({512}, -100.f);
  const at::Tensor x = golden::unit("x", {1, 3, 16, 16}).requires_grad_();
  const at::Tensor d = Lpips(dead).distance(x, golden::unit("z", {1, 3, 16, 16}));
  EXPECT_TRUE(at::isfinite(torch::autograd::grad({d.sum()}, {x})[0]).all().item<bool>());
}

TEST_F(LpipsAtRandom, NamesWhatIsWrong) {
  StateDict missing = tensors();
  missing.erase("lin3.model.1.weight");
  EXPECT_THROW(Lpips{missing}, FormatError);
  EXPECT_THROW(Lpips{tensors()}.features(at::zeros({1, 3, 8, 64})), Error);
}

}  // namespace
}  // namespace disco
