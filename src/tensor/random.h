// Seeded random streams. Every stream is a CPU Mersenne Twister as PyTorch seeds and reads it (GUIDED-STEP "Random
// draws"), so that torch.manual_seed(s) followed by the same calls gives the same numbers.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace disco {

/// One stream of random numbers. Copies share it: a draw from one moves all of them on.
class RandomStream {
 public:
  /// As torch.manual_seed(seed): the twister is seeded with the low 32 bits.
  explicit RandomStream(std::uint64_t seed);

  std::uint64_t seed() const { return seed_; }  ///< That it began with.

  /// float32, on the CPU, filled in NCHW order.
  at::Tensor randn(at::IntArrayRef sizes);
  double rand();                                              ///< torch.rand(()): float32, [0,1).
  std::int64_t randint(std::int64_t low, std::int64_t high);  ///< torch.randint(low, high, ()): [low, high).
  double uniform(double from, double to);                     ///< torch.empty(1).uniform_(from, to): float32.
  double normal(double mean, double deviation);               ///< torch.empty(1).normal_(mean, deviation): float32.
  std::vector<std::int64_t> randperm(std::int64_t n);

  at::Tensor state() const;  ///< uint8, for checkpoints.
  /// Throws FormatError when `state` is not one of state()'s.
  void set_state(const at::Tensor& state);

 private:
  std::uint64_t seed_;
  at::Generator generator_;
};

/// What a draw is for.
enum class Purpose { start_noise, sampler_noise, cutouts, augmentation, fuzzy, image_prompt, perlin, init_noise };

/// Names one stream of native mode.
struct StreamKey {
  Purpose purpose;
  int step = 0;                 ///< Sampling step index.
  std::string_view model = {};  ///< CLIP model name, where the draw is for one.
  int batch = 0;
};

/// Where a picture's random numbers come from. Faithful mode reads one stream for everything; native mode gives each
/// key a stream of its own, seeded by a hash of (seed, key), so that changing one thing leaves the other draws alone.
class RandomStreams {
 public:
  static RandomStreams shared(std::uint64_t seed);
  static RandomStreams independent(std::uint64_t seed);

  /// The stream to draw from. In native mode each call gives the key's stream from its beginning, to any number of
  /// threads.
  RandomStream get(const StreamKey& key) const;

  bool is_shared() const { return shared_; }
  /// State of the shared stream (undefined tensor in native mode, which has none).
  at::Tensor state() const;
  /// Does nothing in native mode.
  void set_state(const at::Tensor& state);

 private:
  RandomStreams(std::uint64_t seed, bool shared);
  std::uint64_t seed_;
  bool shared_;
  RandomStream stream_;
};

/// The seed of a key's stream, fixed for ever, with s = splitmix64 and c = crc32 of a name in UTF-8:
///   s(s(s(s(s(seed) ^ c(purpose)) ^ step) ^ c(model)) ^ batch)
/// Purposes are named as in the enum ("start_noise", …); step and batch are taken as unsigned 64-bit integers.
std::uint64_t stream_seed(std::uint64_t seed, const StreamKey& key);

}  // namespace disco
