#include "models/parameters.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "core/error.h"
#include "core/hash.h"

namespace disco {
namespace {

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

std::int64_t fan_in(const TensorInfo& info, const std::string& leaf) {
  // The projections of CLIP multiply from the right.
  if (leaf == "proj" || leaf == "text_projection") return info.shape[0];
  std::int64_t fan = 1;
  for (std::size_t i = 1; i < info.shape.size(); ++i) fan *= info.shape[i];
  return fan;
}

void fill(at::Tensor& tensor, const TensorInfo& info, std::uint64_t seed) {
  const std::string leaf = info.name.substr(info.name.rfind('.') + 1);
  if (!at::isFloatingType(info.dtype)) {
    tensor.zero_();
  } else if (leaf == "logit_scale") {
    tensor.fill_(std::log(100.0));
  } else if (contains(info.name, "scaling_layer.") || leaf == "running_var") {
    tensor.fill_(1);
  } else if (leaf == "running_mean") {
    tensor.zero_();
  } else if (contains(info.name, "positional_embedding") || contains(info.name, "token_embedding") ||
             leaf == "class_embedding") {
    tensor.uniform_(-.1, .1, tensor_generator(seed, info.name));
  } else if (info.shape.size() <= 1) {
    tensor.fill_(leaf == "weight" ? 1 : 0);
  } else {
    double bound = std::sqrt(3.0 / static_cast<double>(fan_in(info, leaf)));
    if (info.name == "out.2.weight") bound *= .1;
    // LPIPS's heads weigh squared differences, so they are positive.
    const bool head = info.name.starts_with("lin") && contains(info.name, ".model.1.weight");
    tensor.uniform_(head ? 0 : -bound, bound, tensor_generator(seed, info.name));
  }
}

}  // namespace

StateDict to_dtype(const StateDict& tensors, at::ScalarType type) {
  StateDict result;
  for (const auto& [name, tensor] : tensors) {
    result.emplace(name, tensor.is_floating_point() ? tensor.to(type) : tensor);
  }
  return result;
}

StateDict moved(const StateDict& tensors, at::Device device) {
  StateDict result;
  for (const auto& [name, tensor] : tensors) {
    result.emplace(name, tensor.device() == device ? tensor : tensor.to(device, /*non_blocking=*/true));
  }
  return result;
}

void require_tensors(const StateDict& tensors, std::span<const TensorInfo> manifest, const std::string& network) {
  std::size_t missing = 0;
  std::string first;
  for (const TensorInfo& info : manifest) {
    const auto found = tensors.find(info.name);
    if (found == tensors.end()) {
      if (missing++ == 0) first = info.name;
    } else if (found->second.sizes() != at::IntArrayRef(info.shape)) {
      throw FormatError(fmt::format("tensor {} has shape {}, expected {}", info.name, shape_text(found->second.sizes()),
                                    shape_text(info.shape)),
                        network, "check that the configuration belongs to this file");
    }
  }
  if (missing == 0) return;
  throw FormatError(missing == 1 ? fmt::format("tensor {} is missing", first)
                                 : fmt::format("{} tensors are missing, the first of them {}", missing, first),
                    network, "check that the file is whole and the configuration belongs to it");
}

std::int64_t size_of(const StateDict& tensors, const std::string& name, std::size_t axis, const std::string& network) {
  const auto found = tensors.find(name);
  if (found == tensors.end() || axis >= static_cast<std::size_t>(found->second.dim())) {
    throw FormatError(fmt::format("tensor {} is missing or has too few dimensions", name), network,
                      fmt::format("check that the file holds a {}", network));
  }
  return found->second.size(static_cast<std::int64_t>(axis));
}

at::Generator tensor_generator(std::uint64_t seed, const std::string& name) {
  return at::make_generator<at::CPUGeneratorImpl>(splitmix64(seed ^ static_cast<std::uint64_t>(crc32(name)) << 32));
}

StateDict random_weights(const std::vector<TensorInfo>& manifest, std::uint64_t seed) {
  StateDict result;
  for (const TensorInfo& info : manifest) {
    at::Tensor tensor = at::empty(info.shape, info.dtype);
    fill(tensor, info, seed);
    result.emplace(info.name, std::move(tensor));
  }
  return result;
}

std::string shape_text(at::IntArrayRef shape) { return fmt::format("({})", fmt::join(shape, ", ")); }

}  // namespace disco
