#include "models/secondary.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <numbers>
#include <string>

#include "core/error.h"
#include "models/layers.h"
#include "models/parameters.h"

namespace disco {
namespace {

constexpr const char* network = "secondary model";
constexpr std::int64_t fourier_planes = 16;

struct Shape {
  std::string name;
  std::int64_t in, out;
};

struct LevelShape {
  std::vector<Shape> down, up;  ///< Convolutions before the next level, and after it; the deepest has none after.
};

/// Channels double at every second level; the names follow the nesting of the original's skip blocks.
std::array<LevelShape, 6> level_shapes(std::int64_t width) {
  const std::array<std::int64_t, 6> widths = {width, 2 * width, 2 * width, 4 * width, 4 * width, 8 * width};
  std::array<LevelShape, 6> levels;
  levels[0].down = {{"net.0.0", 3 + fourier_planes, width}, {"net.1.0", width, width}};
  levels[0].up = {{"net.3.0", 2 * width, width}, {"net.4", width, 3}};
  std::string prefix = "net.2.main.";
  for (std::size_t i = 1; i < levels.size(); ++i) {
    const std::int64_t outer = widths[i - 1], own = widths[i];
    levels[i].down = {{prefix + "1.0", outer, own}, {prefix + "2.0", own, own}};
    if (i + 1 < levels.size()) {
      levels[i].up = {{prefix + "4.0", 2 * own, own}, {prefix + "5.0", own, outer}};
    } else {
      levels[i].down.push_back({prefix + "3.0", own, own});
      levels[i].down.push_back({prefix + "4.0", own, outer});
    }
    prefix += "3.main.";
  }
  return levels;
}

/// (N,1,1,1) for products with pictures.
at::Tensor per_picture(const at::Tensor& t) { return t.view({-1, 1, 1, 1}); }

}  // namespace

struct SecondaryModel::Level {
  std::vector<Affine> down, up;
};

std::vector<TensorInfo> SecondaryModel::manifest(std::int64_t width) {
  std::vector<TensorInfo> manifest = {{"timestep_embed.weight", at::kFloat, {fourier_planes / 2, 1}}};
  for (const LevelShape& level : level_shapes(width)) {
    for (const auto* shapes : {&level.down, &level.up}) {
      for (const Shape& shape : *shapes) {
        manifest.push_back({shape.name + ".weight", at::kFloat, {shape.out, shape.in, 3, 3}});
        manifest.push_back({shape.name + ".bias", at::kFloat, {shape.out}});
      }
    }
  }
  return manifest;
}

SecondaryModel::SecondaryModel(StateDict tensors) : tensors_(std::move(tensors)) {
  const std::int64_t width = size_of(tensors_, "net.0.0.weight", 0, network);
  require_tensors(tensors_, manifest(width), network);
  auto levels = std::make_shared<std::vector<Level>>();
  for (const LevelShape& shapes : level_shapes(width)) {
    Level& level = levels->emplace_back();
    for (const Shape& shape : shapes.down) level.down.push_back(affine(tensors_, shape.name));
    for (const Shape& shape : shapes.up) level.up.push_back(affine(tensors_, shape.name));
  }
  levels_ = std::move(levels);
}

at::Tensor SecondaryModel::predict_v(const at::Tensor& x, const at::Tensor& t) const {
  const std::vector<Level>& levels = *levels_;
  const at::Tensor angles = 2 * std::numbers::pi * t.to(at::kFloat).unsqueeze(1) *
                            tensors_.at("timestep_embed.weight").to(at::kFloat).flatten().unsqueeze(0);
  const at::Tensor planes = at::cat({angles.cos(), angles.sin()}, 1).unsqueeze(-1).unsqueeze(-1);
  const at::ScalarType type = levels[0].down[0].weight.scalar_type();
  at::Tensor h = at::cat({x.to(type), planes.to(type).expand({x.size(0), fourier_planes, x.size(2), x.size(3)})}, 1);
  h = h.contiguous(at::MemoryFormat::ChannelsLast);

  std::vector<at::Tensor> skips;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    if (i > 0) h = halved(h);
    for (const Affine& layer : levels[i].down) h = convolution(h, layer, 1, 1, {.relu = true});
    if (i + 1 < levels.size()) skips.push_back(h);
  }
  for (std::size_t i = levels.size() - 1; i-- > 0;) {
    h = joined(doubled(h), skips[i]);
    skips.pop_back();
    h = convolution(h, levels[i].up[0], 1, 1, {.relu = true});
    h = convolution(h, levels[i].up[1], 1, 1, {.relu = i > 0});
  }
  return h.to(x.scalar_type());
}

SecondaryModel::Output SecondaryModel::forward(const at::Tensor& x, const at::Tensor& t) const {
  if (x.dim() != 4 || x.size(1) != 3 || x.size(2) % 32 != 0 || x.size(3) % 32 != 0) {
    throw Error(fmt::format("its input is {}, expected (N, 3, H, W) with sides that are multiples of 32",
                            shape_text(x.sizes())),
                network);
  }
  const at::Tensor v = predict_v(x, t), angle = t.to(at::kFloat) * (std::numbers::pi / 2);
  const at::Tensor alpha = per_picture(angle.cos()).to(x.scalar_type());
  const at::Tensor sigma = per_picture(angle.sin()).to(x.scalar_type());
  return {v, x * alpha - v * sigma, x * sigma + v * alpha};
}

StateDict initial_secondary(std::int64_t width, std::uint64_t seed) {
  StateDict result;
  for (const TensorInfo& info : SecondaryModel::manifest(width)) {
    at::Tensor tensor = at::zeros(info.shape);
    if (info.name == "timestep_embed.weight") {
      tensor.normal_(0, 1, tensor_generator(seed, info.name));
    } else if (info.shape.size() > 1 && info.name != "net.4.weight") {
      const double bound = std::sqrt(6 / static_cast<double>(tensor[0].numel()));
      tensor.uniform_(-bound, bound, tensor_generator(seed, info.name));
    }
    result.emplace(info.name, std::move(tensor));
  }
  return result;
}

}  // namespace disco
