// Memory for large tensors that keeps its pages: what is freed serves the next request of about its size, instead of
// going back to the system, which would clear every page again (on a guided step, a third of the time).
#pragma once

#include <cstdint>

namespace disco {

struct KeptPages {
  std::int64_t in_use = 0;  ///< Bytes that tensors hold.
  std::int64_t peak = 0;    ///< The most that they ever held.
  std::int64_t spare = 0;   ///< Bytes kept for the next request.
};

/// Makes it LibTorch's allocator on the processor for tensors of 1 MiB and more, for the rest of the process; smaller
/// ones go where they went. A block that is too large is split, and freed neighbours are joined. It
/// holds no more than the tensors themselves once held: `in_use + spare` stays within `peak`. Safe to call again, from
/// any thread.
void keep_pages();
/// Gives the spare pages back, as after loading.
void drop_spare_pages();
/// Zeros before keep_pages().
KeptPages kept_pages();

}  // namespace disco
