// Noise that is drawn where it is used.
#pragma once

#include <ATen/core/Tensor.h>

#include "tensor/random.h"

namespace disco {

/// N(0,1), float32, on `device`. On the CPU the next numbers of `draws`; elsewhere those of the device's own generator,
/// seeded by the next number of `draws`: the same on the same device, others than on the CPU.
at::Tensor noise_on(at::Device device, at::IntArrayRef sizes, RandomStream& draws);

}  // namespace disco
