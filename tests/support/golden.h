// The reference's numbers, and its test weights, which are functions of their names (tests/golden/README.md).
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/hash.h"

namespace disco::golden {

inline fs::path folder() { return fs::path(DISCO_SOURCE_DIR) / "tests" / "golden"; }

inline nlohmann::json json(const std::string& name) { return nlohmann::json::parse(read_file(folder() / name)); }

/// A safetensors file, read by a reader of the tests' own, so that the program's reader is not its own judge.
inline std::map<std::string, at::Tensor> tensors(const std::string& name) {
  const std::string bytes = read_file(folder() / name);
  std::uint64_t header_size = 0;
  std::memcpy(&header_size, bytes.data(), 8);
  const auto header = nlohmann::json::parse(bytes.substr(8, header_size));
  const std::map<std::string, at::ScalarType> types = {
      {"F32", at::kFloat}, {"F16", at::kHalf}, {"BF16", at::kBFloat16}, {"F64", at::kDouble},
      {"I64", at::kLong},  {"I32", at::kInt},  {"U8", at::kByte},       {"BOOL", at::kBool}};
  std::map<std::string, at::Tensor> result;
  for (const auto& [key, entry] : header.items()) {
    if (key == "__metadata__") continue;
    const auto shape = entry["shape"].get<std::vector<std::int64_t>>();
    at::Tensor tensor = at::empty(shape, types.at(entry["dtype"].get<std::string>()));
    std::memcpy(tensor.data_ptr(), bytes.data() + 8 + header_size + entry["data_offsets"][0].get<std::size_t>(),
                static_cast<std::size_t>(tensor.nbytes()));
    result[key] = tensor;
  }
  return result;
}

/// unit(name, shape) of refweights.py: uniform, mean 0, variance 1, a function of the name alone.
inline at::Tensor unit(const std::string& name, const std::vector<std::int64_t>& shape) {
  at::Tensor tensor = at::empty(shape, at::kFloat);
  const std::uint64_t base = static_cast<std::uint64_t>(crc32(name)) << 32;
  float* out = tensor.data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    const double u = static_cast<double>(splitmix64(base + static_cast<std::uint64_t>(i)) >> 40) / (1 << 24);
    out[i] = static_cast<float>((2 * u - 1) * std::sqrt(3.0));
  }
  return tensor;
}

/// weight(name, shape) of refweights.py: `name` is NET.TENSOR, for example unet.adm256.time_embed.0.weight.
inline at::Tensor weight(const std::string& name, const std::vector<std::int64_t>& shape) {
  const at::Tensor n = unit(name, shape);
  const std::string leaf = name.substr(name.rfind('.') + 1);
  const auto contains = [&](const char* part) { return name.find(part) != std::string::npos; };
  if (leaf == "num_batches_tracked") return at::zeros(shape, at::kLong);
  if (name == "lpips.scaling_layer.shift") return at::tensor({-.030f, -.088f, -.188f}).reshape({1, 3, 1, 1});
  if (name == "lpips.scaling_layer.scale") return at::tensor({.458f, .448f, .450f}).reshape({1, 3, 1, 1});
  if (leaf == "running_var") return 1 + n.abs() * .1f;
  if (leaf == "running_mean") return n * .05f;
  if (leaf == "logit_scale") return at::full(shape, 4.6052f);
  if (contains("positional_embedding") || contains("token_embedding") || leaf == "class_embedding") return n * .1f;
  if (name == "secondary.timestep_embed.weight") return n;
  if (shape.size() <= 1) return leaf == "weight" ? 1 + n * .1f : n * .05f;
  std::int64_t fan = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) fan *= shape[i];
  if (leaf == "proj" || leaf == "text_projection") fan = shape[0];
  at::Tensor w = n / std::sqrt(static_cast<float>(fan));
  if (name.starts_with("lpips.lin")) w = w.abs();
  if (name.starts_with("unet.") && contains(".out.2.")) w = w * .1f;
  return w;
}

/// The small test network NET ("unet.adm256", "clip.vit32", "lpips", …), as make_models.py writes it.
inline std::map<std::string, at::Tensor> network(const std::string& net) {
  std::map<std::string, at::Tensor> result;
  const nlohmann::json manifest = json("manifests/small." + net + ".json");
  for (const auto& [key, shape] : manifest["tensors"].items()) {
    if (key == "attn_mask") continue;
    const bool head = net == "lpips" && key.starts_with("lin");
    const std::string source = head ? "lpips.lins." + key.substr(3, 1) + key.substr(4) : net + "." + key;
    result[key] = weight(source, shape.get<std::vector<std::int64_t>>());
  }
  return result;
}

/// Largest difference, relative to the largest expected value.
inline double relative_error(const at::Tensor& actual, const at::Tensor& expected) {
  EXPECT_EQ(actual.sizes(), expected.sizes());
  if (actual.sizes() != expected.sizes()) return INFINITY;
  const at::Tensor a = actual.detach().to(at::kDouble), e = expected.to(at::kDouble);
  const double scale = e.abs().max().item<double>();
  return (a - e).abs().max().item<double>() / (scale > 0 ? scale : 1);
}

}  // namespace disco::golden
