// Weights as data: named tensors from files, read without running anything from them.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace disco {

/// CPU tensors by name. Tensors read from a file are views of its memory map (kept alive by them), never to be written.
using StateDict = std::map<std::string, at::Tensor>;

struct TensorInfo {
  std::string name;
  at::ScalarType dtype;
  std::vector<std::int64_t> shape;
};

struct WeightsInfo {
  std::string format;  ///< "safetensors", "pytorch-zip", "pytorch-legacy", "torchscript".
  std::vector<TensorInfo> tensors;
  std::map<std::string, std::string> metadata;
};

/// Formats are recognised by content: safetensors, PyTorch's zip and legacy formats, TorchScript archives. Nested
/// dictionaries ("state_dict", "model", "params_ema", …) are unwrapped and a common "module." prefix is removed.
/// Anything in a pickle that is not a tensor, a plain value or a known container is refused. Throws FormatError that
/// names the file, the offset or entry, and what is wrong; allocations never exceed a small multiple of the file's
/// size.
StateDict load_weights(const std::filesystem::path& path);
WeightsInfo inspect_weights(const std::filesystem::path& path);

/// Written whole or not at all; names in order, data aligned to 64 bytes.
void save_safetensors(const std::filesystem::path& path, const StateDict& tensors,
                      const std::map<std::string, std::string>& metadata = {});

}  // namespace disco
