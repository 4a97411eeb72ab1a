// Where a network's weights lie, and so where what it is shown has to lie.
#pragma once

#include <ATen/core/Tensor.h>

namespace disco {

template <typename Network>
at::Device device_of(const Network& network) {
  return network.parameters().begin()->second.device();
}

}  // namespace disco
