// CUDA graphs.
#include <ATen/core/ivalue.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <torch/csrc/autograd/autograd.h>

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

/// The stream is of use again only after the capture's end, which fails as well.
void end_failed_capture(at::cuda::CUDAGraph& graph) {
  try {
    graph.capture_end();
  } catch (const std::exception&) {
    cudaGetLastError();
  }
}

/// Work, and the graph that it becomes.
struct Part {
  at::cuda::CUDAGraph& graph;
  std::function<void()> work;
};

/// Records the parts, one after the other, in the device's shared pool, and counts as one of its users.
class UseOfPool {
 public:
  UseOfPool(at::Device device, const std::function<void()>& trial, const std::vector<Part>& parts)
      : device_(device.index()) {
    constexpr int tries = 2;  // Libraries choose their algorithms and take their scratch memory in the first ones.
    const c10::cuda::CUDAGuard guard(device);
    Shared& shared = Shared::on(device_);
    C10_CUDA_CHECK(cudaStreamSynchronize(c10::cuda::getCurrentCUDAStream()));
    // While the pool grows nothing spare outside of it can be given back.
    c10::cuda::CUDACachingAllocator::emptyCache();
    {
      const c10::cuda::CUDAStreamGuard on_side(shared.stream);
      DrawingFromPool drawing(device_, shared);  // So that the recording finds there what the tries took.
      for (int k = 0; k < tries; ++k) trial();
      C10_CUDA_CHECK(cudaStreamSynchronize(shared.stream));
      drawing.stop();
      for (const Part& part : parts) {
        part.graph.capture_begin(shared.pool, cudaStreamCaptureModeThreadLocal);
        try {
          part.work();
        } catch (...) {
          end_failed_capture(part.graph);
          throw;
        }
        part.graph.capture_end();
      }
    }
    ++shared.users;
    C10_CUDA_CHECK(cudaDeviceSynchronize());
  }
  ~UseOfPool() { --Shared::on(device_).users; }
  UseOfPool(const UseOfPool&) = delete;
  UseOfPool& operator=(const UseOfPool&) = delete;

 private:
  c10::DeviceIndex device_;
};

std::vector<at::Tensor> copies_of(const std::vector<at::Tensor>& examples) {
  std::vector<at::Tensor> copies;
  for (const at::Tensor& example : examples) copies.push_back(example.detach().clone());
  return copies;
}

void overwrite(const std::vector<at::Tensor>& inputs, at::TensorList values) {
  const at::NoGradGuard no_gradient;
  for (std::size_t k = 0; k < inputs.size(); ++k) inputs[k].copy_(values[k]);
}

class RecordedGraph final : public Recorded {
 public:
  RecordedGraph(const std::vector<at::Tensor>& examples, const Recordable& work)
      : inputs_(copies_of(examples)),
        pool_(examples.front().device(), [&] { work(inputs_); }, {{graph_, [&] { results_ = work(inputs_); }}}) {}

  const std::vector<at::Tensor>& replay(at::TensorList inputs) override {
    overwrite(inputs_, inputs);
    graph_.replay();
    return results_;
  }

 private:
  at::cuda::CUDAGraph graph_;
  std::vector<at::Tensor> inputs_, results_;
  UseOfPool pool_;
};

/// The gradient is a graph of its own: between the two, others are replayed. LibTorch's graph of operators stays alive,
/// and with it all that the gradient reads.
class GradientGraphs final : public torch::CustomClassHolder {
 public:
  GradientGraphs(const std::vector<at::Tensor>& examples, const Recordable& work)
      : inputs_(copies_of(examples)),
        pool_(examples.front().device(),
              [&] {
                evaluate(work);
                differentiate();
                first_ = result_ = by_first_ = at::Tensor();  // Their memory is the next ones'.
              },
              {{forward_, [&] { evaluate(work); }}, {backward_, [&] { differentiate(); }}}) {}

  at::Tensor replay(at::TensorList inputs) {
    overwrite(inputs_, inputs);
    forward_.replay();
    ++replays_;
    return result_.detach().clone();
  }
  std::int64_t replays() const { return replays_; }

  /// Of the last replay.
  at::Tensor replay_gradient(const at::Tensor& by_result) {
    overwrite({by_result_}, {by_result});
    backward_.replay();
    return by_first_.clone();
  }

 private:
  void evaluate(const Recordable& work) {
    const at::AutoGradMode with_gradient(true);
    std::vector<at::Tensor> given = inputs_;
    first_ = given[0] = inputs_[0].detach().requires_grad_(true);
    result_ = work(given)[0];
    by_result_ = at::zeros_like(result_);
  }
  void differentiate() {
    by_first_ = torch::autograd::grad({result_}, {first_}, {by_result_}, /*retain_graph=*/true)[0];
  }

  at::cuda::CUDAGraph forward_, backward_;
  std::vector<at::Tensor> inputs_;
  at::Tensor first_, result_, by_result_, by_first_;
  std::int64_t replays_ = 0;
  UseOfPool pool_;
};
using GradientGraphsPtr = c10::intrusive_ptr<GradientGraphs>;

struct Replayed : torch::autograd::Function<Replayed> {
  /// The first input by itself as well: it is the one that a gradient is asked by.
  static at::Tensor forward(AutogradContext* context, const at::Tensor&, const at::TensorList* inputs,
                            const GradientGraphsPtr& graphs) {
    at::Tensor result = graphs->replay(*inputs);
    context->saved_data["graphs"] = c10::IValue::make_capsule(graphs);
    context->saved_data["replay"] = graphs->replays();
    return result;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto graphs = c10::static_intrusive_pointer_cast<GradientGraphs>(context->saved_data["graphs"].toCapsule());
    if (context->saved_data["replay"].toInt() != graphs->replays()) {
      throw Error("a gradient was asked for after its recording had been replayed again");
    }
    return {graphs->replay_gradient(gradients[0]), {}, {}};
  }
};

class RecordedGradient final : public RecordedWithGradient {
 public:
  RecordedGradient(const std::vector<at::Tensor>& examples, const Recordable& work)
      : graphs_(c10::make_intrusive<GradientGraphs>(examples, work)) {}

  at::Tensor replay(at::TensorList inputs) override { return Replayed::apply(inputs[0], &inputs, graphs_); }

 private:
  GradientGraphsPtr graphs_;
};

}  // namespace

std::unique_ptr<Recorded> record(const std::vector<at::Tensor>& examples, const Recordable& work) {
  return std::make_unique<RecordedGraph>(examples, work);
}

std::unique_ptr<RecordedWithGradient> record_with_gradient(const std::vector<at::Tensor>& examples,
                                                           const Recordable& work) {
  return std::make_unique<RecordedGradient>(examples, work);
}

}  // namespace disco::cuda
