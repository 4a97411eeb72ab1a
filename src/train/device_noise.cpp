#include "train/device_noise.h"

#include <ATen/ATen.h>

#include <limits>

namespace disco {

at::Tensor noise_on(at::Device device, at::IntArrayRef sizes, RandomStream& draws) {
  if (device.is_cpu()) return draws.randn(sizes);
  const auto seed = static_cast<std::uint64_t>(draws.randint(0, std::numeric_limits<std::int64_t>::max()));
  at::Generator generator =
      at::globalContext().getAcceleratorHooksInterface(device.type()).getNewGenerator(device.index());
  generator.set_current_seed(seed);
  return at::randn(sizes, generator, at::TensorOptions().dtype(at::kFloat).device(device));
}

}  // namespace disco
