// The samples that a training never sees, to look at its network with.
#pragma once

#include <cstdint>

namespace disco {

/// The first of them: no training takes so many samples.
constexpr std::uint64_t first_unseen = std::uint64_t{1} << 40;

}  // namespace disco
