#include "kernels/side_by_side.h"

#include <ATen/Parallel.h>
#include <ATen/ThreadLocalState.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "core/part_clock.h"

namespace disco {
namespace {

class ClockInUse {
 public:
  explicit ClockInUse(PartClock* clock) : before_(std::exchange(PartClock::current(), clock)) {}
  ~ClockInUse() { PartClock::current() = before_; }
  ClockInUse(const ClockInUse&) = delete;
  ClockInUse& operator=(const ClockInUse&) = delete;

 private:
  PartClock* const before_;
};

}  // namespace

void side_by_side(std::size_t count, const std::function<void(std::size_t)>& work) {
  const at::ThreadLocalState state;
  PartClock* const clock = PartClock::current();
  std::vector<PartClock> clocks(count);
  at::parallel_for(0, static_cast<std::int64_t>(count), 1, [&](std::int64_t begin, std::int64_t end) {
    const at::ThreadLocalStateGuard guard(state);
    for (auto k = static_cast<std::size_t>(begin); k < static_cast<std::size_t>(end); ++k) {
      const ClockInUse in_use(clock ? &clocks[k] : nullptr);
      work(k);
    }
  });
  if (clock) clock->add_concurrent(clocks);
}

}  // namespace disco
