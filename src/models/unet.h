// The diffusion UNet of ADM (Dhariwal & Nichol 2021), in all configurations of the community's models.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/weights/state_dict.h"

namespace disco {

struct UNetConfig {
  std::int64_t image_size = 256;
  std::int64_t num_channels = 128;
  std::int64_t num_res_blocks = 2;
  std::int64_t num_heads = 4;
  std::int64_t num_heads_upsample = -1;  ///< When not −1, num_heads of the way up.
  std::int64_t num_head_channels = -1;   ///< When not −1, heads = channels / this.
  /// Sides at which attention acts, for example 32, 16, 8: level l has the side image_size / patch / 2^l.
  std::vector<std::int64_t> attention_resolutions;
  std::vector<double> channel_mult;  ///< Empty: ADM's own for the image size (512, 256, 128, 64).
  bool learn_sigma = true;
  std::int64_t class_count = 0;  ///< 0: not class conditional.
  bool resblock_updown = false;
  bool use_scale_shift_norm = true;
  bool use_new_attention_order = false;
  bool rescale_timesteps = true;
  /// Our small models: the picture is folded by pixel_unshuffle(patch) before the first layer and unfolded after the
  /// last (first convolution takes 3·patch² channels).
  std::int64_t patch = 1;
  std::string prediction = "epsilon";  ///< What the first three channels are: "epsilon" (ADM) or "v".

  /// Reads a NAME.model.json's config (attention_resolutions and channel_mult as ADM's text "32,16,8" or a list;
  /// class_cond true is ImageNet's 1000 classes). Keys it does not know are left alone. Throws FormatError.
  static UNetConfig from_json(const nlohmann::json& config);
  /// Every field, with channel_mult spelt out.
  nlohmann::json to_json() const;
  /// channel_mult, or ADM's own for the image size. Throws FormatError for a size that has none.
  std::vector<double> multipliers() const;
  /// What H and W must be multiples of: patch · 2^(levels − 1).
  std::int64_t side_multiple() const;
};

/// What is kept of an evaluation for its gradient.
enum class Activations {
  kept,        ///< Each layer's own.
  recomputed,  ///< Each block's inputs; the rest is computed again, to the same bits (see models/recompute.h).
};

class UNet {
 public:
  /// Completes `given` (which may be empty) from the tensors' names and shapes, which win where they can tell. They
  /// cannot tell the heads (num_head_channels 64 is assumed, or the largest power of two that divides all widths), the
  /// attention order, the prediction, and image_size beyond the sizes whose channel_mult is ADM's own. Throws
  /// FormatError when they are not an ADM UNet's.
  static UNetConfig recognise(const StateDict& tensors, const nlohmann::json& given);
  /// Names and shapes of all tensors of a configuration.
  static std::vector<TensorInfo> manifest(const UNetConfig& config);

  /// Takes the tensors as they are (dtype, device). Throws FormatError naming missing tensors and wrong shapes.
  UNet(UNetConfig config, StateDict tensors);

  /// x (N,3,H,W), H and W multiples of the deepest level; t (N) timesteps as ADM sees them (0 … 1000, rescaled), float;
  /// y (N) class labels when class_count > 0. Returns (N,6,H,W) with learn_sigma, else (N,3,H,W), in x's dtype; inside,
  /// the dtype is the first convolution's. Differentiable by x, and by the parameters where activations are kept.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& t, const at::Tensor& y = {},
                     Activations activations = Activations::kept) const;

  /// The same network with its weights on a device; itself where they lie there.
  UNet on(at::Device device) const;

  const UNetConfig& config() const { return config_; }
  /// The tensors in use: requires_grad set on them acts on the network.
  const StateDict& parameters() const { return tensors_; }

 private:
  struct Layers;

  UNetConfig config_;
  StateDict tensors_;
  std::shared_ptr<const Layers> layers_;
};

/// Freshly initialised weights (ADM's initialisation: zeroed output layers), seeded.
StateDict initial_unet(const UNetConfig& config, std::uint64_t seed);

}  // namespace disco
