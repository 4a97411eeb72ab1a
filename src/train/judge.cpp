#include "train/judge.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"
#include "models/layers.h"
#include "models/parameters.h"
#include "train/device_of.h"
#include "train/world/captions.h"

namespace disco {
namespace {

constexpr const char* network = "judge";
constexpr std::int64_t kernel = 5;
/// Width of the pointwise MLPs, in widths of their stage.
constexpr std::int64_t expansion = 3;

std::string stage_name(std::size_t stage) { return fmt::format("stages.{}.", stage); }
std::string block_name(std::size_t stage, std::int64_t block) { return fmt::format("stages.{}.{}.", stage, block); }
std::string head_name(const Attribute& attribute) { return std::string("heads.") + attribute.name; }

/// (N,C,H,W) ↔ (N,H,W,C); free in the channels-last layout.
at::Tensor channels_last(const at::Tensor& x) { return x.permute({0, 2, 3, 1}); }
at::Tensor channels_first(const at::Tensor& x) { return x.permute({0, 3, 1, 2}); }

}  // namespace

std::span<const Attribute> judged_attributes() {
  static const std::array all = {
      Attribute{"subject", static_cast<std::int64_t>(subject_count),
                [](const Scene& scene) { return static_cast<std::int64_t>(scene.subject); },
                [](std::int64_t value) { return subject_name(static_cast<Subject>(value)); }, false, false},
      Attribute{"sky", static_cast<std::int64_t>(sky_count),
                [](const Scene& scene) { return static_cast<std::int64_t>(scene.sky); },
                [](std::int64_t value) { return sky_name(static_cast<Sky>(value)); }, true, false},
      Attribute{"ground", static_cast<std::int64_t>(ground_count),
                [](const Scene& scene) { return static_cast<std::int64_t>(scene.ground); },
                [](std::int64_t value) { return ground_name(static_cast<Ground>(value)); }, false, false},
      Attribute{"palette", static_cast<std::int64_t>(palette_count),
                [](const Scene& scene) { return static_cast<std::int64_t>(scene.palette); },
                [](std::int64_t value) { return palette_name(static_cast<Palette>(value)); }, true, false},
      Attribute{"style", static_cast<std::int64_t>(style_count),
                [](const Scene& scene) { return static_cast<std::int64_t>(scene.style); },
                [](std::int64_t value) { return style_name(static_cast<Style>(value)); }, false, true},
  };
  return all;
}

const Verdict::Part& Verdict::of(std::string_view attribute) const {
  const auto all = judged_attributes();
  const auto found = std::ranges::find_if(all, [&](const Attribute& a) { return a.name == attribute; });
  const auto place = static_cast<std::size_t>(found - all.begin());
  if (place >= parts.size()) throw Error(fmt::format("it does not judge \"{}\"", attribute), network);
  return parts[place];
}

struct Judge::Layers {
  struct Block {
    Affine depthwise, norm, wide, narrow;
    at::Tensor scale;
  };
  struct Stage {
    Affine norm, reduce;  ///< The first stage has no norm.
    std::vector<Block> blocks;
  };
  std::vector<Stage> stages;
  Affine norm;
  std::vector<Affine> heads;
};

JudgeConfig Judge::recognise(const StateDict& tensors) {
  JudgeConfig config{{}, {}};
  for (std::size_t stage = 0; stage == 0 || tensors.contains(stage_name(stage) + "reduce.weight"); ++stage) {
    config.widths.push_back(size_of(tensors, stage_name(stage) + "reduce.weight", 0, network));
    config.blocks.push_back(0);
    while (tensors.contains(block_name(stage, config.blocks.back()) + "scale")) ++config.blocks.back();
  }
  return config;
}

std::vector<TensorInfo> Judge::manifest(const JudgeConfig& config) {
  std::vector<TensorInfo> manifest;
  const auto layer = [&](const std::string& name, std::vector<std::int64_t> weight) {
    const std::int64_t out = weight[0];
    manifest.push_back({name + ".weight", at::kFloat, std::move(weight)});
    manifest.push_back({name + ".bias", at::kFloat, {out}});
  };
  for (std::size_t stage = 0; stage < config.widths.size(); ++stage) {
    const std::int64_t width = config.widths[stage], before = stage == 0 ? 3 : config.widths[stage - 1];
    if (stage > 0) layer(stage_name(stage) + "norm", {before});
    layer(stage_name(stage) + "reduce", {width, before, stage == 0 ? 4 : 2, stage == 0 ? 4 : 2});
    for (std::int64_t i = 0; i < config.blocks[stage]; ++i) {
      const std::string block = block_name(stage, i);
      layer(block + "depthwise", {width, 1, kernel, kernel});
      layer(block + "norm", {width});
      layer(block + "wide", {expansion * width, width});
      layer(block + "narrow", {width, expansion * width});
      manifest.push_back({block + "scale", at::kFloat, {width}});
    }
  }
  layer("norm", {config.widths.back()});
  for (const Attribute& attribute : judged_attributes()) {
    layer(head_name(attribute), {attribute.count, config.widths.back()});
  }
  return manifest;
}

Judge::Judge(StateDict tensors) : config_(recognise(tensors)), tensors_(std::move(tensors)) {
  require_tensors(tensors_, manifest(config_), network);
  auto layers = std::make_shared<Layers>();
  for (std::size_t stage = 0; stage < config_.widths.size(); ++stage) {
    Layers::Stage& added = layers->stages.emplace_back();
    if (stage > 0) added.norm = affine(tensors_, stage_name(stage) + "norm");
    added.reduce = affine(tensors_, stage_name(stage) + "reduce");
    for (std::int64_t i = 0; i < config_.blocks[stage]; ++i) {
      const std::string block = block_name(stage, i);
      added.blocks.push_back({affine(tensors_, block + "depthwise"), affine(tensors_, block + "norm"),
                              affine(tensors_, block + "wide"), affine(tensors_, block + "narrow"),
                              tensors_.at(block + "scale")});
    }
  }
  layers->norm = affine(tensors_, "norm");
  for (const Attribute& attribute : judged_attributes())
    layers->heads.push_back(affine(tensors_, head_name(attribute)));
  layers_ = std::move(layers);
}

std::vector<at::Tensor> Judge::logits(const at::Tensor& x) const {
  const std::int64_t multiple = std::int64_t{1} << layers_->stages.size();
  if (x.dim() != 4 || x.size(1) != 3 || x.size(2) % multiple != 0 || x.size(3) % multiple != 0) {
    throw Error(fmt::format("its input is {}, expected (N, 3, H, W) with sides that are multiples of {}",
                            shape_text(x.sizes()), multiple),
                network);
  }
  at::Tensor h = x.to(layers_->norm.weight.scalar_type());
  for (const Layers::Stage& stage : layers_->stages) {
    // The first convolution's windows overlap, so that thin lines are not lost between them.
    const bool first = !stage.norm.weight.defined();
    if (!first) h = channels_first(layer_norm(channels_last(h), stage.norm));
    h = convolution(h, stage.reduce, 2, first ? 1 : 0).contiguous(at::MemoryFormat::ChannelsLast);
    for (const Layers::Block& block : stage.blocks) {
      const at::Tensor around =
          at::conv2d(h, block.depthwise.weight, block.depthwise.bias, 1, kernel / 2, 1, h.size(1));
      at::Tensor y = linear(layer_norm(channels_last(around), block.norm), block.wide);
      y = linear(apply_gelu(std::move(y), false), block.narrow) * block.scale;
      h = h + channels_first(y);
    }
  }
  const at::Tensor pooled = layer_norm(h.mean({2, 3}), layers_->norm);
  std::vector<at::Tensor> result;
  for (const Affine& head : layers_->heads) result.push_back(linear(pooled, head));
  return result;
}

std::vector<Verdict> Judge::judge(const at::Tensor& pictures) const {
  const at::NoGradGuard no_grad;
  std::vector<Verdict> verdicts(static_cast<std::size_t>(pictures.size(0)));
  for (const at::Tensor& values :
       logits(at::_upsample_bilinear2d_aa(pictures.to(device_of(*this)), {side, side}, false))) {
    const at::Tensor probabilities = at::softmax(values, 1, at::kDouble).to(at::kCPU).contiguous();
    const double* row = probabilities.const_data_ptr<double>();
    for (Verdict& verdict : verdicts) {
      Verdict::Part part{0, {row, row + probabilities.size(1)}};
      part.value = std::ranges::max_element(part.probabilities) - part.probabilities.begin();
      verdict.parts.push_back(std::move(part));
      row += probabilities.size(1);
    }
  }
  return verdicts;
}

Judge load_judge(const std::filesystem::path& weights) {
  StateDict tensors = load_weights(weights);
  for (auto& [name, tensor] : tensors) tensor = tensor.to(at::kFloat);
  return Judge(std::move(tensors));
}

StateDict initial_judge(const JudgeConfig& config, std::uint64_t seed) {
  // Of a block's output at first (ConvNeXt's layer scale): a fresh block passes its input on.
  constexpr double first_scale = 0.1;
  StateDict result;
  for (const TensorInfo& info : Judge::manifest(config)) {
    at::Tensor tensor = at::zeros(info.shape);
    if (info.shape.size() > 1) {
      const double deviation = 1 / std::sqrt(static_cast<double>(tensor[0].numel()));
      tensor.normal_(0, deviation, tensor_generator(seed, info.name));
    } else if (info.name.ends_with(".scale")) {
      tensor.fill_(first_scale);
    } else if (info.name.ends_with("norm.weight")) {
      tensor.fill_(1);
    }
    result.emplace(info.name, std::move(tensor));
  }
  return result;
}

}  // namespace disco
