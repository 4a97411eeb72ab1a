// Work shared among LibTorch's threads.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace disco {

/// Calls work(begin, end) over [0, count) in pieces of `grain`, each thread taking the next piece that is left: one
/// that others on the machine slow down does not hold the rest up.
template <typename Work>
void share_out(std::int64_t count, std::int64_t grain, const Work& work) {
  std::atomic<std::int64_t> next = 0;
  at::parallel_for(0, at::get_num_threads(), 1, [&](std::int64_t, std::int64_t) {
    for (std::int64_t begin = next.fetch_add(grain); begin < count; begin = next.fetch_add(grain)) {
      work(begin, std::min(begin + grain, count));
    }
  });
}

}  // namespace disco
