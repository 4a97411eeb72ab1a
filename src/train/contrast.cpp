#include "train/contrast.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>

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
  // Times a scale of up to 100, bfloat16's eight bits would leave nothing of small differences.
  const c10::impl::ExcludeDispatchKeyGuard no_mixed_precision(c10::autocast_dispatch_keyset);
  const at::Tensor logits = scale * unit(images.to(at::kFloat)).matmul(unit(texts.to(at::kFloat)).t());
  return (cross_entropy(logits, agreement) + cross_entropy(logits.t(), agreement.t())) / 2;
}

}  // namespace disco
