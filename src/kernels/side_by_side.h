// Whole networks on LibTorch's threads, one on each.
#pragma once

#include <cstddef>
#include <functional>

namespace disco {

/// Calls work(0), …, work(count − 1), each on one of LibTorch's threads, where operators share out nothing further.
/// What this thread has set (whether gradients are recorded, and the like) holds there, and what is timed there counts
/// for this thread's clock. Throws what one of them throws.
void side_by_side(std::size_t count, const std::function<void(std::size_t)>& work);

}  // namespace disco
