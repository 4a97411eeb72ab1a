#include "models/clip_towers.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <utility>

namespace disco {

Transformer::Transformer(const StateDict& tensors, const std::string& prefix, std::int64_t layers, std::int64_t heads,
                         bool quick_gelu, std::optional<bool> keeps)
    : heads_(heads), quick_gelu_(quick_gelu) {
  for (std::int64_t i = 0; i < layers; ++i) {
    const std::string block = fmt::format("{}.resblocks.{}.", prefix, i);
    Affine qkv{tensors.at(block + "attn.in_proj_weight"), tensors.at(block + "attn.in_proj_bias")};
    if (keeps) qkv.kept = c10::make_intrusive<KeptForms>(*keeps);
    blocks_.push_back({affine(tensors, block + "ln_1"), std::move(qkv), affine(tensors, block + "attn.out_proj", keeps),
                       affine(tensors, block + "ln_2"), affine(tensors, block + "mlp.c_fc", keeps),
                       affine(tensors, block + "mlp.c_proj", keeps)});
  }
}

at::Tensor Transformer::attend(const Block& block, const at::Tensor& x, bool causal, bool first_only) const {
  const std::int64_t n = x.size(0), length = x.size(1), width = x.size(2);
  const at::Tensor h = layer_norm(x, block.attention_norm);
  // Split by one operator, whose gradient is one as well: the gradient of each slice would fill the whole with zeros.
  const auto heads = [&](const at::Tensor& joint, std::int64_t parts) {
    std::vector<at::Tensor> split = joint.reshape({n, -1, parts, heads_, width / heads_}).unbind(2);
    for (at::Tensor& part : split) part = part.transpose(1, 2);
    return split;
  };
  at::Tensor mixed;
  if (first_only) {
    const auto rows = [&](std::int64_t from, std::int64_t count) {
      return Affine{block.qkv.weight.narrow(0, from, count), block.qkv.bias.narrow(0, from, count)};
    };
    const std::vector<at::Tensor> q = heads(linear(h.narrow(1, 0, 1), rows(0, width)), 1);
    const std::vector<at::Tensor> kv = heads(linear(h, rows(width, 2 * width)), 2);
    mixed = attention(q[0], kv[0], kv[1]);
  } else {
    const std::vector<at::Tensor> qkv = heads(linear(h, block.qkv), 3);
    mixed = attention(qkv[0], qkv[1], qkv[2], causal);
  }
  return linear(mixed.transpose(1, 2).reshape({n, first_only ? 1 : length, width}), block.attention_out);
}

at::Tensor Transformer::apply(const Block& block, const at::Tensor& x, bool causal, bool first_only) const {
  const at::Tensor h = (first_only ? x.narrow(1, 0, 1) : x) + attend(block, x, causal, first_only);
  return h + linear(apply_gelu(linear(layer_norm(h, block.mlp_norm), block.mlp_in), quick_gelu_), block.mlp_out);
}

at::Tensor Transformer::forward(at::Tensor x, bool causal) const {
  for (const Block& block : blocks_) x = apply(block, x, causal, false);
  return x;
}

at::Tensor Transformer::forward_first(at::Tensor x) const {
  for (const Block& block : blocks_) x = apply(block, x, false, &block == &blocks_.back());
  return x.narrow(1, 0, 1);
}

VisionTransformer::VisionTransformer(const StateDict& tensors, const ClipConfig& config, bool quick_gelu,
                                     std::optional<bool> keeps)
    : patches_(affine(tensors, "visual.conv1", keeps)),
      class_token_(tensors.at("visual.class_embedding")),
      positions_(tensors.at("visual.positional_embedding")),
      projection_(tensors.at("visual.proj")),
      before_(affine(tensors, "visual.ln_pre")),
      after_(affine(tensors, "visual.ln_post")),
      patch_(config.patch),
      transformer_(tensors, "visual.transformer", config.vision_layers, config.vision_heads, quick_gelu, keeps) {}

at::Tensor VisionTransformer::forward(const at::Tensor& x) const {
  at::Tensor h = patch_embedding(x.to(patches_.weight.scalar_type()), patches_, patch_);
  const at::Tensor first = class_token_.to(h.scalar_type()).expand({h.size(0), 1, -1});
  h = layer_norm(at::cat({first, h}, 1) + positions_.to(h.scalar_type()), before_);
  return layer_norm(transformer_.forward_first(std::move(h)).squeeze(1), after_).matmul(projection_);
}

ModifiedResNet::ModifiedResNet(const StateDict& tensors, const ClipConfig& config, std::optional<bool> keeps)
    : positions_(tensors.at("visual.attnpool.positional_embedding")),
      query_(affine(tensors, "visual.attnpool.q_proj")),
      key_(affine(tensors, "visual.attnpool.k_proj", keeps)),
      value_(affine(tensors, "visual.attnpool.v_proj", keeps)),
      projection_(affine(tensors, "visual.attnpool.c_proj")),
      heads_(config.vision_heads) {
  const auto unit = [&](const std::string& prefix, const char* layer, const char* norm) {
    return Unit{affine(tensors, prefix + layer, keeps),
                config.folded ? BatchNorm() : batch_norm(tensors, prefix + norm)};
  };
  stem_[0] = unit("visual.", "conv1", "bn1");
  stem_[1] = unit("visual.", "conv2", "bn2");
  stem_[2] = unit("visual.", "conv3", "bn3");
  for (std::size_t stage = 0; stage < config.stage_blocks.size(); ++stage) {
    for (std::int64_t i = 0; i < config.stage_blocks[stage]; ++i) {
      const std::string prefix = fmt::format("visual.layer{}.{}.", stage + 1, i);
      blocks_.push_back({unit(prefix, "conv1", "bn1"), unit(prefix, "conv2", "bn2"), unit(prefix, "conv3", "bn3"),
                         i == 0 ? unit(prefix, "downsample.0", "downsample.1") : Unit{}, i == 0 && stage > 0 ? 2 : 1});
    }
  }
}

at::Tensor ModifiedResNet::apply(const Unit& unit, const at::Tensor& x, bool training, std::int64_t stride,
                                 std::int64_t padding) {
  const at::Tensor h = direct_convolution(x, unit.layer, stride, padding);
  if (unit.folded()) return h;
  return training ? batch_norm_training(h, unit.norm) : batch_norm(h, unit.norm);
}

at::Tensor ModifiedResNet::apply_gated(const Unit& unit, const at::Tensor& x, bool training, std::int64_t stride,
                                       std::int64_t padding, const at::Tensor& other) {
  if (unit.folded()) return direct_convolution(x, unit.layer, stride, padding, {other, true});
  at::Tensor h = apply(unit, x, training, stride, padding);
  if (other.defined()) h = add_to(std::move(h), other);
  return apply_relu(h);
}

at::Tensor ModifiedResNet::apply(const Bottleneck& block, const at::Tensor& x, bool training) {
  const auto pooled = [&](const at::Tensor& t) { return block.stride > 1 ? halved(t) : t; };
  at::Tensor h = apply_gated(block.reduce, x, training);
  h = pooled(apply_gated(block.spatial, h, training, 1, 1));
  const at::Tensor skipped = block.skip.layer.weight.defined() ? apply(block.skip, pooled(x), training) : x;
  return apply_gated(block.expand, h, training, 1, 0, skipped);
}

at::Tensor ModifiedResNet::pool(const at::Tensor& x) const {
  const std::int64_t n = x.size(0), width = x.size(1);
  at::Tensor h = x.flatten(2).transpose(1, 2);
  h = at::cat({h.mean(1, true), h}, 1) + positions_.to(h.scalar_type());
  const auto heads = [&](const at::Tensor& t) { return t.reshape({n, -1, heads_, width / heads_}).transpose(1, 2); };
  // Only the mean's row is asked for.
  const at::Tensor mixed =
      attention(heads(linear(h.narrow(1, 0, 1), query_)), heads(linear(h, key_)), heads(linear(h, value_)));
  return linear(mixed.reshape({n, width}), projection_);
}

at::Tensor ModifiedResNet::forward(const at::Tensor& x, bool training) const {
  at::Tensor h = apply_gated(stem_[0], x.to(stem_[0].layer.weight.scalar_type()), training, 2, 1);
  h = apply_gated(stem_[1], h, training, 1, 1);
  h = halved(apply_gated(stem_[2], h, training, 1, 1));
  for (const Bottleneck& block : blocks_) h = apply(block, h, training);
  return pool(h);
}

TextTransformer::TextTransformer(const StateDict& tensors, const ClipConfig& config, bool quick_gelu)
    : embedding_(tensors.at("token_embedding.weight")),
      positions_(tensors.at("positional_embedding")),
      projection_(tensors.at("text_projection")),
      norm_(affine(tensors, "ln_final")),
      transformer_(tensors, "transformer", config.text_layers, config.text_heads, quick_gelu) {}

at::Tensor TextTransformer::forward(const at::Tensor& rows, const at::Tensor& ends) const {
  const at::Tensor h = at::embedding(embedding_, rows) + positions_.narrow(0, 0, rows.size(1));
  // The projection's dtype is the transformer's, also in OpenAI's files of mixed precision.
  const at::Tensor out = transformer_.forward(h.to(projection_.scalar_type()), true);
  const at::Tensor index = ends.view({-1, 1, 1}).expand({-1, 1, out.size(2)});
  return layer_norm(out.gather(1, index).squeeze(1), norm_).matmul(projection_);
}

}  // namespace disco
