#include "models/layers.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <utility>

#include "core/part_clock.h"
#include "kernels/choice.h"
#include "kernels/column_convolution.h"
#include "kernels/convolution.h"
#include "kernels/frozen_layer.h"
#include "kernels/gate.h"
#include "kernels/gpu.h"
#include "kernels/group_norm.h"
#include "kernels/product.h"

namespace disco {
namespace {

constexpr double epsilon = 1e-5;

/// Calls norm(x, weight, bias), in float32 when the dtypes differ; for equal half types the kernels themselves compute
/// in float32.
template <class Norm>
at::Tensor in_float(const at::Tensor& x, const Affine& layer, const Norm& norm) {
  if (layer.weight.scalar_type() == x.scalar_type()) return norm(x, layer.weight, layer.bias);
  return norm(x.to(at::kFloat), layer.weight.to(at::kFloat), layer.bias.to(at::kFloat)).to(x.scalar_type());
}

struct Joined : torch::autograd::Function<Joined> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& a, const at::Tensor& b) {
    const at::AutoDispatchBelowAutograd below;
    context->saved_data["first"] = a.size(1);
    return at::cat({a, b}, 1);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const at::AutoDispatchBelowAutograd below;
    const at::Tensor& whole = gradients[0];
    const std::int64_t first = context->saved_data["first"].toInt();
    const auto part = [&](std::int64_t from, std::int64_t count) {
      return whole.narrow(1, from, count).contiguous(at::MemoryFormat::ChannelsLast);
    };
    return {part(0, first), part(first, whole.size(1) - first)};
  }
};

/// x at twice its length along an axis, linear between the middles of its values, as a sum of slices.
at::Tensor doubled_along(const at::Tensor& x, std::int64_t axis) {
  const std::int64_t last = x.size(axis) - 1;
  const at::Tensor before = at::cat({x.narrow(axis, 0, 1), x.narrow(axis, 0, last)}, axis);
  const at::Tensor after = at::cat({x.narrow(axis, 1, last), x.narrow(axis, last, 1)}, axis);
  return at::stack({x * .75 + before * .25, x * .75 + after * .25}, axis + 1).flatten(axis, axis + 1);
}

/// What a batch norm does: y = x·scale + shift.
std::pair<at::Tensor, at::Tensor> scale_and_shift(const BatchNorm& norm) {
  at::Tensor scale = norm.weight.to(at::kFloat) * at::rsqrt(norm.variance.to(at::kFloat) + epsilon);
  at::Tensor shift = norm.bias.to(at::kFloat) - norm.mean.to(at::kFloat) * scale;
  return {std::move(scale), std::move(shift)};
}

void count_products(double products) { count_flops(2 * products); }

void count_convolution(const at::Tensor& x, const at::Tensor& weight, std::int64_t stride) {
  const double places = static_cast<double>(x.size(0) * x.size(2) * x.size(3)) / static_cast<double>(stride * stride);
  count_products(places * static_cast<double>(weight.numel()));
}

/// The layer's weight in the dtype of x: weights may be kept in half precision, and are widened while they are used.
at::Tensor widened(const at::Tensor& weight, const at::Tensor& x) {
  return weight.scalar_type() == at::kHalf ? weight.to(x.scalar_type()) : weight;
}

/// Mixed precision is LibTorch's own: it casts what its operators are given.
bool own_products() { return chosen_kernels() == Kernels::fast && !at::autocast::is_autocast_enabled(at::kCPU); }

at::Tensor product(const at::Tensor& x, const Affine& layer) {
  if (own_products() && panel_linear_applies(x, layer.weight, layer.kept != nullptr)) {
    return panel_linear(x, layer.weight, layer.bias, layer.kept);
  }
  return at::linear(x, widened(layer.weight, x), layer.bias);
}

