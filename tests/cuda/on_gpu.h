// What the tests on a GPU share. Without a GPU, or in a build without CUDA, they are skipped.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "kernels/gpu.h"
#include "support/golden.h"

namespace disco {

class OnGpu : public testing::Test {
 protected:
  void SetUp() override {
    if (gpu() == nullptr) GTEST_SKIP() << "no GPU, or a build without CUDA";
    at::globalContext().setAllowTF32CuDNN(false);
    at::globalContext().setDeterministicCuDNN(true);
    at::manual_seed(11);
  }
};

inline at::Tensor to_gpu(const at::Tensor& x) { return x.detach().to(at::Device(at::kCUDA, 0)); }

inline at::Tensor gradient_by(const at::Tensor& y, const at::Tensor& x, const at::Tensor& by) {
  return torch::autograd::grad({y}, {x}, {by})[0];
}

/// As golden::relative_error(), wherever the two lie.
inline double apart(const at::Tensor& actual, const at::Tensor& expected) {
  return golden::relative_error(actual.detach().cpu(), expected.detach().cpu());
}

/// How far the GPU may be from the processor's float64 or float32, by the precision it computes in.
constexpr double float_error = 1e-4, half_error = 1e-2;

inline double allowed(at::ScalarType type) { return type == at::kHalf ? half_error : float_error; }

}  // namespace disco
