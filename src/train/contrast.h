// CLIP's contrastive loss for captions that several pictures of a batch deserve.
#pragma once

#include <ATen/core/Tensor.h>

namespace disco {

/// images, texts (N,D) of any length; `agreement` (N,N) is 1 where text j is true of image i, with ones on its
/// diagonal. The mean cross entropy of softmax(scale · cosines) over texts and over images, against the uniform
/// distribution over the true ones: InfoNCE (Radford 2021) where each caption is true of its own picture only. A
/// scalar.
at::Tensor contrastive_loss(const at::Tensor& images, const at::Tensor& texts, const at::Tensor& scale,
                            const at::Tensor& agreement);

}  // namespace disco
