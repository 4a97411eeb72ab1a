// What a build with CUDA has beyond LibTorch's own operators. The room `cuda` provides it; in other builds, and on
// machines without a GPU, there is none, and LibTorch's operators do the work.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/cut_map.h"
#include "kernels/cut_pixels.h"

namespace disco {

/// Operators recorded once as a CUDA graph, to be launched together.
class Recorded {
 public:
  virtual ~Recorded() = default;
  /// The results for inputs of the recorded shapes: the same tensors each time, which the next replay overwrites.
  virtual const std::vector<at::Tensor>& replay(at::TensorList inputs) = 0;
};
/// The same for one result, differentiable by the first input.
class RecordedWithGradient {
 public:
  virtual ~RecordedWithGradient() = default;
  /// A gradient can be taken once, and until the next replay.
  virtual at::Tensor replay(at::TensorList inputs) = 0;
};
/// A function of its inputs that waits for nothing on the GPU and copies nothing from the processor.
using Recordable = std::function<std::vector<at::Tensor>(const std::vector<at::Tensor>& inputs)>;

/// A copy on its way from a GPU to the processor.
class Arriving {
 public:
  virtual ~Arriving() = default;
  virtual bool arrived() const = 0;
  /// Waits for it.
  virtual const at::Tensor& tensor() = 0;
};

/// Bytes.
struct GpuMemory {
  std::uint64_t total = 0;
  std::uint64_t free = 0;  ///< What this process holds and does not use included.
  std::uint64_t peak = 0;  ///< The most that this process's tensors held.
};

/// Operators on an NVIDIA GPU; tensors are float32 or half, sums and statistics float32 or wider. Differentiable by
/// their first argument, with the same bits from run to run on one device.
class Gpu {
 public:
  virtual ~Gpu() = default;

  /// As fused_group_norm(). `before` (C), which may be undefined, is added to x first; then no gradient comes.
  virtual at::Tensor group_norm(const at::Tensor& x, const at::Tensor& gain, const at::Tensor& shift, bool silu,
                                const at::Tensor& before = {}) const = 0;
  /// As fused_gate().
  virtual at::Tensor gate(const at::Tensor& fresh, double steepness) const = 0;
  /// x + shift + other, through ReLU if `relu`; x (N,C,H,W) fresh, shift (C), other as x or undefined. x is overwritten
  /// where no gradient is to come. Differentiable by x and `other`.
  virtual at::Tensor shifted(const at::Tensor& fresh, const at::Tensor& shift, const at::Tensor& other,
                             bool relu) const = 0;
  /// x (N,C,H,W) at twice its size, bilinear, corners not aligned; channels innermost. C is a multiple of 8.
  virtual at::Tensor doubled(const at::Tensor& x) const = 0;
  /// The mean of each 2×2 pixels of x (N,C,H,W), channels innermost. C is a multiple of 8, H and W are even.
  virtual at::Tensor halved(const at::Tensor& x) const = 0;
  /// Each pixel of x (N,C,H,W) as 2×2, channels innermost. C is a multiple of 8.
  virtual at::Tensor repeated(const at::Tensor& x) const = 0;

  /// As fused_cut_warp(), at the places of `map`.
  virtual at::Tensor cut_warp(const at::Tensor& cuts, const at::Tensor& noise, double strength, const CutMap& map,
                              CutWarp warp) const = 0;
  /// As fused_cut_colours().
  virtual at::Tensor cut_colours(const at::Tensor& cuts, const at::Tensor& first, const at::Tensor& second,
                                 double strength, bool grey, const std::optional<ColourSteps>& steps) const = 0;
  /// Cutouts (count,3,size,size) of squares of the picture (1,3,H,W), as resize_right() resizes them.
  virtual at::Tensor resized_cuts(const at::Tensor& picture, const std::vector<CutSquare>& squares,
                                  std::int64_t size) const = 0;
  /// As counter_noise() of the processor, within rounding.
  virtual at::Tensor noise(std::uint64_t seed, std::uint32_t number, at::IntArrayRef sizes,
                           at::Device device) const = 0;

  /// Records `work`, after trying it; throws when something in it cannot be recorded. Without gradients between the
  /// inputs and the results, but `work` may take gradients itself.
  virtual std::unique_ptr<Recorded> record(const std::vector<at::Tensor>& examples, const Recordable& work) const = 0;
  /// Records `work`, which has one result, and its gradient by the first input, each as a graph. What the gradient
  /// needs stays in memory as long as the recording.
  virtual std::unique_ptr<RecordedWithGradient> record_with_gradient(const std::vector<at::Tensor>& examples,
                                                                     const Recordable& work) const = 0;

  /// Waits for the device's work.
  virtual void synchronise(at::Device device) const = 0;
  virtual std::string name(at::Device device) const = 0;
  virtual GpuMemory memory(at::Device device) const = 0;
  /// This process's tensors, and what is kept for the next ones, get no more than that; 0: all that there is. Near the
  /// limit spare memory is given back, and cuDNN takes algorithms that need less.
  virtual void limit_memory(at::Device device, std::uint64_t bytes) const = 0;
  /// Copies x after the work that was handed out before; nothing waits.
  virtual std::unique_ptr<Arriving> fetch(const at::Tensor& x) const = 0;
};

/// Null where there is none.
const Gpu* gpu();
/// Called once, before anything asks for it.
void provide_gpu(const Gpu* provided);

}  // namespace disco
