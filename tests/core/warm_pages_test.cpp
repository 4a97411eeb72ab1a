#include "core/warm_pages.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace disco {
namespace {

TEST(WarmPages, AreHandedOverOnceAndHoldWhatIsWritten) {
  if (::sysconf(_SC_NPROCESSORS_ONLN) < 2) GTEST_SKIP() << "one processor clears none";
  constexpr std::size_t mebibyte = 1 << 20;
  warm_pages(31 * mebibyte);
  const std::span<std::byte> pages = take_warm_pages();
  ASSERT_EQ(pages.size(), 32 * mebibyte) << "whole huge pages";
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pages.data()) % (2 * mebibyte), 0u);
  // While they are being cleared.
  for (std::size_t k = 0; k < pages.size(); k += 4096) pages[k] = static_cast<std::byte>(k / 4096 % 251);
  for (int turn = 0; turn < 20; ++turn) {
    for (std::size_t k = 0; k < pages.size(); k += 4096) ASSERT_EQ(pages[k], static_cast<std::byte>(k / 4096 % 251));
  }
  EXPECT_TRUE(take_warm_pages().empty());
}

TEST(WarmPages, AreNotTakenFromAMachineThatHasFew) {
  warm_pages(std::size_t{1} << 50);
  EXPECT_TRUE(take_warm_pages().empty());
}

}  // namespace
}  // namespace disco
