#include "models/unet.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <variant>

#include "core/error.h"
#include "models/layers.h"
#include "models/parameters.h"
#include "models/recompute.h"
#include "models/unet_plan.h"

namespace disco {
namespace {

using Kind = UNetPlan::Kind;
using Resample = UNetPlan::Resample;

at::Tensor resample(const at::Tensor& x, Resample how) {
  if (how == Resample::down) return halved(x);
  if (how == Resample::up) return repeated(x);
  return x;
}

struct Convolution {
  Affine layer;
  std::int64_t stride = 1;
  bool doubled = false;

  at::Tensor operator()(const at::Tensor& x, const at::Tensor&) const {
    return convolution(doubled ? resample(x, Resample::up) : x, layer, stride, 1);
  }
};

/// ADM's residual block; `embedding` (N, 4C) has passed SiLU already.
struct ResidualBlock {
  Affine in_norm, in_layer, embed, out_norm, out_layer;
  Affine skip;  ///< Undefined where the widths agree.
  Resample how;
  bool scale_shift;

  at::Tensor operator()(const at::Tensor& x, const at::Tensor& embedding) const {
    at::Tensor h = resample(group_norm(x, in_norm, {.silu = true}), how);
    const at::Tensor e = linear(embedding, embed).to(x.scalar_type());
    if (scale_shift) {
      const std::vector<at::Tensor> parts = e.chunk(2, 1);
      h = convolution_and_norm(h, in_layer, out_norm, {parts[0], parts[1], true});
    } else {
      h = add_to(convolution(h, in_layer, 1, 1), e.unsqueeze(-1).unsqueeze(-1));
      h = group_norm(h, out_norm, {.silu = true});
    }
    if (skip.weight.defined()) return added_convolutions(h, out_layer, resample(x, how), skip);
    return convolution(h, out_layer, 1, 1, {resample(x, how)});
  }
};

/// Attention over the pixels. Scaling the products by 1/sqrt(d) is scaling q and k by d^(-1/4) each; the half-precision
/// kernels accumulate the products in float32.
struct AttentionBlock {
  Affine norm, qkv, out;
  std::int64_t heads;
  bool new_order;

