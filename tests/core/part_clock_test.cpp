#include "core/part_clock.h"

#include <gtest/gtest.h>

#include <thread>

namespace disco {
namespace {

void wait() { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }

TEST(PartClock, TimeCountsForTheInnermostPart) {
  PartClock clock;
  PartClock::current() = &clock;
  {
    const TimedPart outer("outer");
    {
      const TimedPart inner("inner", "one");
      count_flops(7);
      wait();
    }
    count_flops(1);
  }
  PartClock::current() = nullptr;
  EXPECT_GE(clock.parts().at("inner one").seconds, 0.005);
  EXPECT_LT(clock.parts().at("outer").seconds, clock.parts().at("inner one").seconds);
  EXPECT_EQ(clock.parts().at("inner one").flops, 7);
  EXPECT_EQ(clock.parts().at("outer").flops, 1);
}

TEST(PartClock, WhatOthersDoMeanwhileCountsOnce) {
  PartClock clock;
  PartClock::current() = &clock;
  {
    const TimedPart outer("outer");
    std::vector<PartClock> others(2);
    for (PartClock& other : others) {
      PartClock::current() = &other;
      const TimedPart part("part");
      count_flops(3);
      wait();
      PartClock::current() = &clock;
    }
    clock.add_concurrent(others);
  }
  PartClock::current() = nullptr;
  EXPECT_GE(clock.parts().at("part").seconds, 0.005);
  EXPECT_EQ(clock.parts().at("part").flops, 6);
  EXPECT_LT(clock.parts().at("outer").seconds, 0.02) << "one after the other they took twice the part's time";
}

TEST(PartClock, NobodyMeasuresByDefault) {
  const TimedPart part("alone");
  count_flops(1);
  EXPECT_EQ(PartClock::current(), nullptr);
}

TEST(PartClock, WaitsForTheDeviceAtEachChange) {
  int waits = 0;
  PartClock clock([&] { ++waits; });
  PartClock::current() = &clock;
  { const TimedPart part("a"); }
  PartClock::current() = nullptr;
  EXPECT_EQ(waits, 2);
}

}  // namespace
}  // namespace disco
