// CLIP (Radford 2021): ViT or modified ResNet on the image side, a causal transformer on the text side; OpenAI's and
// OpenCLIP's state dicts.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/weights/state_dict.h"

namespace disco {

/// Everything is read off the tensors (GUIDED-STEP "Networks").
struct ClipConfig {
  bool is_vit = true;
  std::int64_t input_size = 224;  ///< Side of the square input.
  std::int64_t embedding = 512;   ///< D, the joint space's width.
  std::int64_t vision_width = 768, vision_layers = 12, patch = 32, vision_heads = 12;
  std::int64_t vision_mlp = 0;             ///< Hidden width of the ViT's MLPs; 0: 4 · vision_width.
  std::vector<std::int64_t> stage_blocks;  ///< ResNets: bottlenecks of the four stages.
  std::int64_t text_width = 512, text_layers = 12, text_heads = 8, context = 77;
  std::int64_t vocabulary = 49408;  ///< Rows of the token embedding.
  std::int64_t text_mlp = 0;        ///< Hidden width of the text MLPs; 0: 4 · text_width.
  bool folded = false;              ///< ResNets: as fold_batch_norms() makes them.

  /// The sizes that tell one published model from another, with the kind ("vit" or "resnet").
  nlohmann::json to_json() const;
};

class Clip {
 public:
  /// Heads are width/64, at least one; ViTs wider than 1024 (OpenCLIP's H, g, G) have 16. The text tower may have the
  /// prefix "text." (newer OpenCLIP files). Throws FormatError naming what is missing or unknown.
  static ClipConfig recognise(const StateDict& tensors);
  /// Names (OpenAI's) and shapes of all tensors of a configuration.
  static std::vector<TensorInfo> manifest(const ClipConfig& config);
  /// Whether the image side is so small that its weights are kept as the kernels read them (kernels/kept_forms.h),
  /// which takes twice their memory.
  static bool keeps_forms(const ClipConfig& config);

  /// `activation`: "quick_gelu" or "gelu". Tensors are used in their dtype; batch norms run on their running
  /// statistics. A tensor "token_ids" (int64, rows of the embedding → vocabulary ids; our small models) maps ids to
  /// rows; row 0 stands for every other word. Throws FormatError naming what is missing.
  Clip(const StateDict& tensors, const std::string& activation);

  /// (N,3,S,S), normalised with mean and std below → (N,D), not normalised to unit length, in x's dtype.
  /// Differentiable.
  at::Tensor encode_image(const at::Tensor& x) const;
  /// The same while a model is trained: a ResNet's batch norms run on the statistics of x, and a tenth of these goes
  /// into the running ones, in place. A ViT has none.
  at::Tensor encode_image_training(const at::Tensor& x) const;
  /// (N,77) int64 → (N,D), taken at the end-of-text token (the largest id of each row), float32 (float64 if the weights
  /// are). Computed up to the last end-of-text token only, as no token sees those after it.
  /// Throws Error for a model without_text().
  at::Tensor encode_text(const at::Tensor& tokens) const;

  /// The same model with its image side alone, sharing its tensors: once the prompts are embedded, the text tower (a
  /// quarter to two thirds of a model) is dead weight.
  Clip without_text() const;
  bool has_text() const;
  /// The same network with its weights on a device; itself where they lie there.
  Clip on(at::Device device) const;

  const ClipConfig& config() const { return config_; }
  /// The tensors in use, under OpenAI's names: requires_grad set on them acts on the network.
  const StateDict& parameters() const { return tensors_; }
  /// Whether the model has seen the token (always true without "token_ids").
  bool knows_token(std::int64_t id) const;

  static constexpr double mean[3] = {0.48145466, 0.4578275, 0.40821073};
  static constexpr double std[3] = {0.26862954, 0.26130258, 0.27577711};

 private:
  struct Towers;
  at::Tensor encode_image(const at::Tensor& x, bool training) const;

  ClipConfig config_;
  StateDict tensors_;
  std::shared_ptr<const Towers> towers_;
};

/// A ResNet's tensors with its batch norms folded into the convolutions before them, in float32: s = γ/√(σ² + ε), the
/// weights times s, a bias β − μ·s, and no tensors of the norm. The same network within rounding, not to be trained.
/// Other tensors as they are. Throws FormatError naming a tensor of a norm that is missing or has another shape.
StateDict fold_batch_norms(StateDict tensors);

/// Freshly initialised weights for a configuration, seeded (the original's initialisation, batch norms and last
/// bottleneck norms of zero included).
StateDict initial_clip(const ClipConfig& config, std::uint64_t seed);

}  // namespace disco
