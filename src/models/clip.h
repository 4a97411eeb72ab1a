// CLIP (Radford 2021): ViT or modified ResNet on the image side, a causal transformer on the text side; OpenAI's and
// OpenCLIP's state dicts.
#pragma once

#include <string>

#include "models/weights/state_dict.h"

namespace disco {

/// Everything is read off the tensors (GUIDED-STEP "Networks").
struct ClipConfig {
  bool is_vit = true;
  std::int64_t input_size = 224;  ///< Side of the square input.
  std::int64_t embedding = 512;   ///< D, the joint space's width.
  std::int64_t vision_width = 768, vision_layers = 12, patch = 32, vision_heads = 12;
  std::vector<std::int64_t> stage_blocks;  ///< ResNets: bottlenecks of the four stages.
  std::int64_t text_width = 512, text_layers = 12, text_heads = 8, context = 77, vocabulary = 49408;
};

class Clip {
 public:
  /// `activation`: "quick_gelu" or "gelu". Tensors are used in their dtype; batch norms run on their running statistics.
  /// A tensor "token_ids" (int64, rows of the embedding → vocabulary ids; our small models) maps ids to rows; row 0 stands
  /// for every other word. Throws FormatError naming what is missing.
  Clip(StateDict tensors, const std::string& activation);

  /// (N,3,S,S), normalised with mean and std below → (N,D), not normalised to unit length. Differentiable.
  at::Tensor encode_image(const at::Tensor& x) const;
  /// (N,77) int64 → (N,D), taken at the end-of-text token (the largest id of each row).
  at::Tensor encode_text(const at::Tensor& tokens) const;

  const ClipConfig& config() const { return config_; }
  const StateDict& parameters() const { return tensors_; }
  /// Whether the model has seen the token (always true without "token_ids").
  bool knows_token(std::int64_t id) const;

  static constexpr double mean[3] = {0.48145466, 0.4578275, 0.40821073};
  static constexpr double std[3] = {0.26862954, 0.26130258, 0.27577711};

 private:
  ClipConfig config_;
  StateDict tensors_;
  bool quick_gelu_;
};

/// Freshly initialised weights for a configuration, seeded (CLIP's initialisation).
StateDict initial_clip(const ClipConfig& config, std::uint64_t seed);

}  // namespace disco
