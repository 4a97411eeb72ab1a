#include "kernels/page_keeper.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>
#include <new>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>

#include "core/warm_pages.h"

namespace disco {
namespace {

constexpr std::size_t least = 64 << 10, large = 1 << 20;
constexpr std::size_t small_grain = 16 << 10, large_grain = 64 << 10;

std::size_t rounded(std::size_t size, std::size_t to) { return (size + to - 1) / to * to; }

/// Ranges of memory that do not touch, found by address and by size.
class Ranges {
 public:
  bool empty() const { return by_size_.empty(); }

  /// Joined to those that it touches: the system does not mind how they were mapped.
  void add(std::byte* data, std::size_t size) {
    auto after = by_address_.lower_bound(data);
    if (after != by_address_.end() && data + size == after->first) {
      size += after->second;
      after = erase(after);
    }
    if (after != by_address_.begin()) {
      const auto before = std::prev(after);
      if (before->first + before->second == data) {
        data = before->first;
        size += before->second;
        erase(before);
      }
    }
    by_address_.emplace(data, size);
    by_size_.emplace(size, data);
  }

  /// Takes out the smallest one of at least so many bytes, the first among equals; of size 0 when there is none.
  std::pair<std::byte*, std::size_t> take(std::size_t least_size) {
    const auto best = by_size_.lower_bound({least_size, nullptr});
    if (best == by_size_.end()) return {};
    const auto [size, data] = *best;
    erase(by_address_.find(data));
    return {data, size};
  }

 private:
  using ByAddress = std::map<std::byte*, std::size_t>;

  ByAddress::iterator erase(ByAddress::iterator range) {
    by_size_.erase({range->second, range->first});
    return by_address_.erase(range);
  }

  ByAddress by_address_;
  std::set<std::pair<std::size_t, std::byte*>> by_size_;
};

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
    spare_.add(static_cast<std::byte*>(data), size);
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
    spare_.add(pages.data(), pages.size());
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
    const auto [data, whole] = spare_.take(size);
    if (whole == 0) return nullptr;
    if (whole > size) spare_.add(data + size, whole - size);
    pages_.spare -= static_cast<std::int64_t>(size);
    return hold(data, size);
  }

  void* take_new(std::size_t size) {
    const auto wanted = pages_.in_use + static_cast<std::int64_t>(size);
    drop(wanted + pages_.spare - std::max({pages_.peak, wanted, adopted_}) - kept_pages_slack);
    // Whole huge pages: what lies beyond the last one would be cleared in small ones.
    const std::size_t mapped = rounded(size, huge_page);
    std::byte* const data = map_huge_pages(mapped);
    if (data == nullptr) throw std::bad_alloc();
    if (mapped > size) {
      spare_.add(data + size, mapped - size);
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

  /// Gives at least so many spare bytes back to the system, or all: the smallest ranges first, which serve the fewest.
  void drop(std::int64_t bytes) {
    while (bytes > 0 && !spare_.empty()) {
      const auto [data, whole] = spare_.take(0);
      // From the end of a range that is larger than needed; whole huge pages, as parts of them would free nothing.
      const std::size_t size = std::min(whole, rounded(static_cast<std::size_t>(bytes), huge_page));
      if (whole > size) spare_.add(data, whole - size);
      ::munmap(data + (whole - size), size);
      pages_.spare -= static_cast<std::int64_t>(size);
      bytes -= static_cast<std::int64_t>(size);
    }
  }

  const std::size_t grain_;
  mutable std::mutex mutex_;
  Ranges spare_;  ///< Some dozens, or some hundreds of small ones.
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
