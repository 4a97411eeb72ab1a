#include "kernels/gpu.h"

#include <ATen/Context.h>

namespace disco {
namespace {

const Gpu*& provided_gpu() {
  static const Gpu* provided = nullptr;
  return provided;
}

}  // namespace

void provide_gpu(const Gpu* provided) { provided_gpu() = provided; }

const Gpu* gpu() {
  static const bool there = at::hasCUDA();
  return there ? provided_gpu() : nullptr;
}

}  // namespace disco
