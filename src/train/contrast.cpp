#include "train/contrast.h"

#include <ATen/ATen.h>

namespace disco {
namespace {

at::Tensor unit(const at::Tensor& x) { return x / x.norm(2, {1}, true).clamp_min(1e-6); }

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& agreement) {
  const at::Tensor targets = agreement / agreement.sum(1, true);
  return -(targets * at::log_softmax(logits, 1)).sum(1).mean();
}

}  // namespace

at::Tensor contrastive_loss(const at::Tensor& images, const at::Tensor& texts, const at::Tensor& scale,
                            const at::Tensor& agreement) {
  const at::Tensor logits = scale * unit(images).matmul(unit(texts).t());
  return (cross_entropy(logits, agreement) + cross_entropy(logits.t(), agreement.t())) / 2;
}

}  // namespace disco
