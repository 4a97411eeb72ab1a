#include "guidance/noise.h"

#include <ATen/ATen.h>

#include "kernels/gpu.h"
#include "tensor/philox.h"

namespace disco {

at::Tensor draw_noise(RandomStream& stream, std::uint32_t number, at::IntArrayRef sizes, at::Device device,
                      bool faithful) {
  if (!faithful && device.is_cuda() && gpu()) return gpu()->noise(stream.seed(), number, sizes, device);
  return stream.randn(sizes).to(device);
}

at::Tensor counter_noise(std::uint64_t seed, std::uint32_t number, at::IntArrayRef sizes) {
  at::Tensor values = at::empty(sizes, at::kFloat);
  float* to = values.mutable_data_ptr<float>();
  const std::int64_t count = values.numel();
  for (std::int64_t block = 0; 4 * block < count; ++block) {
    const FourNormals four = noise_block(seed, number, static_cast<std::uint64_t>(block));
    for (std::int64_t k = 0; k < 4 && 4 * block + k < count; ++k) to[4 * block + k] = four.value[k];
  }
  return values;
}

}  // namespace disco
