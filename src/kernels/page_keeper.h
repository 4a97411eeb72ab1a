// Memory for large tensors that keeps its pages: what is freed serves the next request of about its size, instead of
// going back to the system, which would clear every page again (on a guided step, a third of the time).
#pragma once

#include <cstdint>

namespace disco {

/// Room for ranges that fit no request: without it, small pictures would give pages back in every step.
constexpr std::int64_t kept_pages_slack = 16 << 20;

struct KeptPages {
  std::int64_t in_use = 0;  ///< Bytes that tensors hold.
  std::int64_t peak = 0;    ///< The most that they ever held, those below and above 1 MiB added.
  std::int64_t spare = 0;   ///< Bytes kept for the next request.
};

/// Makes it LibTorch's allocator on the processor for tensors of 64 KiB and more, for the rest of the process; smaller
/// ones go where they went. A block that is too large is split, and freed neighbours are joined; those below 1 MiB live
/// apart from the others. Each kind holds hardly more than its tensors themselves once held: `in_use + spare` stays
/// within `peak + kept_pages_slack`, and one begun huge page (2 MiB). Pages that warm_pages() had cleared are the first
/// of the large ones, and count as if tensors had been there. Safe to call again, from any thread.
void keep_pages();
/// Gives the spare pages back, as after loading; of those that were cleared beforehand, what tensors hold in their
/// stead.
void drop_spare_pages();
/// Zeros before keep_pages().
KeptPages kept_pages();

}  // namespace disco
