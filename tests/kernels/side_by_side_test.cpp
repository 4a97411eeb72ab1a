#include "kernels/side_by_side.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <vector>

#include "core/error.h"
#include "core/part_clock.h"

namespace disco {
namespace {

TEST(SideBySide, EachIsDoneOnceWithWhatTheCallerHasSet) {
  const at::NoGradGuard no_gradient;
  std::vector<int> done(5), recorded(5);
  side_by_side(done.size(), [&](std::size_t k) {
    ++done[k];
    recorded[k] = at::GradMode::is_enabled();
  });
  EXPECT_EQ(done, std::vector<int>(5, 1));
  EXPECT_EQ(recorded, std::vector<int>(5, 0));
}

TEST(SideBySide, GradientsAreTakenOnEachThread) {
  std::vector<at::Tensor> gradients(4);
  side_by_side(gradients.size(), [&](std::size_t k) {
    const at::Tensor x = at::full({3}, static_cast<double>(k)).requires_grad_(true);
    x.square().sum().backward();
    gradients[k] = x.grad();
  });
  for (std::size_t k = 0; k < gradients.size(); ++k)
    EXPECT_TRUE(at::equal(gradients[k], at::full({3}, 2 * static_cast<double>(k))));
}

TEST(SideBySide, TheirArithmeticIsCountedTogether) {
  PartClock clock;
  PartClock::current() = &clock;
  side_by_side(3, [](std::size_t k) {
    const TimedPart part("part");
    count_flops(static_cast<double>(k));
  });
  EXPECT_EQ(PartClock::current(), &clock);
  PartClock::current() = nullptr;
  EXPECT_EQ(clock.parts().at("part").flops, 3);
}

TEST(SideBySide, WhatOneThrowsComesBackAndTheClockStays) {
  PartClock clock;
  PartClock::current() = &clock;
  EXPECT_THROW(side_by_side(2, [](std::size_t) { throw Error("no"); }), Error);
  EXPECT_EQ(PartClock::current(), &clock);
  PartClock::current() = nullptr;
}

}  // namespace
}  // namespace disco
