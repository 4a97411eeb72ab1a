#include "kernels/page_keeper.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>
#include <new>
#include <span>
#include <unordered_map>

#include "core/warm_pages.h"

namespace disco {
namespace {

constexpr std::size_t least = 64 << 10, large = 1 << 20;
constexpr std::size_t small_grain = 16 << 10, large_grain = 64 << 10, huge_page = 2 << 20;

std::size_t rounded(std::size_t size, std::size_t to) { return (size + to - 1) / to * to; }

/// Aligned to huge pages, and asks for them: a fault then clears 2 MiB at once.
std::byte* map_pages(std::size_t size) {
  const std::size_t whole = size + huge_page;
  void* const mapped = ::mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  auto* const begin = static_cast<std::byte*>(mapped);
  const std::size_t before =
      rounded(reinterpret_cast<std::uintptr_t>(begin), huge_page) - reinterpret_cast<std::uintptr_t>(begin);
  std::byte* const data = begin + before;
  if (before > 0) ::munmap(begin, before);
  if (whole > before + size) ::munmap(data + size, whole - before - size);
  ::madvise(data, size, MADV_HUGEPAGE);
  return data;
}

/// Blocks of one kind of sizes, so that small ones do not break up the large ones' ranges.
class Pool {
 public:
  explicit Pool(std::size_t grain) : grain_(grain) {}

  void* take(std::size_t size) {
    const std::lock_guard lock(mutex_);
    size = rounded(size, grain_);
    void* const data = take_spare(size);
    return data ? data : take_new(size);
  }

  /// False when it is not one of its blocks.
  bool give_back(void* data) {
    const std::lock_guard lock(mutex_);
    const auto found = sizes_.find(data);
    if (found == sizes_.end()) return false;
    const std::size_t size = found->second;
    sizes_.erase(found);
    pages_.in_use -= static_cast<std::int64_t>(size);
    pages_.spare += static_cast<std::int64_t>(size);
    add_spare(static_cast<std::byte*>(data), size);
    return true;
  }

  void drop_spare() {
    const std::lock_guard lock(mutex_);
    drop(pages_.spare - std::max<std::int64_t>(adopted_ - pages_.in_use, 0));
  }

  /// Ready pages, which are kept as if tensors had been there.
  void adopt(std::span<std::byte> pages) {
    if (pages.empty()) return;
    const std::lock_guard lock(mutex_);
    add_spare(pages.data(), pages.size());
    adopted_ = static_cast<std::int64_t>(pages.size());
    pages_.spare += adopted_;
  }

  KeptPages pages() const {
    const std::lock_guard lock(mutex_);
    return pages_;
  }

 private:
  /// From the smallest spare range that is large enough; what it is too large by stays spare.
  void* take_spare(std::size_t size) {
    auto best = spare_.end();
    for (auto range = spare_.begin(); range != spare_.end(); ++range) {
      if (range->second >= size && (best == spare_.end() || range->second < best->second)) best = range;
    }
    if (best == spare_.end()) return nullptr;
    const auto [data, whole] = *best;
    spare_.erase(best);
    if (whole > size) spare_.emplace(data + size, whole - size);
    pages_.spare -= static_cast<std::int64_t>(size);
    return hold(data, size);
  }

  void* take_new(std::size_t size) {
    const auto wanted = pages_.in_use + static_cast<std::int64_t>(size);
    drop(wanted + pages_.spare - std::max({pages_.peak, wanted, adopted_}) - kept_pages_slack);
    // Whole huge pages: what lies beyond the last one would be cleared in small ones.
    const std::size_t mapped = rounded(size, huge_page);
    std::byte* const data = map_pages(mapped);
    if (mapped > size) {
      add_spare(data + size, mapped - size);
      pages_.spare += static_cast<std::int64_t>(mapped - size);
    }
    return hold(data, size);
  }

  void* hold(std::byte* data, std::size_t size) {
    sizes_.emplace(data, size);
    pages_.in_use += static_cast<std::int64_t>(size);
    pages_.peak = std::max(pages_.peak, pages_.in_use);
    return data;
  }

  /// Joined to the spare ranges that it touches: the system does not mind how they were mapped.
  void add_spare(std::byte* data, std::size_t size) {
    auto after = spare_.lower_bound(data);
    if (after != spare_.end() && data + size == after->first) {
      size += after->second;
      after = spare_.erase(after);
    }
    if (after != spare_.begin()) {
      const auto before = std::prev(after);
      if (before->first + before->second == data) {
        before->second += size;
        return;
      }
    }
    spare_.emplace(data, size);
  }

  /// Gives at least so many spare bytes back to the system, or all: the smallest ranges first, which serve the fewest.
  void drop(std::int64_t bytes) {
    while (bytes > 0 && !spare_.empty()) {
      const auto least_range = std::min_element(spare_.begin(), spare_.end(),
                                                [](const auto& a, const auto& b) { return a.second < b.second; });
      const auto [data, whole] = *least_range;
      // From the end of a range that is larger than needed; whole huge pages, as parts of them would free nothing.
      const std::size_t size = std::min(whole, rounded(static_cast<std::size_t>(bytes), huge_page));
      spare_.erase(least_range);
      if (whole > size) spare_.emplace(data, whole - size);
      ::munmap(data + (whole - size), size);
      pages_.spare -= static_cast<std::int64_t>(size);
      bytes -= static_cast<std::int64_t>(size);
    }
  }

  const std::size_t grain_;
  mutable std::mutex mutex_;
  std::map<std::byte*, std::size_t> spare_;  ///< By address; some dozens, or some hundreds of small ones.
  std::unordered_map<void*, std::size_t> sizes_;
  KeptPages pages_;
  std::int64_t adopted_ = 0;
};

class PageKeeper final : public c10::Allocator {
 public:
  explicit PageKeeper(c10::Allocator* tiny) : tiny_(tiny) { large_.adopt(take_warm_pages()); }

  c10::DataPtr allocate(std::size_t size) override {
    if (size < least) return tiny_->allocate(size);
    void* const data = (size < large ? small_ : large_).take(size);
    return {data, data, &release, c10::Device(c10::DeviceType::CPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, std::size_t count) const override { default_copy_data(to, from, count); }

  void drop_spare() {
    small_.drop_spare();
    large_.drop_spare();
  }

  KeptPages pages() const {
    const KeptPages a = small_.pages(), b = large_.pages();
    return {a.in_use + b.in_use, a.peak + b.peak, a.spare + b.spare};
  }

  static PageKeeper* installed;

 private:
  /// Of any memory: who frees through the allocator does not say which it is.
  static void release(void* data) {
    if (!installed->large_.give_back(data) && !installed->small_.give_back(data)) {
      installed->tiny_->raw_deleter()(data);
    }
  }

  c10::Allocator* const tiny_;
  Pool small_{small_grain}, large_{large_grain};
};

PageKeeper* PageKeeper::installed = nullptr;

}  // namespace

void keep_pages() {
  static std::once_flag once;
  std::call_once(once, [] {
    // Never destroyed: tensors may outlive everything.
    PageKeeper::installed = new PageKeeper(c10::GetDefaultCPUAllocator());
    c10::SetCPUAllocator(PageKeeper::installed, /*priority=*/1);
  });
}

void drop_spare_pages() {
  if (PageKeeper::installed) PageKeeper::installed->drop_spare();
}

KeptPages kept_pages() { return PageKeeper::installed ? PageKeeper::installed->pages() : KeptPages{}; }

}  // namespace disco
