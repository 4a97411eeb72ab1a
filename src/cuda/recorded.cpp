// CUDA graphs.
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>

#include "cuda/launching.h"
#include "cuda/operators.h"

namespace disco::cuda {
namespace {

/// All graphs draw their memory from one pool: they are replayed one after the other, on one stream, so the temporaries
/// of each may lie where those of the others did. Results that are still held are not overwritten. LibTorch gives a
/// pool up with the last graph that uses it, and takes its name for no other: the next graph begins a pool of its own.
class SharedPool {
 public:
  static at::cuda::MempoolId_t id() {
    static at::cuda::MempoolId_t pool;
    if (users() == 0) pool = at::cuda::graph_pool_handle();
    return pool;
  }
  static int& users() {
    static int count = 0;
    return count;
  }
};

class RecordedGraph final : public Recorded {
 public:
  RecordedGraph(const std::vector<at::Tensor>& examples, const Recordable& work) {
    constexpr int tries = 2;  // Libraries choose their algorithms and take their scratch memory in the first ones.
    const c10::cuda::CUDAGuard guard(examples.front().device());
    for (const at::Tensor& example : examples) inputs_.push_back(example.detach().clone());
    const c10::cuda::CUDAStream before = c10::cuda::getCurrentCUDAStream();
    const c10::cuda::CUDAStream side = c10::cuda::getStreamFromPool();
    C10_CUDA_CHECK(cudaStreamSynchronize(before));
    {
      const c10::cuda::CUDAStreamGuard on_side(side);
      for (int k = 0; k < tries; ++k) work(inputs_);
      C10_CUDA_CHECK(cudaStreamSynchronize(side));
      // What the tries took lies on a stream that is used for nothing else, and the recording takes as much again.
      c10::cuda::CUDACachingAllocator::emptyCache();
      graph_.capture_begin(SharedPool::id(), cudaStreamCaptureModeThreadLocal);
      try {
        results_ = work(inputs_);
      } catch (...) {
        end_failed_capture();
        throw;
      }
      graph_.capture_end();
      ++SharedPool::users();
    }
    C10_CUDA_CHECK(cudaDeviceSynchronize());
  }
  ~RecordedGraph() override { --SharedPool::users(); }
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

  at::cuda::CUDAGraph graph_;
  std::vector<at::Tensor> inputs_, results_;
};

}  // namespace

std::unique_ptr<Recorded> record(const std::vector<at::Tensor>& examples, const Recordable& work) {
  return std::make_unique<RecordedGraph>(examples, work);
}

}  // namespace disco::cuda