/// Whether a kernel of ours adds the bias along with what comes after a convolution: LibTorch takes a pass of its own
/// for it on a GPU. It has no gradient by the bias.
bool takes_bias_later(const at::Tensor& x, const Affine& layer) {
  const bool trained = layer.bias.defined() && at::GradMode::is_enabled() && layer.bias.requires_grad();
  return chosen_kernels() == Kernels::fast && x.is_cuda() && gpu() && layer.bias.defined() && !trained &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kHalf) &&
         !at::autocast::is_autocast_enabled(at::kCUDA);
}

at::Tensor finished(at::Tensor result, const AfterConvolution& after) {
  if (after.other.defined()) result = add_to(std::move(result), after.other);
  return after.relu ? apply_relu(result) : result;
}

/// Gain and shift (N,C) of a norm and its modulation.
std::pair<at::Tensor, at::Tensor> modulation(const Affine& norm, const AfterNorm& after, std::int64_t pictures) {
  if (after.gain.defined()) return {after.gain, after.shift};
  if (!after.scale.defined()) return {norm.weight.expand({pictures, -1}), norm.bias.expand({pictures, -1})};
  return {norm.weight * (1 + after.scale), at::addcmul(after.shift, norm.bias, 1 + after.scale)};
}

/// On a GPU the fused norm has no gradients but by x.
bool fuses(const at::Tensor& x, const Affine& layer, const AfterNorm& after) {
  if (chosen_kernels() != Kernels::fast || !fused_group_norm_applies(x)) return false;
  if (!x.is_cuda()) return layer.weight.scalar_type() == at::kFloat;
  const bool trained = layer.weight.requires_grad() || (after.scale.defined() && after.scale.requires_grad());
  return !(at::GradMode::is_enabled() && trained);
}

/// Whether our own kernels make pictures of twice and half the size of x.
bool resizes_on_gpu(const at::Tensor& x) {
  constexpr std::int64_t halves_in_a_vector = 8;
  return chosen_kernels() == Kernels::fast && x.is_cuda() && gpu() && x.size(1) % halves_in_a_vector == 0 &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kHalf);
}

/// A 1×1 convolution, as the product that it is.
at::Tensor pointwise(const at::Tensor& x, const Affine& layer) {
  return product(x.permute({0, 2, 3, 1}), {layer.weight.flatten(1), layer.bias, layer.kept}).permute({0, 3, 1, 2});
}

}  // namespace

Affine affine(const StateDict& tensors, const std::string& prefix, std::optional<bool> keeps) {
  const auto bias = tensors.find(prefix + ".bias");
  Affine layer{tensors.at(prefix + ".weight"), bias == tensors.end() ? at::Tensor() : bias->second};
  const bool is_norm = layer.weight.dim() < 2;
  if (keeps && !is_norm) layer.kept = c10::make_intrusive<KeptForms>(*keeps);
  return layer;
}

bool is_frozen(const Affine& layer) { return is_frozen(layer.weight, layer.bias); }

at::Tensor linear(const at::Tensor& x, const Affine& layer) {
  count_products(static_cast<double>(x.numel()) * static_cast<double>(layer.weight.size(0)));
  return product(x, layer);
}

at::Tensor convolution(const at::Tensor& x, const Affine& layer, std::int64_t stride, std::int64_t padding,
                       const AfterConvolution& after) {
  const auto own = [&](at::Tensor result) {
    count_convolution(x, layer.weight, stride);
    return finished(std::move(result), after);
  };
  if (own_products() && padding == 1) {
    const bool keeps = layer.kept && is_frozen(layer);
    if (keeps && stride == 1 && kept_winograd_applies(x, layer.weight))
      return own(kept_winograd_convolution(x, layer.weight, layer.bias, layer.kept));
    if (keeps && column_convolution_applies(x, layer.weight, stride))
      return own(column_convolution(x, layer.weight, layer.bias, layer.kept, stride));
    if (stride == 1 && winograd_applies(x, layer.weight)) return own(winograd_convolution(x, layer.weight, layer.bias));
  }
  return direct_convolution(x, layer, stride, padding, after);
}

