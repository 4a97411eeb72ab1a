// The diffusion UNet of ADM (Dhariwal & Nichol 2021), in all configurations of the community's models.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "models/weights/state_dict.h"

namespace disco {

struct UNetConfig {
  std::int64_t image_size = 256;
  std::int64_t num_channels = 128;
  std::int64_t num_res_blocks = 2;
  std::int64_t num_heads = 4;
  std::int64_t num_head_channels = -1;  ///< When not −1, heads = channels / this.
  std::vector<std::int64_t> attention_resolutions;  ///< Sides at which attention acts, for example 32, 16, 8.
  std::vector<std::int64_t> channel_mult;           ///< Empty: ADM's own for the image size.
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

  /// Reads a NAME.model.json's config (attention_resolutions as ADM's text "32,16,8" or a list).
  static UNetConfig from_json(const nlohmann::json& config);
  nlohmann::json to_json() const;
};

class UNet {
 public:
  /// Completes `given` (which may be empty) from the tensors' names and shapes: any ADM configuration is recognised but
  /// for the number of heads of width-less attention (num_head_channels 64 is assumed) and image_size.
  static UNetConfig recognise(const StateDict& tensors, const nlohmann::json& given);
  /// Names and shapes of all tensors of a configuration.
  static std::vector<TensorInfo> manifest(const UNetConfig& config);

  /// Takes the tensors as they are (dtype, device). Throws FormatError naming missing tensors and wrong shapes.
  UNet(UNetConfig config, StateDict tensors);

  /// x (N,3,H,W), H and W multiples of the deepest level; t (N) timesteps as ADM sees them (0 … 1000, rescaled), float;
  /// y (N) class labels when class_count > 0. Returns (N,6,H,W) with learn_sigma, else (N,3,H,W). Differentiable by x and
  /// by the parameters.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& t, const at::Tensor& y = {}) const;

  const UNetConfig& config() const { return config_; }
  const StateDict& parameters() const { return tensors_; }

 private:
  UNetConfig config_;
  StateDict tensors_;
};

/// Freshly initialised weights (ADM's initialisation: zeroed output layers), seeded.
StateDict initial_unet(const UNetConfig& config, std::uint64_t seed);

}  // namespace disco
