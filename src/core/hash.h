// Checksums, and the integer hash that the random streams are derived from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace disco {

/// SHA-256, as 64 lower-case hex digits.
std::string sha256(std::string_view bytes);

/// SHA-256 of a file, read in pieces. `progress`, when given, hears the bytes done so far; returning false cancels
/// (an empty string is returned). Throws Error when the file cannot be read.
std::string sha256_file(const std::filesystem::path& path, const std::function<bool(std::uint64_t)>& progress = {});

/// CRC-32 (IEEE 802.3), as zlib computes it.
std::uint32_t crc32(std::string_view bytes);

/// The splitmix64 finaliser (Steele, Lea, Flood 2014): a bijection of 64-bit integers.
constexpr std::uint64_t splitmix64(std::uint64_t z) {
  z += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

}  // namespace disco
