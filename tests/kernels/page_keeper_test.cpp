#include "kernels/page_keeper.h"

#include <ATen/ATen.h>
#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <random>
#include <thread>

#include "core/error.h"
#include "core/warm_pages.h"
#include "kernels/choice.h"

namespace disco {
namespace {

constexpr std::int64_t mebibyte = 1 << 20;

at::Tensor bytes(std::int64_t count) { return at::empty({count}, at::kByte); }

class PageKeeping : public testing::Test {
 protected:
  void SetUp() override {
    keep_pages();
    drop_spare_pages();
  }
};

TEST_F(PageKeeping, AFreedBlockServesTheNextOfItsSize) {
  void* first = bytes(10 * mebibyte).data_ptr();
  EXPECT_GE(kept_pages().spare, 10 * mebibyte);
  const at::Tensor again = bytes(10 * mebibyte - 100);
  EXPECT_EQ(again.data_ptr(), first);
}

TEST_F(PageKeeping, SplitsBlocksAndJoinsWhatIsFreed) {
  auto* const whole = static_cast<std::byte*>(bytes(12 * mebibyte).data_ptr());
  {
    const at::Tensor first = bytes(4 * mebibyte), second = bytes(8 * mebibyte);
    EXPECT_EQ(first.data_ptr(), whole);
    EXPECT_EQ(second.data_ptr(), whole + 4 * mebibyte);
    EXPECT_EQ(kept_pages().spare, 0);
  }
  EXPECT_EQ(bytes(12 * mebibyte).data_ptr(), whole);
}

TEST_F(PageKeeping, SmallTensorsAreNotItsBusiness) {
  const KeptPages before = kept_pages();
  const at::Tensor small = bytes(mebibyte / 20);
  EXPECT_EQ(kept_pages().in_use, before.in_use);
}

TEST_F(PageKeeping, MiddlingTensorsShareHugePagesAndBreakUpNoLargeBlock) {
  void* const whole = bytes(3 * mebibyte).data_ptr();
  const at::Tensor first = bytes(mebibyte / 2), second = bytes(mebibyte / 2);
  EXPECT_EQ(static_cast<std::byte*>(second.data_ptr()) - static_cast<std::byte*>(first.data_ptr()), mebibyte / 2);
  EXPECT_EQ(bytes(3 * mebibyte).data_ptr(), whole);
  void* const freed = bytes(mebibyte / 4).data_ptr();
  EXPECT_EQ(bytes(mebibyte / 4).data_ptr(), freed);
}

TEST_F(PageKeeping, ServesThoseWhoAllocateWithoutTensors) {
  c10::Allocator* const allocator = c10::GetCPUAllocator();
  const KeptPages before = kept_pages();
  void* const large = allocator->raw_allocate(3 * mebibyte);
  void* const small = allocator->raw_allocate(100);
  EXPECT_EQ(kept_pages().in_use, before.in_use + 3 * mebibyte);
  allocator->raw_deallocate(large);
  allocator->raw_deallocate(small);
  EXPECT_EQ(kept_pages().in_use, before.in_use);
}

TEST_F(PageKeeping, HoldsHardlyMoreThanThePeakOfTheTensors) {
  std::mt19937 dice(3);
  std::vector<at::Tensor> held(12);
  for (int k = 0; k < 500; ++k) {
    const auto size = std::uniform_int_distribution<std::int64_t>(mebibyte, 8 * mebibyte)(dice);
    held[dice() % held.size()] = bytes(size).fill_(k % 256);
    const KeptPages now = kept_pages();
    ASSERT_LE(now.in_use + now.spare, now.peak + kept_pages_slack + 2 * mebibyte);
  }
  held.clear();
  EXPECT_GT(kept_pages().spare, 0);
  drop_spare_pages();
  EXPECT_EQ(kept_pages().spare, 0);
}

TEST_F(PageKeeping, BlocksDoNotOverlap) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int k = 0; k < 100; ++k) {
        const at::Tensor a = bytes(2 * mebibyte + k * 1000).fill_(t), b = bytes(3 * mebibyte).fill_(t + 100);
        EXPECT_TRUE(a.eq(t).all().item<bool>());
        EXPECT_TRUE(b.eq(t + 100).all().item<bool>());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

/// Exits with 0 when warm pages are the first to be handed out, and stay where spare ones are dropped.
void use_warm_pages() {
  constexpr std::int64_t size = 64 * mebibyte;
  warm_pages(size);
  keep_pages();
  const std::int64_t before = kept_pages().spare;
  drop_spare_pages();
  const at::Tensor tensor = bytes(4 * mebibyte).fill_(7);
  const std::int64_t after = kept_pages().spare;
  std::exit(before == size && after == size - 4 * mebibyte && tensor.eq(7).all().item<bool>() ? 0 : 1);
}

TEST(PageKeepingDeathTest, TakesWarmPagesFirst) {
  if (::sysconf(_SC_NPROCESSORS_ONLN) < 2) GTEST_SKIP() << "one processor clears none";
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // A process of its own, whose pages nobody keeps yet.
  EXPECT_EXIT(use_warm_pages(), testing::ExitedWithCode(0), "");
}

TEST(Kernels, AreChosenByName) {
  EXPECT_EQ(kernels_by_name("plain"), Kernels::plain);
  EXPECT_EQ(kernels_by_name("fast"), Kernels::fast);
  EXPECT_THROW(kernels_by_name("quick"), RequestError);
}

}  // namespace
}  // namespace disco
