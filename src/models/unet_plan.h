// The order of ADM's modules (Dhariwal & Nichol 2021, section 3), from which both the manifest and the network follow.
#pragma once

#include <string>
#include <vector>

#include "models/unet.h"

namespace disco {

struct UNetPlan {
  enum class Kind { convolution, residual, attention, downsample, upsample };
  enum class Resample { none, down, up };

  /// One module, `name` its prefix in the state dict ("input_blocks.4.0").
  struct Module {
    Kind kind;
    std::string name;
    std::int64_t in, out;
    Resample resample = Resample::none;  ///< Of a residual block.
    std::int64_t heads = 0;              ///< Of attention.
  };
  using Block = std::vector<Module>;

  std::vector<Block> input, output;  ///< Each output block takes one input block's result as its skip connection.
  Block middle;
  std::int64_t first_width, last_width;  ///< Channels after the first and before the last convolution.
};

UNetPlan plan_unet(const UNetConfig& config);

/// PREFIX.weight and PREFIX.bias of every parametrised layer of a module.
std::vector<TensorInfo> module_manifest(const UNetConfig& config, const UNetPlan::Module& module);

/// Whether the network is so small that its weights are kept as the kernels read them (kernels/kept_forms.h): at the
/// sizes that it draws, laying 3×3 filters out takes longer than using them. These then take up to eight times their
/// memory.
bool keeps_forms(const UNetPlan& plan);

}  // namespace disco
