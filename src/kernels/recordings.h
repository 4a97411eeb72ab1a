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

  /// Why work is not recorded, by name.
  const std::map<std::string, std::string>& failures() const { return failures_; }

 private:
  struct Entry {
    std::unique_ptr<Recorded> recorded;  ///< Null where recording failed.
    double flops = 0;                    ///< What count_flops() hears of a run.
  };
  Entry record(const std::string& name, const std::vector<at::Tensor>& inputs, const Recordable& work);

  std::map<std::string, Entry> entries_;
  std::map<std::string, std::string> failures_;
};

}  // namespace disco
