// Weights kept in half precision to save memory; the layers widen them one at a time. Where the file holds halves
// nothing changes; else weights are rounded to 11 bits.
#pragma once

#include <string>

#include "models/weights/state_dict.h"

namespace disco {

/// Whether a network of this role ("diffusion", "clip", …) may keep this tensor so: the weights of its large layers,
/// whose sums are made in float32 all the same. Convolutions of CLIP's ResNets and of the secondary model stay as they
/// are.
bool may_be_half(const std::string& role, const TensorInfo& tensor);

/// The tensor in half precision where that holds all of its values' range, else as it is.
at::Tensor to_half(const at::Tensor& tensor);

}  // namespace disco
