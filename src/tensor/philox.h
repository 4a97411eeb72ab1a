// Philox4x32-10 (Salmon 2011, "Parallel Random Numbers: As Easy as 1, 2, 3"): random numbers as a function of a counter
// and a key, which any thread of a GPU can compute without those before. No torch here: GPU kernels include it.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/host_device.h"

namespace disco {

struct FourWords {
  std::uint32_t word[4];
};
struct FourNormals {
  float value[4];
};

DISCO_HOST_DEVICE inline FourWords philox(FourWords counter, std::uint64_t key) {
  constexpr int rounds = 10;
  auto low = static_cast<std::uint32_t>(key), high = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < rounds; ++round) {
    const std::uint64_t first = std::uint64_t{0xD2511F53u} * counter.word[0];
    const std::uint64_t second = std::uint64_t{0xCD9E8D57u} * counter.word[2];
    counter = {{static_cast<std::uint32_t>(second >> 32) ^ counter.word[1] ^ low, static_cast<std::uint32_t>(second),
                static_cast<std::uint32_t>(first >> 32) ^ counter.word[3] ^ high, static_cast<std::uint32_t>(first)}};
    low += 0x9E3779B9u;
    high += 0xBB67AE85u;
  }
  return counter;
}

/// Four standard normals by Box and Muller (1958): the words make two pairs of a radius, from (0,1], and an angle.
DISCO_HOST_DEVICE inline FourNormals normals(FourWords words) {
  constexpr float unit = 1.f / 4294967296.f, turn = 6.2831853071795865f;
  FourNormals result;
  for (int pair = 0; pair < 2; ++pair) {
    // To 24 bits first, so that no rounding takes a share to 1 and an angle to a whole turn.
    const float share = static_cast<float>(words.word[2 * pair] >> 8) * (256 * unit) + 128 * unit;
    const float angle = static_cast<float>(words.word[2 * pair + 1] >> 8) * (256 * unit) * turn;
    const float radius = std::sqrt(-2 * std::log(share));
    result.value[2 * pair] = radius * std::cos(angle);
    result.value[2 * pair + 1] = radius * std::sin(angle);
  }
  return result;
}

/// Values 4·block to 4·block + 3 of a stream's noise `number`.
DISCO_HOST_DEVICE inline FourNormals noise_block(std::uint64_t seed, std::uint32_t number, std::uint64_t block) {
  return normals(
      philox({{static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), number, 0}}, seed));
}

}  // namespace disco
