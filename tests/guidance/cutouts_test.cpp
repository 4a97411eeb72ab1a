#include "guidance/cutouts.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>

#include "core/error.h"
#include "support/golden.h"
#include "support/gradient.h"
#include "tensor/picture_tensor.h"

namespace disco {
namespace {

CutoutSettings settings_of(const nlohmann::json& entry) {
  CutoutSettings settings;
  settings.cut_size = entry["cut_size"].get<std::int64_t>();
  settings.overview = entry["overview"].get<int>();
  settings.inner = entry["innercut"].get<int>();
  settings.ic_pow = entry["ic_pow"].get<double>();
  settings.icgray_p = entry["icgray_p"].get<double>();
  settings.list = augmentation_list(entry["animation_mode"].get<std::string>());
  settings.skip_augs = entry["skip_augs"].get<bool>();
  return settings;
}

/// One case of a golden file: cutouts of 0.3·unit(input) + 0.5 from the seed, and their gradient.
void expect_case(const std::string& name, const std::string& input, const nlohmann::json& entry,
                 const std::map<std::string, at::Tensor>& expected) {
  SCOPED_TRACE(name + ": " + entry.dump());
  const at::Tensor x =
      golden::unit(input, {1, 3, entry["height"].get<std::int64_t>(), entry["width"].get<std::int64_t>()}) * .3 + .5;
  const auto cut = [&entry](const at::Tensor& picture) {
    RandomStream stream(entry["seed"].get<std::uint64_t>());
    return make_cutouts(picture, settings_of(entry), stream, stream);
  };
  const at::Tensor y = cut(x);
  EXPECT_LT(golden::relative_error(y, expected.at(name + ".y")), 1e-4);
  const at::Tensor c = golden::unit(input + ".c", y.sizes().vec());
  EXPECT_LT(golden::relative_error(gradient(cut, x, c), expected.at(name + ".dx")), 1e-4);
}

TEST(Cutouts, MatchTheReference) {
  const auto expected = golden::tensors("ops.safetensors");
  const auto cases = golden::json("ops.json");
  for (const auto& [name, entry] : cases.items()) {
    if (name.starts_with("cut.")) expect_case(name, "input." + name, entry, expected);
  }
}

/// The cases of make_cutouts.py; DISCO_CUTOUT_CASES names another folder that it wrote.
class TorchvisionCases : public ::testing::Test {
 protected:
  TorchvisionCases() {
    const char* other = std::getenv("DISCO_CUTOUT_CASES");
    const std::string folder = other ? other : "../guidance";
    cases_ = golden::json(folder + "/cutouts.json");
    expected_ = golden::tensors(folder + "/cutouts.safetensors");
  }
  nlohmann::json cases_;
  std::map<std::string, at::Tensor> expected_;
};

TEST_F(TorchvisionCases, CutoutsMatch) {
  for (const auto& [name, entry] : cases_.items()) {
    if (name.starts_with("cut.")) expect_case(name, "check." + name, entry, expected_);
  }
}

TEST_F(TorchvisionCases, ImagePromptCutoutsMatch) {
  for (const auto& [name, entry] : cases_.items()) {
    if (!name.starts_with("old.")) continue;
    SCOPED_TRACE(name + ": " + entry.dump());
    const at::Tensor x =
        golden::unit("check." + name, {1, 3, entry["height"].get<std::int64_t>(), entry["width"].get<std::int64_t>()}) *
        .5;
    RandomStream stream(entry["seed"].get<std::uint64_t>());
    const at::Tensor y = make_image_prompt_cutouts(x, entry["cut_size"].get<std::int64_t>(), entry["count"].get<int>(),
                                                   entry["skip_augs"].get<bool>(), stream);
    EXPECT_LT(golden::relative_error(y, expected_.at(name + ".y")), 1e-4);
  }
}

TEST(ImagePromptCutouts, MatchTheReference) {
  const at::Tensor x = golden::unit("input.cutimg", {1, 3, 80, 120}) * .5;
  RandomStream stream(7);
  const at::Tensor y = make_image_prompt_cutouts(x, 64, 8, false, stream);
  EXPECT_LT(golden::relative_error(y, golden::tensors("ops.safetensors").at("cut.imageprompt.y")), 1e-4);
}

/// Settings without augmentations, so that the cuts can be looked at.
CutoutSettings plain(int overview, int inner) {
  CutoutSettings settings;
  settings.cut_size = 16;
  settings.overview = overview;
  settings.inner = inner;
  settings.skip_augs = true;
  return settings;
}

const at::Tensor& test_picture() {
  static const at::Tensor picture = golden::unit("cutouts.picture", {1, 3, 24, 32}) * .2 + .5;
  return picture;
}

at::Tensor cut(const CutoutSettings& settings, std::uint64_t places_seed = 1, std::uint64_t augmentation_seed = 2) {
  RandomStream places(places_seed), augmentation(augmentation_seed);
  return make_cutouts(test_picture(), settings, places, augmentation);
}

bool is_grey(const at::Tensor& cut) { return at::equal(cut[0], cut[1]) && at::equal(cut[1], cut[2]); }

RC_GTEST_PROP(Cutouts, HaveThePromisedShapeAndAFiniteGradient, ()) {
  CutoutSettings settings;
  settings.cut_size = *rc::gen::inRange<std::int64_t>(8, 40);
  settings.overview = *rc::gen::inRange(0, 7);
  settings.inner = *rc::gen::inRange(settings.overview == 0 ? 1 : 0, 5);
  settings.ic_pow = *rc::gen::inRange(0, 100) * .1;
  settings.icgray_p = *rc::gen::inRange(0, 11) * .1;
  settings.list = *rc::gen::element(AugmentationList::still, AugmentationList::video, AugmentationList::three_d);
  settings.skip_augs = *rc::gen::arbitrary<bool>();
  settings.faithful = *rc::gen::arbitrary<bool>();
  const auto seed = *rc::gen::arbitrary<std::uint32_t>();
  const auto height = *rc::gen::inRange<std::int64_t>(8, 50), width = *rc::gen::inRange<std::int64_t>(8, 50);
  const auto make = [&](const at::Tensor& x) {
    RandomStream stream(seed);
    return make_cutouts(x, settings, stream, stream);
  };
  const at::Tensor x = golden::unit("cutouts.shape", {1, 3, height, width}) * .3 + .5;
  RC_ASSERT(make(x).sizes() ==
            at::IntArrayRef({settings.overview + settings.inner, 3, settings.cut_size, settings.cut_size}));
  RC_ASSERT(at::isfinite(gradient(make, x)).all().item<bool>());
}

TEST(Cutouts, UpToFourOverviewsAreTheCutItsGreyItsMirrorAndItsGreyMirror) {
  const at::Tensor four = cut(plain(4, 0));
  EXPECT_FALSE(is_grey(four[0]));
  EXPECT_TRUE(is_grey(four[1]));
  EXPECT_TRUE(at::equal(four[2], four[0].flip({2})));
  EXPECT_TRUE(at::equal(four[3], four[1].flip({2})));
  for (const int n : {1, 2, 3}) EXPECT_TRUE(at::equal(cut(plain(n, 0)), four.narrow(0, 0, n)));
  const at::Tensor five = cut(plain(5, 0));
  for (int k = 0; k < 5; ++k) EXPECT_TRUE(at::equal(five[k], four[0]));
}

TEST(Cutouts, TheOverviewHoldsTheWholePictureInASquare) {
  // A 24×32 picture is padded to 32×32: an eighth of the cut above and below is black.
  const at::Tensor overview = cut(plain(1, 0))[0];
  EXPECT_LT(overview.narrow(1, 0, 1).abs().max().item<double>(), .1);
  EXPECT_LT(overview.narrow(1, 15, 1).abs().max().item<double>(), .1);
  EXPECT_GT(overview.narrow(1, 7, 2).mean().item<double>(), .4);
}

TEST(Cutouts, TheShareOfGreyInnerCutsIsOneTooManyInFaithfulModeOnly) {
  const auto greys = [](double share, int inner, bool faithful) {
    CutoutSettings settings = plain(0, inner);
    settings.icgray_p = share;
    settings.faithful = faithful;
    const at::Tensor cuts = cut(settings);
    int count = 0;
    while (count < inner && is_grey(cuts[count])) ++count;
    // The grey cuts come first.
    for (int k = count; k < inner; ++k) EXPECT_FALSE(is_grey(cuts[k]));
    return count;
  };
  EXPECT_EQ(greys(0, 4, true), 1);
  EXPECT_EQ(greys(0, 4, false), 0);
  EXPECT_EQ(greys(.5, 4, true), 3);
  EXPECT_EQ(greys(.5, 4, false), 2);
  EXPECT_EQ(greys(1, 4, true), 4);
  EXPECT_EQ(greys(1, 4, false), 4);
  EXPECT_EQ(greys(.29, 100, false), 29);
}

TEST(Cutouts, APowerOfZeroCutsAsLargeAsPossibleAndALargeOneAsSmall) {
  at::Tensor wide = at::zeros({1, 3, 24, 32});
  RandomStream stream(3);
  CutoutSettings settings = plain(0, 3);
  settings.ic_pow = 1e6;
  // At cut_size there is nothing to resize: the cut is a window of the picture.
  RandomStream places(5), reference(5);
  const at::Tensor smallest = make_cutouts(test_picture(), settings, places, stream);
  for (int k = 0; k < 3; ++k) {
    reference.rand();
    const std::int64_t x = reference.randint(0, 32 - 16 + 1), y = reference.randint(0, 24 - 16 + 1);
    const at::Tensor window = test_picture().narrow(2, y, 16).narrow(3, x, 16)[0];
    if (k > 0) {
      EXPECT_TRUE(at::equal(smallest[k], window));
    } else {
      EXPECT_TRUE(is_grey(smallest[k]));
    }
  }
  settings.ic_pow = 0;
  for (int k = 1; k < 3; ++k) {
    RandomStream again(5);
    const at::Tensor largest = make_cutouts(test_picture(), settings, again, stream);
    bool found = false;
    for (std::int64_t x = 0; x <= 8; ++x) {
      found = found || at::allclose(largest[k], resize_right(test_picture().narrow(3, x, 24), 16, 16)[0]);
    }
    EXPECT_TRUE(found);
  }
}

TEST(Cutouts, PlacesAndAugmentationsAreDrawnFromStreamsOfTheirOwn) {
  CutoutSettings settings = plain(2, 3);
  settings.faithful = false;
  const at::Tensor cuts = cut(settings, 1, 2);
  EXPECT_TRUE(at::equal(cuts, cut(settings, 1, 99)));
  EXPECT_FALSE(at::equal(cuts, cut(settings, 7, 2)));
  settings.skip_augs = false;
  // Other places of the inner cuts, or more of them: the overview is augmented as before, up to the noise's position.
  EXPECT_TRUE(at::equal(cut(settings, 1, 2)[0], cut(settings, 7, 2)[0]));
  EXPECT_FALSE(at::equal(cut(settings, 1, 2)[0], cut(settings, 1, 3)[0]));
}

TEST(Cutouts, RefuseWhatCannotBeCut) {
  EXPECT_THROW(cut(plain(0, 0)), RequestError);
  EXPECT_THROW(cut(plain(-1, 3)), RequestError);
  CutoutSettings settings = plain(0, 1);
  settings.ic_pow = -1;
  EXPECT_THROW(cut(settings), RequestError);
  RandomStream stream(1);
  EXPECT_THROW(make_cutouts(at::zeros({2, 3, 32, 32}), plain(1, 1), stream, stream), Error);
  EXPECT_THROW(make_image_prompt_cutouts(at::zeros({2, 3, 32, 32}), 16, 4, true, stream), Error);
}

TEST(Cutouts, AnimationModesNameTheLists) {
  EXPECT_EQ(augmentation_list("None"), AugmentationList::still);
  EXPECT_EQ(augmentation_list("Video Input"), AugmentationList::video);
  EXPECT_EQ(augmentation_list("2D"), AugmentationList::three_d);
  EXPECT_EQ(augmentation_list("3D"), AugmentationList::three_d);
  EXPECT_THROW(augmentation_list("4D"), RequestError);
}

}  // namespace
}  // namespace disco
