// Small numbers on their way to the device that computes.
#pragma once

#include <ATen/core/Tensor.h>

namespace disco {

/// A tensor of the processor on `device`: to a GPU by way of pinned memory, so that nothing waits.
at::Tensor upload(const at::Tensor& host, at::Device device);

}  // namespace disco
