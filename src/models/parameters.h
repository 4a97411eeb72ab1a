// What every network does with named tensors: check them, convert them, draw them at random.
#pragma once

#include <ATen/core/Generator.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "models/weights/state_dict.h"

namespace disco {

/// The floating-point tensors in another type; integers, and tensors that have the type already, are shared.
StateDict to_dtype(const StateDict& tensors, at::ScalarType type);

/// The tensors on a device, those that lie there shared. From pinned memory they are copied while the processor goes
/// on.
StateDict moved(const StateDict& tensors, at::Device device);

/// Throws FormatError when a tensor of the manifest is missing or has another shape. `network` begins the message
/// ("diffusion UNet").
void require_tensors(const StateDict& tensors, std::span<const TensorInfo> manifest, const std::string& network);

/// The size of a tensor's axis. Throws FormatError when there is no such tensor or axis.
std::int64_t size_of(const StateDict& tensors, const std::string& name, std::size_t axis, const std::string& network);

/// A stream of its own for each tensor, so that a tensor's numbers depend on the seed and its name alone.
at::Generator tensor_generator(std::uint64_t seed, const std::string& name);

/// Weights for measurements on real shapes, in the manifest's dtypes: layers keep the variance of their input (uniform,
/// a variance of 1/fan-in), norms are the identity, the UNet's output layer and embeddings are small. Activations stay
/// finite, in half precision too. Each tensor is drawn in place, so the peak is the weights themselves.
StateDict random_weights(const std::vector<TensorInfo>& manifest, std::uint64_t seed);

/// "(64, 3, 3, 3)".
std::string shape_text(at::IntArrayRef shape);

}  // namespace disco
