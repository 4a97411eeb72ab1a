// The layers that the networks are made of, as functions of activations and weights. The weights are handles to the
// state dict's own tensors: a gradient asked of those arrives there.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>

#include "kernels/kept_forms.h"
#include "models/weights/state_dict.h"

namespace disco {

/// A weight and a bias; the bias may be undefined.
struct Affine {
  at::Tensor weight, bias;
  KeptFormsPtr kept = {};  ///< Set for layers of small networks, whose weights do not change but by training.
};

/// Whether neither wants a gradient.
bool is_frozen(const Affine& layer);

/// PREFIX.weight, and PREFIX.bias where there is one. The tensors have been checked to exist. `keeps` as KeptForms has
/// it, of a network that is small enough for kept forms.
Affine affine(const StateDict& tensors, const std::string& prefix, std::optional<bool> keeps = std::nullopt);

/// x (…, in) → (…, out).
at::Tensor linear(const at::Tensor& x, const Affine& layer);
/// What becomes of a convolution's result.
struct AfterConvolution {
  at::Tensor other = {};  ///< Of its shape, added where it is defined.
  bool relu = false;      ///< Then through ReLU.
};
/// x (N,in,H,W) → (N,out,H′,W′), zero padding. Results mostly lie with channels innermost, and are made with the fewest
/// copies from an x that does.
at::Tensor convolution(const at::Tensor& x, const Affine& layer, std::int64_t stride = 1, std::int64_t padding = 0,
                       const AfterConvolution& after = {});
/// The same, never by Winograd's algorithm: for gradients through ReLU and max pooling. Sums that are a millionth off
/// turn one of their gates now and then, and the gradient around that pixel is another one.
at::Tensor direct_convolution(const at::Tensor& x, const Affine& layer, std::int64_t stride = 1,
                              std::int64_t padding = 0, const AfterConvolution& after = {});
/// x (N,3,H,W) in squares of `patch` pixels, each through one layer (out,3,patch,patch): (N,out,H/patch,W/patch) as
/// rows, (N,H·W/patch²,out).
at::Tensor patch_embedding(const at::Tensor& x, const Affine& layer, std::int64_t patch);
/// The sum of a 3×3 convolution() and of a 1×1 one of another picture.
at::Tensor added_convolutions(const at::Tensor& x, const Affine& layer, const at::Tensor& other,
                              const Affine& other_layer);
/// What becomes of a normalised picture.
struct AfterNorm {
  at::Tensor scale = {}, shift = {};  ///< (N,C), or both undefined: times (1 + scale), plus shift.
  bool silu = false;                  ///< Then through SiLU.
  /// (N,C): with `shift`, what the norm's own weight and bias and `scale` come to, instead of them.
  at::Tensor gain = {};
};

/// 32 groups over the channels of (N,C,H,W), and what comes after; statistics in float32 whatever the dtypes (ADM's
/// GroupNorm32).
at::Tensor group_norm(const at::Tensor& x, const Affine& layer, const AfterNorm& after = {});
/// group_norm() of a 3×3 convolution().
at::Tensor convolution_and_norm(const at::Tensor& x, const Affine& layer, const Affine& norm, const AfterNorm& after);
/// Over the last axis, in float32 whatever the dtypes.
at::Tensor layer_norm(const at::Tensor& x, const Affine& layer);
/// Softmax attention over (N,heads,L,d), scaled by 1/sqrt(d).
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, bool causal = false);

/// x (N,C,H,W) at twice its size, bilinear without aligned corners.
at::Tensor doubled(const at::Tensor& x);
/// The mean of each 2×2 pixels of x (N,C,H,W); an odd side's last ones are left out.
at::Tensor halved(const at::Tensor& x);
/// Each pixel of x (N,C,H,W) as 2×2.
at::Tensor repeated(const at::Tensor& x);

/// a and b (N,C,H,W) one after the other along the channels. Their gradients are tensors of their own: parts of the
/// joined one would keep all of it alive for as long as one of them waits.
at::Tensor joined(const at::Tensor& a, const at::Tensor& b);

/// y = x·scale + shift of a batch norm on its running statistics. Written so that x need not be kept for the gradient
/// by x: only the scale is.
struct BatchNorm {
  at::Tensor weight, bias, mean, variance;
};
/// The tensors must have been checked to exist.
BatchNorm batch_norm(const StateDict& tensors, const std::string& prefix);
/// A convolution without bias and the norm after it as one convolution, in float32.
Affine folded(const at::Tensor& weight, const BatchNorm& norm);
at::Tensor batch_norm(const at::Tensor& x, const BatchNorm& layer);
/// The same on the statistics of x (N,C,H,W) itself, for training: a tenth of them goes into the running ones, in place
/// (Ioffe & Szegedy 2015, as PyTorch has it).
at::Tensor batch_norm_training(const at::Tensor& x, const BatchNorm& layer);

/// SiLU of a fresh result that nobody else holds; overwrites it where no gradient is to come.
at::Tensor apply_silu(at::Tensor fresh);
/// ReLU that overwrites a fresh result of a convolution, norm or sum (whose gradients do not need it).
at::Tensor apply_relu(const at::Tensor& fresh);
/// a + b, into an `a` that is fresh likewise.
at::Tensor add_to(at::Tensor fresh, const at::Tensor& b);
/// GELU, or x·sigmoid(1.702x), of a fresh result.
at::Tensor apply_gelu(at::Tensor fresh, bool quick);

}  // namespace disco
