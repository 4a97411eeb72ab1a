#include <ATen/cuda/CUDAContext.h>
#include <ATen/cuda/CUDAEvent.h>
#include <c10/cuda/CUDACachingAllocator.h>

#include "cuda/launching.h"
#include "cuda/operators.h"

namespace disco::cuda {
namespace {

class PinnedCopy final : public Arriving {
 public:
  explicit PinnedCopy(const at::Tensor& x)
      : copy_(at::empty(x.sizes(), x.options().device(at::kCPU).pinned_memory(true))) {
    const c10::cuda::CUDAGuard guard(x.device());
    copy_.copy_(x, /*non_blocking=*/true);
    done_.record(c10::cuda::getCurrentCUDAStream());
  }
  bool arrived() const override { return done_.query(); }
  const at::Tensor& tensor() override {
    done_.synchronize();
    return copy_;
  }

 private:
  at::Tensor copy_;
  at::cuda::CUDAEvent done_;
};

class NvidiaGpu final : public Gpu {
 public:
  at::Tensor group_norm(const at::Tensor& x, const at::Tensor& gain, const at::Tensor& shift, bool silu,
                        const at::Tensor& before) const override {
    return cuda::group_norm(x, gain, shift, silu, before);
  }
  at::Tensor gate(const at::Tensor& fresh, double steepness) const override { return cuda::gate(fresh, steepness); }
  at::Tensor shifted(const at::Tensor& fresh, const at::Tensor& shift, const at::Tensor& other,
                     bool relu) const override {
    return cuda::shifted(fresh, shift, other, relu);
  }
  at::Tensor doubled(const at::Tensor& x) const override { return cuda::doubled(x); }
  at::Tensor halved(const at::Tensor& x) const override { return cuda::halved(x); }
  at::Tensor repeated(const at::Tensor& x) const override { return cuda::repeated(x); }
  at::Tensor cut_warp(const at::Tensor& cuts, const at::Tensor& noise, double strength, const CutMap& map,
                      CutWarp warp) const override {
    return cuda::cut_warp(cuts, noise, strength, map, warp);
  }
  at::Tensor cut_colours(const at::Tensor& cuts, const at::Tensor& first, const at::Tensor& second, double strength,
                         bool grey, const std::optional<ColourSteps>& steps) const override {
    return cuda::cut_colours(cuts, first, second, strength, grey, steps);
  }
  at::Tensor resized_cuts(const at::Tensor& picture, const std::vector<CutSquare>& squares,
                          std::int64_t size) const override {
    return cuda::resized_cuts(picture, squares, size);
  }
  at::Tensor noise(std::uint64_t seed, std::uint32_t number, at::IntArrayRef sizes, at::Device device) const override {
    return cuda::noise(seed, number, sizes, device);
  }
  std::unique_ptr<Recorded> record(const std::vector<at::Tensor>& examples, const Recordable& work) const override {
    return cuda::record(examples, work);
  }
  std::unique_ptr<RecordedWithGradient> record_with_gradient(const std::vector<at::Tensor>& examples,
                                                             const Recordable& work) const override {
    return cuda::record_with_gradient(examples, work);
  }

  void synchronise(at::Device device) const override {
    const c10::cuda::CUDAGuard guard(device);
    C10_CUDA_CHECK(cudaDeviceSynchronize());
  }

  std::string name(at::Device device) const override { return at::cuda::getDeviceProperties(index_of(device))->name; }

  GpuMemory memory(at::Device device) const override {
    const c10::cuda::CUDAGuard guard(device);
    std::size_t free = 0, total = 0;
    C10_CUDA_CHECK(cudaMemGetInfo(&free, &total));
    const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(index_of(device));
    constexpr auto all = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    return {total, free + static_cast<std::uint64_t>(stats.reserved_bytes[all].current),
            static_cast<std::uint64_t>(stats.reserved_bytes[all].peak)};
  }

  void limit_memory(at::Device device, std::uint64_t bytes) const override {
    const std::uint64_t total = memory(device).total;
    const double share = bytes == 0 || bytes >= total ? 1 : static_cast<double>(bytes) / static_cast<double>(total);
    c10::cuda::CUDACachingAllocator::setMemoryFraction(share, index_of(device));
  }

  std::unique_ptr<Arriving> fetch(const at::Tensor& x) const override { return std::make_unique<PinnedCopy>(x); }

 private:
  static c10::DeviceIndex index_of(at::Device device) {
    at::globalContext().lazyInitDevice(at::kCUDA);
    return device.has_index() ? device.index() : c10::cuda::current_device();
  }
};

/// The library is loaded before anything asks for a GPU.
const bool provided = [] {
  static const NvidiaGpu nvidia;
  provide_gpu(&nvidia);
  return true;
}();

}  // namespace
}  // namespace disco::cuda
