// Seeded draws for pictures and captions: the same numbers on every machine, whatever its standard library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/hash.h"

namespace disco {

/// Which of several independent streams of one seed is meant.
enum class DicePurpose : std::uint64_t {
  scene = 1,
  sky,
  ground,
  subject,
  caption,
  batch,
  light,
  style,
  evaluation,
  near_miss
};

class Dice {
 public:
  Dice(std::uint64_t seed, DicePurpose purpose)
      : state_(splitmix64(splitmix64(seed) ^ (static_cast<std::uint64_t>(purpose) << 56))) {}

  std::uint64_t bits() { return state_ = splitmix64(state_); }
  /// [0, 1)
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  double uniform(double from, double to) { return from + (to - from) * uniform(); }
  /// 0 … n−1
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(uniform() * static_cast<double>(n)); }
  bool chance(double p) { return uniform() < p; }

  template <typename Array>
  const auto& pick(const Array& choices) {
    return choices[below(choices.size())];
  }

 private:
  std::uint64_t state_;
};

}  // namespace disco