  at::Tensor operator()(const at::Tensor& x, const at::Tensor&) const {
    const std::int64_t n = x.size(0), width = x.size(1), pixels = x.size(2) * x.size(3);
    const auto by_pixel = [&](const at::Tensor& picture) {
      return picture.permute({0, 2, 3, 1}).reshape({n, pixels, width});
    };
    const at::Tensor joint = linear(by_pixel(group_norm(x, norm)), {qkv.weight.squeeze(2), qkv.bias});
    // The legacy order is head by head (q, k, v of each); the new one q of all heads, then k, then v.
    const at::Tensor split = new_order ? joint.view({n, pixels, 3, heads, width / heads}).transpose(2, 3)
                                       : joint.view({n, pixels, heads, 3, width / heads});
    const std::vector<at::Tensor> parts = split.unbind(3);
    const auto part = [&](std::size_t i) { return parts[i].transpose(1, 2); };
    const at::Tensor mixed = attention(part(0), part(1), part(2)).transpose(1, 2).reshape({n, pixels, width});
    const at::Tensor result = add_to(linear(mixed, {out.weight.squeeze(2), out.bias}), by_pixel(x));
    return result.view({n, x.size(2), x.size(3), width}).permute({0, 3, 1, 2});
  }
};

using Layer = std::variant<Convolution, ResidualBlock, AttentionBlock>;
using Block = std::vector<Layer>;

/// `keeps` as KeptFilters has it, where the network is one for them.
Layer make_layer(const StateDict& tensors, const UNetConfig& config, const UNetPlan::Module& module,
                 std::optional<bool> keeps) {
  const auto get = [&](const char* layer) {
    Affine result = affine(tensors, module.name + layer);
    if (keeps && result.weight.dim() == 4 && result.weight.size(2) == 3)
      result.kept = c10::make_intrusive<KeptFilters>(*keeps);
    return result;
  };
  switch (module.kind) {
    case Kind::convolution:
      return Convolution{get("")};
    case Kind::downsample:
      return Convolution{get(".op"), 2};
    case Kind::upsample:
      return Convolution{get(".conv"), 1, true};
    case Kind::attention:
      return AttentionBlock{get(".norm"), get(".qkv"), get(".proj_out"), module.heads, config.use_new_attention_order};
    case Kind::residual:
      break;
  }
  return ResidualBlock{get(".in_layers.0"),  get(".in_layers.2"),
                       get(".emb_layers.1"), get(".out_layers.0"),
                       get(".out_layers.3"), module.in != module.out ? get(".skip_connection") : Affine{},
                       module.resample,      config.use_scale_shift_norm};
}

/// The block of `inputs`, joined along the channels.
at::Tensor run(const Block& block, std::vector<at::Tensor> inputs, const at::Tensor& embedding) {
  // An alias gathers the gradients of the block's own uses before a skip's is added: sums in the order in which they
  // come from a block that is recomputed.
  at::Tensor h = inputs.size() == 1 ? at::alias(inputs[0]) : joined(inputs[0], inputs[1]);
  inputs.clear();  // Before the block works: at full size these are the largest tensors.
  for (const Layer& layer : block) {
    h = std::visit([&](const auto& l) { return l(h, embedding); }, layer);
  }
  return h;
}

/// (N) → (N, width): cosines, then sines, of t times frequencies from 1 down to 1/10000; float32.
at::Tensor timestep_embedding(const at::Tensor& t, std::int64_t width) {
  const std::int64_t half = width / 2;
  const at::TensorOptions options = at::TensorOptions().dtype(at::kFloat).device(t.device());
  const at::Tensor frequencies = at::exp(-std::log(10000.0) / static_cast<double>(half) * at::arange(half, options));
  const at::Tensor angles = t.to(at::kFloat).unsqueeze(1) * frequencies;
  at::Tensor embedding = at::cat({angles.cos(), angles.sin()}, 1);
  if (width % 2 != 0) embedding = at::constant_pad_nd(embedding, {0, 1});
  return embedding;
}

}  // namespace

struct UNet::Layers {
  Affine time_first, time_second, out_norm, out_layer;
  at::Tensor labels;
  std::vector<Block> input, output;
  Block middle;
};

UNet::UNet(UNetConfig config, StateDict tensors) : config_(std::move(config)), tensors_(std::move(tensors)) {
  require_tensors(tensors_, manifest(config_), "diffusion UNet");
  const UNetPlan plan = plan_unet(config_);
  // Half weights are a plan for little memory.
  const bool roomy =
      std::ranges::all_of(tensors_, [](const auto& named) { return named.second.scalar_type() == at::kFloat; });
  const auto filters = keeps_filters(plan) ? std::optional(roomy) : std::nullopt;
  const auto resolve = [&](const UNetPlan::Block& modules) {
    Block block;
    for (const UNetPlan::Module& module : modules) block.push_back(make_layer(tensors_, config_, module, filters));
    return block;
  };
  auto layers = std::make_shared<Layers>();
  layers->time_first = affine(tensors_, "time_embed.0");
  layers->time_second = affine(tensors_, "time_embed.2");
  if (config_.class_count > 0) layers->labels = tensors_.at("label_emb.weight");
  for (const UNetPlan::Block& block : plan.input) layers->input.push_back(resolve(block));
  layers->middle = resolve(plan.middle);
  for (const UNetPlan::Block& block : plan.output) layers->output.push_back(resolve(block));
  layers->out_norm = affine(tensors_, "out.0");
  layers->out_layer = affine(tensors_, "out.2");
  layers_ = std::move(layers);
}

UNet UNet::on(at::Device device) const {
  if (tensors_.begin()->second.device() == device) return *this;
  return UNet(config_, moved(tensors_, device));
}

at::Tensor UNet::forward(const at::Tensor& x, const at::Tensor& t, const at::Tensor& y, Activations activations) const {
  const std::int64_t multiple = config_.side_multiple();
  if (x.dim() != 4 || x.size(1) != 3 || x.size(2) % multiple != 0 || x.size(3) % multiple != 0) {
    throw Error(fmt::format("its input is {}, expected (N, 3, H, W) with sides that are multiples of {}",
                            shape_text(x.sizes()), multiple),
                "diffusion UNet");
  }
  if (y.defined() != layers_->labels.defined()) {
    throw Error(y.defined() ? "the model knows no classes, but a class was given" : "the model needs a class",
                "diffusion UNet");
  }
  const at::Tensor steps = timestep_embedding(t, config_.num_channels).to(layers_->time_first.weight.scalar_type());
  at::Tensor embedding = linear(apply_silu(linear(steps, layers_->time_first)), layers_->time_second);
  if (y.defined()) embedding = embedding + at::embedding(layers_->labels, y);
  embedding = apply_silu(std::move(embedding));

  at::Tensor h = x.to(std::get<Convolution>(layers_->input[0][0]).layer.weight.scalar_type());
  if (config_.patch > 1) h = at::pixel_unshuffle(h, config_.patch);
  h = h.contiguous(at::MemoryFormat::ChannelsLast);
  const auto through = [&](const Block& block, std::vector<at::Tensor> inputs) {
    if (activations == Activations::kept) return run(block, std::move(inputs), embedding);
    // By value: the graph may outlive this call, and keeps the layers.
    return recomputed([layers = layers_, &block,
                       embedding](std::vector<at::Tensor> given) { return run(block, std::move(given), embedding); },
                      std::move(inputs));
  };
  std::vector<at::Tensor> skips;
  for (const Block& block : layers_->input) {
    h = through(block, {h});
    skips.push_back(h);
  }
  h = through(layers_->middle, {h});
  for (const Block& block : layers_->output) {
    std::vector<at::Tensor> inputs = {std::move(h), std::move(skips.back())};
    skips.pop_back();
    h = through(block, std::move(inputs));
  }
  h = convolution(group_norm(h, layers_->out_norm, {.silu = true}), layers_->out_layer, 1, 1);
  if (config_.patch > 1) h = at::pixel_shuffle(h, config_.patch);
  return h.to(x.scalar_type());
}

StateDict initial_unet(const UNetConfig& config, std::uint64_t seed) {
  const auto zeroed = [](const std::string& name) {
    return name.starts_with("out.2.") || name.find(".out_layers.3.") != std::string::npos ||
           name.find(".proj_out.") != std::string::npos;
  };
  StateDict result;
  double bound = 0;
  for (const TensorInfo& info : UNet::manifest(config)) {
    at::Tensor tensor = at::zeros(info.shape);
    const bool bias = info.name.ends_with(".bias");
    // A layer's weight comes before its bias, and both are uniform within 1/sqrt(fan-in); norms have none.
    if (!bias) bound = info.shape.size() < 2 ? 0 : 1 / std::sqrt(static_cast<double>(tensor[0].numel()));
    if (info.name == "label_emb.weight") {
      tensor.normal_(0, 1, tensor_generator(seed, info.name));
    } else if (bound == 0) {
      tensor.fill_(bias ? 0 : 1);
    } else if (!zeroed(info.name)) {
      tensor.uniform_(-bound, bound, tensor_generator(seed, info.name));
    }
    result.emplace(info.name, std::move(tensor));
  }
  return result;
}

}  // namespace disco
