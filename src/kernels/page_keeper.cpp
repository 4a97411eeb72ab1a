#include "kernels/page_keeper.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <list>
#include <mutex>
#include <new>
#include <unordered_map>

#include "core/error.h"

namespace disco {
namespace {

constexpr std::size_t least = 1 << 20, grain = 64 << 10, huge_page = 2 << 20;

struct Block {
  void* data;
  std::size_t size;
};

std::size_t rounded(std::size_t size, std::size_t to) { return (size + to - 1) / to * to; }

/// Aligned to huge pages, and asks for them: a fault then clears 2 MiB at once.
void* map_pages(std::size_t size) {
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

class PageKeeper final : public c10::Allocator {
 public:
  explicit PageKeeper(c10::Allocator* small) : small_(small) {}

  c10::DataPtr allocate(std::size_t size) override {
    if (size < least) return small_->allocate(size);
    void* const data = take(rounded(size, grain));
    return {data, data, &release, c10::Device(c10::DeviceType::CPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, std::size_t count) const override { default_copy_data(to, from, count); }

  void drop_spare() {
    const std::lock_guard lock(mutex_);
    while (!spare_.empty()) drop_oldest();
  }

  KeptPages pages() const {
    const std::lock_guard lock(mutex_);
    return pages_;
  }

  static PageKeeper* installed;

 private:
  /// Of large and of small memory: who frees through the allocator does not say which it is.
  static void release(void* data) {
    if (!installed->give_back(data)) installed->small_->raw_deleter()(data);
  }

  void* take(std::size_t size) {
    const std::lock_guard lock(mutex_);
    void* const data = take_spare(size);
    return data ? data : take_new(size);
  }

  /// The spare block that fits best, if one does without waste.
  void* take_spare(std::size_t size) {
    auto best = spare_.end();
    for (auto block = spare_.begin(); block != spare_.end(); ++block) {
      const bool fits = block->size >= size && block->size <= size + size / 8;
      if (fits && (best == spare_.end() || block->size < best->size)) best = block;
    }
    if (best == spare_.end()) return nullptr;
    const Block block = *best;
    spare_.erase(best);
    pages_.spare -= static_cast<std::int64_t>(block.size);
    hold(block);
    return block.data;
  }

  void* take_new(std::size_t size) {
    const auto wanted = pages_.in_use + static_cast<std::int64_t>(size);
    const std::int64_t limit = std::max(pages_.peak, wanted);
    while (!spare_.empty() && wanted + pages_.spare > limit) drop_oldest();
    const Block block{map_pages(size), size};
    hold(block);
    return block.data;
  }

  void hold(const Block& block) {
    sizes_.emplace(block.data, block.size);
    pages_.in_use += static_cast<std::int64_t>(block.size);
    pages_.peak = std::max(pages_.peak, pages_.in_use);
  }

  /// False when it is not one of its blocks.
  bool give_back(void* data) {
    const std::lock_guard lock(mutex_);
    const auto found = sizes_.find(data);
    if (found == sizes_.end()) return false;
    const Block block{data, found->second};
    sizes_.erase(found);
    pages_.in_use -= static_cast<std::int64_t>(block.size);
    spare_.push_back(block);
    pages_.spare += static_cast<std::int64_t>(block.size);
    return true;
  }

  void drop_oldest() {
    const Block block = spare_.front();
    spare_.pop_front();
    pages_.spare -= static_cast<std::int64_t>(block.size);
    ::munmap(block.data, block.size);
  }

  c10::Allocator* const small_;
  mutable std::mutex mutex_;
  std::list<Block> spare_;  ///< Oldest first; some dozens at most.
  std::unordered_map<void*, std::size_t> sizes_;
  KeptPages pages_;
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
