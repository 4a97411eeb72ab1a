#include "models/unet.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <variant>

#include "core/error.h"
#include "kernels/choice.h"
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

/// What the time (and the class) are to the blocks.
struct Condition {
  at::Tensor embedding;    ///< (N, 4C), has passed SiLU already.
  at::Tensor gain, shift;  ///< (N, channels of all blocks), where they are made at once; see JointModulation.
};

struct Convolution {
  Affine layer;
  std::int64_t stride = 1;
  bool doubled = false;

  at::Tensor operator()(const at::Tensor& x, const Condition&) const {
    return convolution(doubled ? resample(x, Resample::up) : x, layer, stride, 1);
  }
};

/// ADM's residual block.
struct ResidualBlock {
  Affine in_norm, in_layer, embed, out_norm, out_layer;
  Affine skip;  ///< Undefined where the widths agree.
  Resample how;
  bool scale_shift;
  std::int64_t place = 0;  ///< Of its channels among those of all blocks.

  at::Tensor operator()(const at::Tensor& x, const Condition& condition) const {
    at::Tensor h = resample(group_norm(x, in_norm, {.silu = true}), how);
    if (scale_shift) {
      h = convolution_and_norm(h, in_layer, out_norm, modulation(x, condition));
    } else {
      const at::Tensor e = linear(condition.embedding, embed).to(x.scalar_type());
      h = add_to(convolution(h, in_layer, 1, 1), e.unsqueeze(-1).unsqueeze(-1));
      h = group_norm(h, out_norm, {.silu = true});
    }
    if (skip.weight.defined()) return added_convolutions(h, out_layer, resample(x, how), skip);
    return convolution(h, out_layer, 1, 1, {resample(x, how)});
  }

  AfterNorm modulation(const at::Tensor& x, const Condition& condition) const {
    if (condition.gain.defined()) {
      const std::int64_t channels = out_norm.weight.size(0);
      return {.shift = condition.shift.narrow(1, place, channels),
              .silu = true,
              .gain = condition.gain.narrow(1, place, channels)};
    }
    const std::vector<at::Tensor> parts = linear(condition.embedding, embed).to(x.scalar_type()).chunk(2, 1);
    return {.scale = parts[0], .shift = parts[1], .silu = true};
  }
};

/// What the blocks' norms make of the embedding, by one product for all of them: in a small network, a product and some
/// operators a block take longer to call than to do. Copies of the blocks' weights.
class JointModulation {
 public:
  /// Gives the block its place.
  void add(ResidualBlock& block) {
    block.place = channels_;
    channels_ += block.out_norm.weight.size(0);
    blocks_.push_back(block);
  }

  /// Copies the weights as they are now.
  void join() {
    std::vector<at::Tensor> weights, biases, norm_weights, norm_biases;
    for (const std::int64_t half : {0, 1}) {  // Scales of all blocks, then shifts.
      for (const ResidualBlock& block : blocks_) {
        weights.push_back(block.embed.weight.chunk(2)[static_cast<std::size_t>(half)]);
        biases.push_back(block.embed.bias.chunk(2)[static_cast<std::size_t>(half)]);
      }
    }
    for (const ResidualBlock& block : blocks_) {
      norm_weights.push_back(block.out_norm.weight);
      norm_biases.push_back(block.out_norm.bias);
    }
    const at::NoGradGuard no_gradient;
    embed_ = {at::cat(weights), at::cat(biases)};
    norm_ = {at::cat(norm_weights), at::cat(norm_biases)};
  }

  /// Whether the blocks' weights are what they were, which those that are trained are not.
  bool applies() const {
    return chosen_kernels() == Kernels::fast && embed_.weight.defined() &&
           std::ranges::all_of(
               blocks_, [](const ResidualBlock& block) { return is_frozen(block.embed) && is_frozen(block.out_norm); });
  }

  Condition operator()(const at::Tensor& embedding) const {
    const std::vector<at::Tensor> parts = linear(embedding, embed_).chunk(2, 1);
    const at::Tensor scale = parts[0] + 1;
    return {embedding, norm_.weight * scale, at::addcmul(parts[1], norm_.bias, scale)};
  }

 private:
  std::vector<ResidualBlock> blocks_;
  std::int64_t channels_ = 0;
  Affine embed_, norm_;
};

/// Attention over the pixels. Scaling the products by 1/sqrt(d) is scaling q and k by d^(-1/4) each; the half-precision
/// kernels accumulate the products in float32.
struct AttentionBlock {
  Affine norm, qkv, out;
  std::int64_t heads;
  bool new_order;

  at::Tensor operator()(const at::Tensor& x, const Condition&) const {
    const std::int64_t n = x.size(0), width = x.size(1), pixels = x.size(2) * x.size(3);
    const auto by_pixel = [&](const at::Tensor& picture) {
      return picture.permute({0, 2, 3, 1}).reshape({n, pixels, width});
    };
    const at::Tensor joint = linear(by_pixel(group_norm(x, norm)), {qkv.weight.squeeze(2), qkv.bias, qkv.kept});
    // The legacy order is head by head (q, k, v of each); the new one q of all heads, then k, then v.
    const at::Tensor split = new_order ? joint.view({n, pixels, 3, heads, width / heads}).transpose(2, 3)
                                       : joint.view({n, pixels, heads, 3, width / heads});
    const std::vector<at::Tensor> parts = split.unbind(3);
    const auto part = [&](std::size_t i) { return parts[i].transpose(1, 2); };
    const at::Tensor mixed = attention(part(0), part(1), part(2)).transpose(1, 2).reshape({n, pixels, width});
    const at::Tensor result = add_to(linear(mixed, {out.weight.squeeze(2), out.bias, out.kept}), by_pixel(x));
    return result.view({n, x.size(2), x.size(3), width}).permute({0, 3, 1, 2});
  }
};

