// CUDA graphs.
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>

#include <map>
#include <utility>

#include "cuda/launching.h"
#include "cuda/operators.h"

namespace disco::cuda {
namespace {

/// All graphs draw their memory from one pool and are recorded on one stream, by which a pool's spare blocks are told
/// apart: they are replayed one after the other, so the temporaries of each may lie where those of the others did.
/// Results that are still held are not overwritten. LibTorch gives a pool up with the last graph that uses it, and
/// takes its name for no other: the next graph begins a pool of its own.
struct Shared {
  at::cuda::MempoolId_t pool;
  c10::cuda::CUDAStream stream;
  int users = 0;

  static Shared& on(c10::DeviceIndex device) {
    static std::map<c10::DeviceIndex, Shared> all;
    const auto found = all.try_emplace(device, Shared{{}, c10::cuda::getStreamFromPool(false, device)}).first;
    if (found->second.users == 0) found->second.pool = at::cuda::graph_pool_handle();
    return found->second;
  }
};

/// While it lives, memory asked for on the shared stream comes from the shared pool.
class DrawingFromPool {
 public:
  DrawingFromPool(c10::DeviceIndex device, const Shared& shared) : device_(device), pool_(shared.pool) {
    c10::cuda::CUDACachingAllocator::beginAllocateToPool(
        device_, pool_, [stream = shared.stream.stream()](cudaStream_t asking) { return asking == stream; });
  }
  ~DrawingFromPool() {
    stop();
    c10::cuda::CUDACachingAllocator::releasePool(device_, pool_);
  }
  DrawingFromPool(const DrawingFromPool&) = delete;
  DrawingFromPool& operator=(const DrawingFromPool&) = delete;
  /// The pool stays until this is gone.
  void stop() {
    if (!std::exchange(stopped_, true)) c10::cuda::CUDACachingAllocator::endAllocateToPool(device_, pool_);
  }

 private:
  c10::DeviceIndex device_;
  at::cuda::MempoolId_t pool_;
  bool stopped_ = false;
};

class RecordedGraph final : public Recorded {
 public:
  RecordedGraph(const std::vector<at::Tensor>& examples, const Recordable& work) {
    constexpr int tries = 2;  // Libraries choose their algorithms and take their scratch memory in the first ones.
    const c10::cuda::CUDAGuard guard(examples.front().device());
    device_ = examples.front().device().index();
    Shared& shared = Shared::on(device_);
    for (const at::Tensor& example : examples) inputs_.push_back(example.detach().clone());
    C10_CUDA_CHECK(cudaStreamSynchronize(c10::cuda::getCurrentCUDAStream()));
    // While the pool grows nothing spare outside of it can be given back.
    c10::cuda::CUDACachingAllocator::emptyCache();
    {
      const c10::cuda::CUDAStreamGuard on_side(shared.stream);
      DrawingFromPool drawing(device_, shared);  // So that the recording finds there what the tries took.
      for (int k = 0; k < tries; ++k) work(inputs_);
      C10_CUDA_CHECK(cudaStreamSynchronize(shared.stream));
      drawing.stop();
      graph_.capture_begin(shared.pool, cudaStreamCaptureModeThreadLocal);
      try {
        results_ = work(inputs_);
      } catch (...) {
        end_failed_capture();
        throw;
      }
      graph_.capture_end();
    }
    ++shared.users;
    C10_CUDA_CHECK(cudaDeviceSynchronize());
  }
  ~RecordedGraph() override { --Shared::on(device_).users; }
  RecordedGraph(const RecordedGraph&) = delete;
  RecordedGraph& operator=(const RecordedGraph&) = delete;

  const std::vector<at::Tensor>& replay(at::TensorList inputs) override {
    const at::NoGradGuard no_gradient;
    for (std::size_t k = 0; k < inputs_.size(); ++k) inputs_[k].copy_(inputs[k]);
    graph_.replay();
    return results_;
  }

 private:
  /// The stream is of use again only after the capture's end, which fails as well.
  void end_failed_capture() {
    try {
      graph_.capture_end();
    } catch (const std::exception&) {
      cudaGetLastError();
    }
  }

  c10::DeviceIndex device_ = 0;
  at::cuda::CUDAGraph graph_;
  std::vector<at::Tensor> inputs_, results_;
};

}  // namespace

std::unique_ptr<Recorded> record(const std::vector<at::Tensor>& examples, const Recordable& work) {
  return std::make_unique<RecordedGraph>(examples, work);
}

}  // namespace disco::cuda
