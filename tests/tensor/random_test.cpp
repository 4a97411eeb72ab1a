#include "tensor/random.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "core/error.h"
#include "support/golden.h"

namespace disco {
namespace {

TEST(RandomStream, DrawsThePyTorchNumbers) {
  const auto expected = golden::tensors("ops.safetensors");
  RandomStream stream(42);
  EXPECT_TRUE(at::equal(stream.randn({1, 3, 4, 5}), expected.at("rng.randn")));
  EXPECT_EQ(stream.rand(), expected.at("rng.rand").item<double>());
  EXPECT_EQ(stream.randint(0, 577), expected.at("rng.randint").item<std::int64_t>());
  EXPECT_EQ(stream.uniform(-10, 10), expected.at("rng.uniform").item<double>());
  EXPECT_EQ(at::equal(at::tensor(stream.randperm(4)), expected.at("rng.randperm")), true);
}

TEST(RandomStream, DrawsSmallNormalsFromItsCachedPairs) {
  // torch.manual_seed(5); two of torch.zeros(1).normal_(.8, .3), then rand(()), then randn(3).
  RandomStream stream(5);
  EXPECT_EQ(stream.normal(.8, .3), 0.6539657711982727);
  EXPECT_EQ(stream.normal(.8, .3), 0.6188535094261169);
  EXPECT_EQ(stream.rand(), 0.9201034307479858);
  EXPECT_TRUE(
      at::equal(stream.randn({3}), at::tensor({1.973966360092163f, -0.8814113140106201f, 1.1545515060424805f})));
}

TEST(RandomStream, CopiesShareOneState) {
  RandomStream stream(1), reference(1);
  RandomStream copy(stream);
  EXPECT_EQ(copy.rand(), reference.rand());
  EXPECT_EQ(stream.rand(), reference.rand());
}

RC_GTEST_PROP(RandomStream, GoesOnFromASavedState, ()) {
  RandomStream stream(*rc::gen::arbitrary<std::uint32_t>());
  // An odd number of normals leaves one of a pair behind, which belongs to the state.
  stream.randn({*rc::gen::inRange(1, 40)});
  stream.normal(0, 1);
  const at::Tensor state = stream.state();
  const double normal = stream.normal(0, 1), uniform = stream.rand();
  RandomStream other(0);
  other.set_state(state);
  RC_ASSERT(other.normal(0, 1) == normal);
  RC_ASSERT(other.rand() == uniform);
}

TEST(RandomStream, RefusesADamagedState) {
  RandomStream stream(1);
  EXPECT_THROW(stream.set_state(at::Tensor()), FormatError);
  EXPECT_THROW(stream.set_state(at::zeros({8}, at::kByte)), FormatError);
  EXPECT_THROW(stream.set_state(stream.state().to(at::kFloat)), FormatError);
}

TEST(RandomStreams, FaithfulModeReadsOneStreamForEverything) {
  RandomStreams streams = RandomStreams::shared(9);
  RandomStream reference(9);
  EXPECT_EQ(streams.get({.purpose = Purpose::perlin}).rand(), reference.rand());
  const at::Tensor state = streams.state();
  EXPECT_EQ(streams.get({.purpose = Purpose::cutouts, .step = 3}).rand(), reference.rand());
  const double next = streams.get({.purpose = Purpose::start_noise}).rand();
  streams.set_state(state);
  streams.get({.purpose = Purpose::fuzzy}).rand();
  EXPECT_EQ(streams.get({.purpose = Purpose::fuzzy}).rand(), next);
}

TEST(RandomStreams, NativeModeStartsEachKeyAnew) {
  RandomStreams streams = RandomStreams::independent(9);
  EXPECT_FALSE(streams.state().defined());
  const StreamKey key{.purpose = Purpose::cutouts, .step = 3, .model = "ViT-B/32", .batch = 1};
  RandomStream kept(streams.get(key));
  const double first = RandomStream(kept).rand();
  streams.get({.purpose = Purpose::augmentation}).randn({100});
  EXPECT_EQ(streams.get(key).rand(), first);
  // The kept copy was not reseeded by the later calls.
  EXPECT_NE(kept.rand(), first);
}

TEST(StreamSeed, StaysAsItIsForEver) {
  EXPECT_EQ(stream_seed(0, {.purpose = Purpose::start_noise}), 0x833037393e5061c8u);
  EXPECT_EQ(stream_seed(42, {.purpose = Purpose::sampler_noise, .step = 249}), 0x186b78b302d12764u);
  EXPECT_EQ(stream_seed(42, {.purpose = Purpose::cutouts, .step = 7, .model = "ViT-B/32", .batch = 3}),
            0x5ed14a1ee71be68fu);
  EXPECT_EQ(stream_seed(42, {.purpose = Purpose::augmentation, .step = 7, .model = "ViT-B/32", .batch = 3}),
            0x9de05ec562fa5f31u);
  EXPECT_EQ(stream_seed(~std::uint64_t{0}, {.purpose = Purpose::fuzzy, .model = "RN50"}), 0x2f87377bb383ec89u);
  EXPECT_EQ(stream_seed(1, {.purpose = Purpose::image_prompt, .model = "RN50", .batch = 1}), 0x916aec3a501903ecu);
  EXPECT_EQ(stream_seed(1, {.purpose = Purpose::perlin}), 0x9a91f69c1b164c02u);
  EXPECT_EQ(stream_seed(1, {.purpose = Purpose::init_noise}), 0x3c12f5079dfc02b2u);
  EXPECT_EQ(stream_seed(3, {.purpose = Purpose::cutouts, .step = -1, .batch = -1}), 0xb5616862ef7fb620u);
}

TEST(StreamSeed, DiffersBetweenTheKeysOfARun) {
  // The twister sees 32 bits of a seed, so those must differ.
  std::set<std::uint32_t> seeds;
  for (const auto purpose : {Purpose::cutouts, Purpose::augmentation}) {
    for (int step = 0; step < 250; ++step) {
      for (const char* model : {"ViT-B/32", "ViT-B/16", "RN50"}) {
        for (int batch = 0; batch < 4; ++batch) {
          seeds.insert(static_cast<std::uint32_t>(
              stream_seed(1234, {.purpose = purpose, .step = step, .model = model, .batch = batch})));
        }
      }
    }
  }
  EXPECT_EQ(seeds.size(), 2u * 250 * 3 * 4);
}

}  // namespace
}  // namespace disco
