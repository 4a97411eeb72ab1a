#include "models/upscaler.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>

#include "core/error.h"
#include "models/layers.h"
#include "models/parameters.h"

namespace disco {
namespace {

constexpr const char* network = "upscaler";
/// Channels after the pixel shuffle, which the last convolution turns into colours.
constexpr std::int64_t fine_width = 16;
constexpr std::int64_t least_factor = 2, largest_factor = 8;

}  // namespace

struct Upscaler::Layers {
  struct Block {
    Affine first, second;
  };
  Affine head, trunk, up, tail;
  std::vector<Block> blocks;
};

UpscalerConfig Upscaler::recognise(const StateDict& tensors) {
  UpscalerConfig config;
  config.width = size_of(tensors, "head.weight", 0, network);
  config.blocks = 0;
  while (tensors.contains(fmt::format("body.{}.0.weight", config.blocks))) ++config.blocks;
  const std::int64_t shuffled = size_of(tensors, "up.weight", 0, network);
  config.factor = std::llround(std::sqrt(static_cast<double>(shuffled) / fine_width));
  if (config.factor * config.factor * fine_width != shuffled || config.factor < least_factor ||
      config.factor > largest_factor) {
    throw FormatError(fmt::format("up.weight has {} channels, which belong to no factor from {} to {}", shuffled,
                                  least_factor, largest_factor),
                      network, "check that the file holds an upscaler of this program");
  }
  return config;
}

std::vector<TensorInfo> Upscaler::manifest(const UpscalerConfig& config) {
  std::vector<TensorInfo> manifest;
  const auto layer = [&](const std::string& name, std::int64_t out, std::int64_t in) {
    manifest.push_back({name + ".weight", at::kFloat, {out, in, 3, 3}});
    manifest.push_back({name + ".bias", at::kFloat, {out}});
  };
  layer("head", config.width, 3);
  for (std::int64_t i = 0; i < config.blocks; ++i) {
    layer(fmt::format("body.{}.0", i), config.width, config.width);
    layer(fmt::format("body.{}.1", i), config.width, config.width);
  }
  layer("trunk", config.width, config.width);
  layer("up", fine_width * config.factor * config.factor, config.width);
  layer("tail", 3, fine_width);
  return manifest;
}

Upscaler::Upscaler(StateDict tensors) : config_(recognise(tensors)), tensors_(std::move(tensors)) {
  require_tensors(tensors_, manifest(config_), network);
  auto layers = std::make_shared<Layers>();
  layers->head = affine(tensors_, "head");
  for (std::int64_t i = 0; i < config_.blocks; ++i) {
    layers->blocks.push_back(
        {affine(tensors_, fmt::format("body.{}.0", i)), affine(tensors_, fmt::format("body.{}.1", i))});
  }
  layers->trunk = affine(tensors_, "trunk");
  layers->up = affine(tensors_, "up");
  layers->tail = affine(tensors_, "tail");
  layers_ = std::move(layers);
}

at::Tensor Upscaler::forward(const at::Tensor& x) const {
  if (x.dim() != 4 || x.size(1) != 3 || x.numel() == 0) {
    throw Error(fmt::format("its input is {}, expected (N, 3, H, W)", shape_text(x.sizes())), network);
  }
  const at::Tensor first = convolution(x.to(layers_->head.weight.scalar_type()), layers_->head, 1, 1);
  at::Tensor h = first;
  for (const Layers::Block& block : layers_->blocks) {
    h = add_to(convolution(apply_relu(convolution(h, block.first, 1, 1)), block.second, 1, 1), h);
  }
  h = add_to(convolution(h, layers_->trunk, 1, 1), first);
  h = apply_relu(at::pixel_shuffle(convolution(h, layers_->up, 1, 1), config_.factor));
  return bicubic(x, config_.factor) + convolution(h, layers_->tail, 1, 1).to(x.scalar_type());
}

at::Tensor Upscaler::bicubic(const at::Tensor& x, std::int64_t factor) {
  return at::upsample_bicubic2d(x, {x.size(2) * factor, x.size(3) * factor}, /*align_corners=*/false);
}

StateDict initial_upscaler(const UpscalerConfig& config, std::uint64_t seed) {
  StateDict result;
  for (const TensorInfo& info : Upscaler::manifest(config)) {
    at::Tensor tensor = at::zeros(info.shape);
    if (info.shape.size() > 1 && info.name != "tail.weight") {
      const double bound = 1 / std::sqrt(static_cast<double>(tensor[0].numel()));
      tensor.uniform_(-bound, bound, tensor_generator(seed, info.name));
    }
    result.emplace(info.name, std::move(tensor));
  }
  return result;
}

}  // namespace disco
