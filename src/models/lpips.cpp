#include "models/lpips.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <array>
#include <utility>

#include "core/error.h"
#include "models/layers.h"
#include "models/parameters.h"

namespace disco {
namespace {

constexpr const char* network = "LPIPS model";
/// Added to the norms, as the original does.
constexpr double norm_epsilon = 1e-10;

struct Slice {
  std::int64_t width;
  std::vector<int> layers;  ///< Places of the convolutions in torchvision's VGG-16.
};

const std::array<Slice, 5>& slices() {
  static const std::array<Slice, 5> table = {
      {{64, {0, 2}}, {128, {5, 7}}, {256, {10, 12, 14}}, {512, {17, 19, 21}}, {512, {24, 26, 28}}}};
  return table;
}

std::string layer_name(std::size_t slice, int layer) { return fmt::format("net.slice{}.{}", slice + 1, layer); }
std::string head_name(std::size_t slice) { return fmt::format("lin{}.model.1.weight", slice); }

/// The package's names for torchvision's backbone and for the heads' other spelling, and its scaling.
StateDict with_package_names(StateDict tensors) {
  const auto rename = [&](const std::string& from, const std::string& to) {
    if (auto node = tensors.extract(from)) {
      node.key() = to;
      tensors.insert(std::move(node));
    }
  };
  for (std::size_t i = 0; i < slices().size(); ++i) {
    for (const int layer : slices()[i].layers) {
      for (const char* part : {".weight", ".bias"}) {
        rename(fmt::format("features.{}{}", layer, part), layer_name(i, layer) + part);
      }
    }
    rename(fmt::format("lins.{}.model.1.weight", i), head_name(i));
  }
  tensors.emplace("scaling_layer.shift", at::tensor({-.030, -.088, -.188}, at::kFloat).view({1, 3, 1, 1}));
  tensors.emplace("scaling_layer.scale", at::tensor({.458, .448, .450}, at::kFloat).view({1, 3, 1, 1}));
  return tensors;
}

/// Unit length over the channels. The floor under the root only keeps its gradient finite where every channel is zero.
at::Tensor unit_length(const at::Tensor& h) {
  const at::Tensor wide = h.to(at::promote_types(h.scalar_type(), at::kFloat));
  const at::Tensor squares = wide.square().sum(1, true).clamp_min(1e-30);
  return wide / (squares.sqrt() + norm_epsilon);
}

}  // namespace

struct Lpips::Layers {
  at::Tensor shift, scale;
  std::array<std::vector<Affine>, 5> slices;
  std::array<at::Tensor, 5> heads;
};

std::vector<TensorInfo> Lpips::manifest() {
  std::vector<TensorInfo> manifest = {{"scaling_layer.shift", at::kFloat, {1, 3, 1, 1}},
                                      {"scaling_layer.scale", at::kFloat, {1, 3, 1, 1}}};
  std::int64_t in = 3;
  for (std::size_t i = 0; i < slices().size(); ++i) {
    for (const int layer : slices()[i].layers) {
      manifest.push_back({layer_name(i, layer) + ".weight", at::kFloat, {slices()[i].width, in, 3, 3}});
      manifest.push_back({layer_name(i, layer) + ".bias", at::kFloat, {slices()[i].width}});
      in = slices()[i].width;
    }
    manifest.push_back({head_name(i), at::kFloat, {1, slices()[i].width, 1, 1}});
  }
  return manifest;
}

Lpips::Lpips(StateDict tensors) {
  tensors = with_package_names(std::move(tensors));
  require_tensors(tensors, manifest(), network);
  auto layers = std::make_shared<Layers>();
  const at::Device device = tensors.at(head_name(0)).device();
  layers->shift = tensors.at("scaling_layer.shift").to(device);
  layers->scale = tensors.at("scaling_layer.scale").to(device);
  for (std::size_t i = 0; i < slices().size(); ++i) {
    for (const int layer : slices()[i].layers) layers->slices[i].push_back(affine(tensors, layer_name(i, layer)));
    layers->heads[i] = tensors.at(head_name(i));
  }
  layers_ = std::move(layers);
}

Lpips::Features Lpips::features(const at::Tensor& x) const {
  if (x.dim() != 4 || x.size(1) != 3 || x.size(2) < 16 || x.size(3) < 16) {
    throw Error(fmt::format("its input is {}, expected (N, 3, H, W) with sides of 16 or more", shape_text(x.sizes())),
                network);
  }
  at::Tensor h = ((x - layers_->shift) / layers_->scale).to(layers_->heads[0].scalar_type());
  Features result;
  for (const std::vector<Affine>& slice : layers_->slices) {
    if (!result.empty()) h = at::max_pool2d(h, 2);
    for (const Affine& layer : slice) h = apply_relu(direct_convolution(h, layer, 1, 1));
    result.push_back(unit_length(h));
  }
  return result;
}

at::Tensor Lpips::distance(const Features& x, const Features& z) const {
  at::Tensor sum;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const at::Tensor head = layers_->heads[i].to(x[i].scalar_type());
    const at::Tensor part = at::conv2d((x[i] - z[i]).square(), head).mean({1, 2, 3});
    sum = sum.defined() ? sum + part : part;
  }
  return sum;
}

at::Tensor Lpips::distance(const at::Tensor& x, const at::Tensor& z) const {
  return distance(features(x), features(z));
}

}  // namespace disco