using Layer = std::variant<Convolution, ResidualBlock, AttentionBlock>;
using Block = std::vector<Layer>;

/// `keeps` as KeptForms has it, where the network is one for them.
Layer make_layer(const StateDict& tensors, const UNetConfig& config, const UNetPlan::Module& module,
                 std::optional<bool> keeps) {
  const auto get = [&](const char* layer) { return affine(tensors, module.name + layer, keeps); };
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
at::Tensor run(const Block& block, std::vector<at::Tensor> inputs, const Condition& condition) {
  // An alias gathers the gradients of the block's own uses before a skip's is added: sums in the order in which they
  // come from a block that is recomputed.
  at::Tensor h = inputs.size() == 1 ? at::alias(inputs[0]) : joined(inputs[0], inputs[1]);
  inputs.clear();  // Before the block works: at full size these are the largest tensors.
  for (const Layer& layer : block) {
    h = std::visit([&](const auto& l) { return l(h, condition); }, layer);
  }
  return h;
}

/// From 1 down to 1/10000, (width / 2); float32.
at::Tensor time_frequencies(std::int64_t width, at::Device device) {
  const std::int64_t half = width / 2;
  const at::TensorOptions options = at::TensorOptions().dtype(at::kFloat).device(device);
  return at::exp(-std::log(10000.0) / static_cast<double>(half) * at::arange(half, options));
}

/// (N) → (N, width): cosines, then sines, of t times the frequencies; float32.
at::Tensor timestep_embedding(const at::Tensor& t, const at::Tensor& frequencies, std::int64_t width) {
  const at::Tensor angles = t.to(at::kFloat).unsqueeze(1) * frequencies;
  at::Tensor embedding = at::cat({angles.cos(), angles.sin()}, 1);
  if (width % 2 != 0) embedding = at::constant_pad_nd(embedding, {0, 1});
  return embedding;
}

}  // namespace

struct UNet::Layers {
  at::Tensor time_frequencies;
  Affine time_first, time_second, out_norm, out_layer;
  at::Tensor labels;
  JointModulation modulation;
  std::vector<Block> input, output;
  Block middle;
};

UNet::UNet(UNetConfig config, StateDict tensors) : config_(std::move(config)), tensors_(std::move(tensors)) {
  require_tensors(tensors_, manifest(config_), "diffusion UNet");
  const UNetPlan plan = plan_unet(config_);
  // Half weights are a plan for little memory.
  const bool roomy =
      std::ranges::all_of(tensors_, [](const auto& named) { return named.second.scalar_type() == at::kFloat; });
  const auto keeps = keeps_forms(plan) ? std::optional(roomy) : std::nullopt;
  auto layers = std::make_shared<Layers>();
  const auto resolve = [&](const UNetPlan::Block& modules) {
    Block block;
    for (const UNetPlan::Module& module : modules) {
      block.push_back(make_layer(tensors_, config_, module, keeps));
      if (auto* residual = std::get_if<ResidualBlock>(&block.back())) layers->modulation.add(*residual);
    }
    return block;
  };
  layers->time_frequencies = time_frequencies(config_.num_channels, tensors_.begin()->second.device());
  layers->time_first = affine(tensors_, "time_embed.0");
  layers->time_second = affine(tensors_, "time_embed.2");
  if (config_.class_count > 0) layers->labels = tensors_.at("label_emb.weight");
  for (const UNetPlan::Block& block : plan.input) layers->input.push_back(resolve(block));
  layers->middle = resolve(plan.middle);
  for (const UNetPlan::Block& block : plan.output) layers->output.push_back(resolve(block));
  layers->out_norm = affine(tensors_, "out.0");
  layers->out_layer = affine(tensors_, "out.2", keeps);
  if (keeps && config_.use_scale_shift_norm) layers->modulation.join();
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
  const at::Tensor steps = timestep_embedding(t, layers_->time_frequencies, config_.num_channels)
                               .to(layers_->time_first.weight.scalar_type());
  at::Tensor embedding = linear(apply_silu(linear(steps, layers_->time_first)), layers_->time_second);
  if (y.defined()) embedding = embedding + at::embedding(layers_->labels, y);
  embedding = apply_silu(std::move(embedding));
  const Condition condition =
      layers_->modulation.applies() ? layers_->modulation(embedding) : Condition{embedding, {}, {}};

  at::Tensor h = x.to(std::get<Convolution>(layers_->input[0][0]).layer.weight.scalar_type());
  if (config_.patch > 1) h = at::pixel_unshuffle(h, config_.patch);
  h = h.contiguous(at::MemoryFormat::ChannelsLast);
  const auto through = [&](const Block& block, std::vector<at::Tensor> inputs) {
    if (activations == Activations::kept) return run(block, std::move(inputs), condition);
    // By value: the graph may outlive this call, and keeps the layers.
    return recomputed([layers = layers_, &block,
                       condition](std::vector<at::Tensor> given) { return run(block, std::move(given), condition); },
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
