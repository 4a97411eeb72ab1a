#include "core/warm_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // Linux 5.14; older kernels refuse it, and the pages are cleared when they are touched.
#endif

namespace disco {
namespace {

std::mutex mutex;
std::span<std::byte> warm;

bool has_room(std::size_t bytes) {
  constexpr std::size_t times = 4;
  const auto free =
      static_cast<std::size_t>(::sysconf(_SC_AVPHYS_PAGES)) * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return ::sysconf(_SC_NPROCESSORS_ONLN) > 1 && free / times >= bytes;
}

/// Part by part, so that whoever uses the memory meanwhile does not wait for long. What it holds stays.
void populate(std::span<std::byte> pages) {
  constexpr std::size_t part = 4 * huge_page;
  for (std::size_t done = 0; done < pages.size(); done += part) {
    const std::span<std::byte> now = pages.subspan(done, std::min(part, pages.size() - done));
    if (::madvise(now.data(), now.size(), MADV_POPULATE_WRITE) != 0) return;
  }
}

}  // namespace

std::byte* map_huge_pages(std::size_t bytes) {
  const std::size_t whole = bytes + huge_page;
  void* const mapped = ::mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  auto* const begin = static_cast<std::byte*>(mapped);
  const std::size_t before = (huge_page - reinterpret_cast<std::uintptr_t>(begin) % huge_page) % huge_page;
  std::byte* const data = begin + before;
  if (before > 0) ::munmap(begin, before);
  if (whole > before + bytes) ::munmap(data + bytes, whole - before - bytes);
  ::madvise(data, bytes, MADV_HUGEPAGE);
  return data;
}

void warm_pages(std::size_t bytes) {
  bytes = (bytes + huge_page - 1) / huge_page * huge_page;
  const std::lock_guard lock(mutex);
  if (bytes == 0 || !warm.empty() || !has_room(bytes)) return;
  std::byte* const data = map_huge_pages(bytes);
  if (data == nullptr) return;
  warm = {data, bytes};
  std::thread(populate, warm).detach();
}

std::span<std::byte> take_warm_pages() {
  const std::lock_guard lock(mutex);
  return std::exchange(warm, {});
}

}  // namespace disco
