#include "models/half_storage.h"

#include <ATen/ATen.h>

namespace disco {
namespace {

constexpr std::int64_t least_values = 1 << 16;

bool is_in_a_block(const std::string& role, const std::string& name) {
  if (role == "clip") return name.find(".resblocks.") != std::string::npos;
  if (role != "diffusion") return false;
  return name.starts_with("input_blocks.") || name.starts_with("middle_block.") || name.starts_with("output_blocks.");
}

}  // namespace

bool may_be_half(const std::string& role, const TensorInfo& tensor) {
  std::int64_t values = 1;
  for (const std::int64_t side : tensor.shape) values *= side;
  return tensor.shape.size() >= 2 && values >= least_values && is_in_a_block(role, tensor.name);
}

at::Tensor to_half(const at::Tensor& tensor) {
  at::Tensor half = tensor.to(at::kHalf);
  return at::isfinite(half).all().item<bool>() ? half : tensor;
}

}  // namespace disco
