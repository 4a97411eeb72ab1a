// A small network that enlarges pictures: residual blocks at the picture's own resolution, one pixel shuffle (Shi
// 2016), and the sum with a bicubic enlargement, as in EDSR (Lim 2017) at a hundredth of its size.
#pragma once

#include <cstdint>
#include <memory>

#include "models/weights/state_dict.h"

namespace disco {

struct UpscalerConfig {
  std::int64_t width = 48;  ///< Channels of the blocks.
  std::int64_t blocks = 8;
  std::int64_t factor = 4;  ///< 2 to 8.
};

class Upscaler {
 public:
  /// Width, blocks and factor, read off the tensors. Throws FormatError when they are not an upscaler's.
  static UpscalerConfig recognise(const StateDict& tensors);
  /// Names and shapes of all tensors of a configuration.
  static std::vector<TensorInfo> manifest(const UpscalerConfig& config);

  /// Takes the tensors as they are (dtype, device). Throws FormatError naming what is missing.
  explicit Upscaler(StateDict tensors);

  /// x (N,3,H,W) in [-1,1], of any size → (N,3,factor·H,factor·W) in x's dtype, not clamped; inside, the dtype is the
  /// weights'. Differentiable.
  at::Tensor forward(const at::Tensor& x) const;
  /// The enlargement that forward() corrects: bicubic, without antialiasing.
  static at::Tensor bicubic(const at::Tensor& x, std::int64_t factor);

  /// How far around it, in pixels of x, a pixel's enlargement depends on.
  std::int64_t reach() const { return 2 * config_.blocks + 4; }

  const UpscalerConfig& config() const { return config_; }
  const StateDict& parameters() const { return tensors_; }

 private:
  struct Layers;

  UpscalerConfig config_;
  StateDict tensors_;
  std::shared_ptr<const Layers> layers_;
};

/// Freshly initialised weights, seeded: uniform within 1/sqrt(fan-in), and a last layer of zeros, so that a fresh
/// network is the bicubic enlargement.
StateDict initial_upscaler(const UpscalerConfig& config, std::uint64_t seed);

}  // namespace disco
