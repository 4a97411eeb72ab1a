// CLIP's towers (Radford 2021, section 2.4): vision transformer, modified ResNet, text transformer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/clip.h"
#include "models/layers.h"

namespace disco {

/// Pre-norm residual blocks of multi-head attention and an MLP over (N,L,W).
class Transformer {
 public:
  /// PREFIX.resblocks.0 …
  /// `keeps` as affine() has it.
  Transformer(const StateDict& tensors, const std::string& prefix, std::int64_t layers, std::int64_t heads,
              bool quick_gelu, std::optional<bool> keeps = std::nullopt);
  at::Tensor forward(at::Tensor x, bool causal) const;
  /// The first token's row of forward(x, false), (N,1,W): the last block computes no other.
  at::Tensor forward_first(at::Tensor x) const;

 private:
  struct Block {
    Affine attention_norm, qkv, attention_out, mlp_norm, mlp_in, mlp_out;
  };
  at::Tensor attend(const Block& block, const at::Tensor& x, bool causal, bool first_only) const;
  at::Tensor apply(const Block& block, const at::Tensor& x, bool causal, bool first_only) const;

  std::vector<Block> blocks_;
  std::int64_t heads_;
  bool quick_gelu_;
};

/// (N,3,S,S) → (N,D).
class VisionTransformer {
 public:
  VisionTransformer(const StateDict& tensors, const ClipConfig& config, bool quick_gelu, std::optional<bool> keeps);
  at::Tensor forward(const at::Tensor& x) const;

 private:
  Affine patches_;
  at::Tensor class_token_, positions_, projection_;
  Affine before_, after_;
  std::int64_t patch_;
  Transformer transformer_;
};

/// A three-convolution stem, bottlenecks whose strides are average pools, attention pooling: (N,3,S,S) → (N,D).
class ModifiedResNet {
 public:
  ModifiedResNet(const StateDict& tensors, const ClipConfig& config, std::optional<bool> keeps);
  /// `training`: batch norms run on the batch's own statistics, and move the running ones.
  at::Tensor forward(const at::Tensor& x, bool training = false) const;

 private:
  struct Unit {
    Affine layer;
    BatchNorm norm;  ///< Undefined where it is folded into the layer.
    bool folded() const { return !norm.weight.defined(); }
  };
  struct Bottleneck {
    Unit reduce, spatial, expand, skip;  ///< `skip` is undefined where the shapes agree.
    std::int64_t stride;
  };
  static at::Tensor apply(const Unit& unit, const at::Tensor& x, bool training, std::int64_t stride = 1,
                          std::int64_t padding = 0);
  /// ReLU of apply(), to which `other` is added before where it is defined.
  static at::Tensor apply_gated(const Unit& unit, const at::Tensor& x, bool training, std::int64_t stride = 1,
                                std::int64_t padding = 0, const at::Tensor& other = {});
  static at::Tensor apply(const Bottleneck& block, const at::Tensor& x, bool training);
  at::Tensor pool(const at::Tensor& x) const;

  Unit stem_[3];
  std::vector<Bottleneck> blocks_;
  at::Tensor positions_;
  Affine query_, key_, value_, projection_;
  std::int64_t heads_;
};

/// (N,L) rows of the embedding, and each text's position of interest (N) → (N,D).
class TextTransformer {
 public:
  TextTransformer(const StateDict& tensors, const ClipConfig& config, bool quick_gelu);
  at::Tensor forward(const at::Tensor& rows, const at::Tensor& ends) const;

 private:
  at::Tensor embedding_, positions_, projection_;
  Affine norm_;
  Transformer transformer_;
};

}  // namespace disco
