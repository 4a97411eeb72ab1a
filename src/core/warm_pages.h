// Memory in huge pages, and such that is cleared before anybody needs it.
#pragma once

#include <cstddef>
#include <span>

namespace disco {

constexpr std::size_t huge_page = 2 << 20;

/// Fresh memory, aligned to huge pages, that asks for them: a first touch then clears 2 MiB at once. Null when there is
/// none.
std::byte* map_huge_pages(std::size_t bytes);

/// Maps fresh memory in huge pages and has the system clear it on a thread of its own, while this one goes on.
/// Otherwise the system clears each page when it is first touched, and whoever touches it waits. Does nothing on a
/// machine with one processor, or with less than four times that much memory free. Once.
void warm_pages(std::size_t bytes);

/// The memory, for the first one who asks; empty when there is none. It may be used at once: what the thread has yet to
/// reach is cleared by the one who comes first. Never unmapped by this room.
std::span<std::byte> take_warm_pages();

}  // namespace disco