at::Tensor direct_convolution(const at::Tensor& x, const Affine& layer, std::int64_t stride, std::int64_t padding,
                              const AfterConvolution& after) {
  if ((after.relu || after.other.defined()) && takes_bias_later(x, layer)) {
    return gpu()->shifted(direct_convolution(x, {layer.weight, {}}, stride, padding), layer.bias, after.other,
                          after.relu);
  }
  count_convolution(x, layer.weight, stride);
  const bool is_product = layer.weight.size(2) == 1 && layer.weight.size(3) == 1 && stride == 1 && padding == 0;
  at::Tensor result =
      is_product ? pointwise(x, layer) : at::conv2d(x, widened(layer.weight, x), layer.bias, stride, padding);
  return finished(std::move(result), after);
}

at::Tensor patch_embedding(const at::Tensor& x, const Affine& layer, std::int64_t patch) {
  const std::int64_t n = x.size(0), channels = x.size(1), down = x.size(2) / patch, across = x.size(3) / patch;
  if (own_products() && x.is_cpu() && x.size(2) % patch == 0 && x.size(3) % patch == 0) {
    const at::Tensor squares = x.view({n, channels, down, patch, across, patch}).permute({0, 2, 4, 1, 3, 5});
    return linear(squares.reshape({n, down * across, channels * patch * patch}),
                  {layer.weight.flatten(1), layer.bias, layer.kept});
  }
  count_convolution(x, layer.weight, patch);
  return at::conv2d(x, layer.weight, layer.bias, patch).flatten(2).transpose(1, 2);
}

at::Tensor added_convolutions(const at::Tensor& x, const Affine& layer, const at::Tensor& other,
                              const Affine& other_layer) {
  if (takes_bias_later(x, layer) && takes_bias_later(other, other_layer)) {
    const at::Tensor product = convolution(x, {layer.weight, {}}, 1, 1);
    return gpu()->shifted(product, layer.bias + other_layer.bias, convolution(other, {other_layer.weight, {}}),
                          /*relu=*/false);
  }
  at::Tensor sum = convolution(x, layer, 1, 1);
  return add_to(std::move(sum), convolution(other, other_layer));
}

at::Tensor group_norm(const at::Tensor& x, const Affine& layer, const AfterNorm& after) {
  if (at::autocast::is_autocast_enabled(at::kCPU) && x.scalar_type() == at::kBFloat16) {
    return group_norm(x.to(at::kFloat), layer, after);  // As mixed precision has it, and then by the fused kernel.
  }
  const bool modulated = after.scale.defined();
  if (fuses(x, layer, after)) {
    const auto [gain, shift] = modulation(layer, after, x.size(0));
    return fused_group_norm(x, gain, shift, after.silu);
  }
  const auto everywhere = [](const at::Tensor& t) { return t.unsqueeze(-1).unsqueeze(-1); };
  if (after.gain.defined()) {
    const at::Tensor unit = at::group_norm(x, 32, {}, {}, epsilon);
    at::Tensor y = at::addcmul(everywhere(after.shift), unit, everywhere(after.gain));
    return after.silu ? apply_silu(std::move(y)) : y;
  }
  at::Tensor y = in_float(x, layer, [](const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias) {
    return at::group_norm(input, 32, weight, bias, epsilon);
  });
  if (modulated) y = at::addcmul(everywhere(after.shift), y, everywhere(1 + after.scale));
  return after.silu ? apply_silu(std::move(y)) : y;
}

at::Tensor convolution_and_norm(const at::Tensor& x, const Affine& layer, const Affine& norm, const AfterNorm& after) {
  if (takes_bias_later(x, layer) && !at::GradMode::is_enabled()) {
    const at::Tensor product = convolution(x, {layer.weight, {}}, 1, 1);
    if (fuses(product, norm, after)) {
      const auto [gain, shift] = modulation(norm, after, x.size(0));
      return gpu()->group_norm(product, gain, shift, after.silu, layer.bias);
    }
    return group_norm(product + layer.bias.view({1, -1, 1, 1}), norm, after);
  }
  return group_norm(convolution(x, layer, 1, 1), norm, after);
}

