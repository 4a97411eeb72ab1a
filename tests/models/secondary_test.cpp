// The secondary model against the original's numbers.
#include "models/secondary.h"

#include <torch/csrc/autograd/autograd.h>

#include "core/error.h"
#include "models/parameters.h"
#include "shapes.h"
#include "support/golden.h"

namespace disco {
namespace {

TEST(Secondary, MatchesTheOriginal) {
  const auto expected = golden::tensors("nets.safetensors");
  const SecondaryModel model(golden::network("secondary"));
  const at::Tensor x = golden::unit("input.secondary", {1, 3, 64, 128}).requires_grad_();
  const SecondaryModel::Output output = model.forward(x, expected.at("secondary.t"));
  EXPECT_LT(golden::relative_error(output.v, expected.at("secondary.v")), 1e-4);
  EXPECT_LT(golden::relative_error(output.pred, expected.at("secondary.pred")), 1e-4);
  EXPECT_LT(golden::relative_error(output.eps, expected.at("secondary.eps")), 1e-4);
  const at::Tensor c = golden::unit("input.secondary.c", {1, 3, 64, 128});
  const at::Tensor dx = torch::autograd::grad({(output.pred * c).sum()}, {x})[0];
  EXPECT_LT(golden::relative_error(dx, expected.at("secondary.dx")), 1e-4);
}

TEST(Secondary, TheManifestIsTheOriginals) {
  const nlohmann::json manifest = golden::json("manifests/full.secondary.json");
  EXPECT_EQ(shapes_of(SecondaryModel::manifest()), manifest["tensors"].get<Shapes>());
}

TEST(Secondary, EachPictureHasItsOwnTime) {
  const SecondaryModel model(random_weights(SecondaryModel::manifest(4), 1));
  const at::Tensor x = golden::unit("x", {2, 3, 32, 64}), t = at::tensor({.2f, .9f});
  const at::Tensor both = model.forward(x, t).pred;
  for (const std::int64_t i : {0, 1}) {
    const at::Tensor one = model.forward(x.narrow(0, i, 1), t.narrow(0, i, 1)).pred;
    EXPECT_LT(golden::relative_error(one[0], both[i]), 1e-5);
  }
  EXPECT_GT(golden::relative_error(model.forward(x, t.flip(0)).v, model.forward(x, t).v), 1e-4);
}

TEST(Secondary, NamesWhatIsWrong) {
  StateDict tensors = random_weights(SecondaryModel::manifest(4), 1);
  EXPECT_THROW(SecondaryModel(tensors).forward(at::zeros({1, 3, 48, 32}), at::zeros({1})), Error);
  tensors.erase("net.4.bias");
  EXPECT_THROW(SecondaryModel{tensors}, FormatError);
  EXPECT_THROW(SecondaryModel{StateDict{}}, FormatError);
}

}  // namespace
}  // namespace disco
