// Work that is recorded once and replayed.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kernels/gpu.h"

namespace disco {

/// On a GPU, work is recorded as a CUDA graph the first time that it is asked for with inputs of such shapes, and
/// replayed from then on. Elsewhere, with plain kernels, and where recording fails, it is just done.
class Recordings {
 public:
  /// The results are overwritten by the next run of the same name and shapes.
  std::vector<at::Tensor> run(const std::string& name, const std::vector<at::Tensor>& inputs, const Recordable& work);

  /// The one result of `work`, differentiable by the first input, once and until the next run of the same name and
  /// shapes. What the gradient needs stays in memory from run to run.
  at::Tensor run_with_gradient(const std::string& name, const std::vector<at::Tensor>& inputs, const Recordable& work);

  /// Why work is not recorded, by name.
  const std::map<std::string, std::string>& failures() const { return failures_; }

 private:
  template <class Graph>
  struct Entry {
    std::unique_ptr<Graph> recorded;  ///< Null where recording failed.
    double flops = 0;                 ///< What count_flops() hears of a run.
  };
  template <class Graph>
  using Entries = std::map<std::string, Entry<Graph>>;

  /// What was recorded by the name and for inputs of the shapes, or is now: `record` is given work that counts.
  template <class Graph, class Record>
  const Entry<Graph>& entry(Entries<Graph>& entries, const std::string& name, const std::vector<at::Tensor>& inputs,
                            const Recordable& work, const Record& record);

  Entries<Recorded> entries_;
  Entries<RecordedWithGradient> with_gradient_;
  std::map<std::string, std::string> failures_;
};

}  // namespace disco
