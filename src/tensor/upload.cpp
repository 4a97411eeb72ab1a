#include "tensor/upload.h"

#include <ATen/ATen.h>

namespace disco {

at::Tensor upload(const at::Tensor& host, at::Device device) {
  if (!device.is_cuda()) return host.to(device);
  return host.pin_memory().to(device, /*non_blocking=*/true);
}

}  // namespace disco