at::Tensor layer_norm(const at::Tensor& x, const Affine& layer) {
  return in_float(x, layer, [](const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias) {
    return at::layer_norm(input, weight.sizes(), weight, bias, epsilon);
  });
}

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, bool causal) {
  const auto length = static_cast<double>(k.size(2));
  count_products(2 * static_cast<double>(q.numel()) * length);
  return at::scaled_dot_product_attention(q, k, v, {}, 0, causal);
}

at::Tensor doubled(const at::Tensor& x) {
  if (resizes_on_gpu(x)) return gpu()->doubled(x);
  // The gradient of LibTorch's operator there depends on the order in which threads come.
  if (x.is_cuda()) return doubled_along(doubled_along(x, 2), 3).contiguous(at::MemoryFormat::ChannelsLast);
  return at::upsample_bilinear2d(x, {x.size(2) * 2, x.size(3) * 2}, /*align_corners=*/false);
}

at::Tensor halved(const at::Tensor& x) {
  const bool even = x.size(2) % 2 == 0 && x.size(3) % 2 == 0;
  return even && resizes_on_gpu(x) ? gpu()->halved(x) : at::avg_pool2d(x, 2);
}

at::Tensor repeated(const at::Tensor& x) {
  if (resizes_on_gpu(x)) return gpu()->repeated(x);
  return at::upsample_nearest2d(x, {x.size(2) * 2, x.size(3) * 2});
}

at::Tensor joined(const at::Tensor& a, const at::Tensor& b) { return Joined::apply(a, b); }

BatchNorm batch_norm(const StateDict& tensors, const std::string& prefix) {
  return {tensors.at(prefix + ".weight"), tensors.at(prefix + ".bias"), tensors.at(prefix + ".running_mean"),
          tensors.at(prefix + ".running_var")};
}

Affine folded(const at::Tensor& weight, const BatchNorm& norm) {
  const auto [scale, shift] = scale_and_shift(norm);
  return {weight.to(at::kFloat) * scale.view({-1, 1, 1, 1}), shift};
}

at::Tensor batch_norm(const at::Tensor& x, const BatchNorm& layer) {
  const auto [scale, shift] = scale_and_shift(layer);
  const auto channels = [&](const at::Tensor& t) { return t.to(x.scalar_type()).view({1, -1, 1, 1}); };
  return at::addcmul(channels(shift), x, channels(scale));
}

at::Tensor batch_norm_training(const at::Tensor& x, const BatchNorm& layer) {
  constexpr double momentum = 0.1;
  return at::batch_norm(x, layer.weight, layer.bias, layer.mean.detach(), layer.variance.detach(), /*training=*/true,
                        momentum, epsilon, /*cudnn_enabled=*/true);
}

at::Tensor apply_silu(at::Tensor fresh) {
  if (chosen_kernels() == Kernels::fast && fused_gate_applies(fresh)) return fused_gate(fresh, 1);
  return fresh.requires_grad() ? at::silu(fresh) : at::silu_(fresh);
}

at::Tensor apply_relu(const at::Tensor& fresh) {
  at::Tensor same = fresh;
  return at::relu_(same);
}

at::Tensor add_to(at::Tensor fresh, const at::Tensor& b) {
  fresh.add_(b);
  return fresh;
}

at::Tensor apply_gelu(at::Tensor fresh, bool quick) {
  if (!quick) return at::gelu(fresh);
  constexpr double slope = 1.702;
  if (chosen_kernels() == Kernels::fast && fused_gate_applies(fresh)) return fused_gate(fresh, slope);
  // SiLU keeps one tensor for its gradient where the product and the sigmoid would keep two.
  fresh = fresh.requires_grad() ? fresh * slope : fresh.mul_(slope);
  return apply_silu(std::move(fresh)).div_(slope);
}

}  // namespace disco
