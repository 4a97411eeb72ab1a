// What CLIP looks at: cutouts of the picture. GUIDED-STEP "Cutouts".
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "guidance/augment.h"
#include "tensor/random.h"

namespace disco {

struct CutoutSettings {
  std::int64_t cut_size = 224;
  int overview = 12;
  int inner = 4;
  double ic_pow = 1;
  double icgray_p = 0.2;
  AugmentationList list = AugmentationList::still;
  bool skip_augs = false;
  bool faithful = true;  ///< false puts the quirks marked (Q) right: the count of grey cuts, the doubled mask of fills.
};

/// picture (1,3,H,W) in [0,1] → (overview + inner, 3, cut_size, cut_size). Differentiable by the picture. The inner
/// cuts' places are drawn from `places`, the augmentations from `augmentation` (the same stream in faithful mode).
/// Throws RequestError when there is nothing to cut, or a number makes no sense.
at::Tensor make_cutouts(const at::Tensor& picture, const CutoutSettings& settings, RandomStream& places,
                        RandomStream& augmentation);

/// The older maker, used for image prompts: `count` cuts of picture (1,3,H,W), whatever its range: (count, 3, cut_size,
/// cut_size). The border around the picture is 0.
at::Tensor make_image_prompt_cutouts(const at::Tensor& picture, std::int64_t cut_size, int count, bool skip_augs,
                                     RandomStream& stream, bool faithful = true);

}  // namespace disco
