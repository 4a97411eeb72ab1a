// What the operators share: where kernels are launched, and how tensors are handed to them.
#pragma once

#include <ATen/ATen.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_fp16.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/error.h"

namespace disco::cuda {

inline cudaStream_t stream_of(const at::Tensor& x) { return c10::cuda::getCurrentCUDAStream(x.device().index()); }

/// Throws where the launch before failed.
inline void check_launch() { C10_CUDA_CHECK(cudaGetLastError()); }

inline at::Tensor innermost(const at::Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

template <typename T>
const T* values_of(const at::Tensor& x) {
  return static_cast<const T*>(x.const_data_ptr());
}
template <typename T>
T* room_in(const at::Tensor& x) {
  return static_cast<T*>(x.mutable_data_ptr());
}

/// Calls work(value of the tensor's type: float or __half).
template <typename Work>
void by_type(const at::Tensor& x, const Work& work) {
  if (x.scalar_type() == at::kFloat) {
    work(float{});
  } else if (x.scalar_type() == at::kHalf) {
    work(__half{});
  } else {
    throw Error("a GPU kernel was given numbers that are neither float32 nor half");
  }
}

inline at::Tensor floats(at::IntArrayRef sizes, const at::Tensor& beside) {
  return at::empty(sizes, beside.options().dtype(at::kFloat).memory_format(std::nullopt));
}

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

}  // namespace disco::cuda
