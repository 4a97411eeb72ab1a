#include "kernels/gate.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "kernels/gpu.h"
#include "kernels/pointwise_rows.h"
#include "kernels/share_out.h"

namespace disco {
namespace {

constexpr std::int64_t piece_floats = 1 << 15;

void write_gate(const at::Tensor& x, float steepness, const at::Tensor& y) {
  const float* from = x.const_data_ptr<float>();
  float* to = y.mutable_data_ptr<float>();
  share_out(x.numel(), piece_floats,
            [&](std::int64_t begin, std::int64_t end) { gate(from + begin, end - begin, steepness, to + begin); });
}

struct FusedGate : torch::autograd::Function<FusedGate> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, double steepness) {
    const at::AutoDispatchBelowAutograd below;
    context->save_for_backward({x});
    context->saved_data["steepness"] = steepness;
    at::Tensor y = at::empty_like(x);
    write_gate(x, static_cast<float>(steepness), y);
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const at::AutoDispatchBelowAutograd below;
    const at::Tensor x = context->get_saved_variables()[0];
    const auto steepness = static_cast<float>(context->saved_data["steepness"].toDouble());
    at::Tensor by_x = at::empty_like(x), by_y = at::empty_like(x);
    // In x's layout, whatever the gradient's.
    if (gradients[0].strides() == x.strides()) {
      by_y = gradients[0];
    } else {
      by_y.copy_(gradients[0]);
    }
    const float *values = x.const_data_ptr<float>(), *slopes = by_y.const_data_ptr<float>();
    float* to = by_x.mutable_data_ptr<float>();
    share_out(x.numel(), piece_floats, [&](std::int64_t begin, std::int64_t end) {
      gate_backward(values + begin, slopes + begin, end - begin, steepness, to + begin);
    });
    return {by_x, at::Tensor()};
  }
};

}  // namespace

bool fused_gate_applies(const at::Tensor& x) {
  const bool here = x.device().is_cpu() && x.scalar_type() == at::kFloat;
  const bool there = x.is_cuda() && gpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kHalf);
  return (here || there) && x.is_non_overlapping_and_dense();
}

at::Tensor fused_gate(const at::Tensor& fresh, double steepness) {
  if (fresh.is_cuda()) return gpu()->gate(fresh, steepness);
  if (at::GradMode::is_enabled() && fresh.requires_grad()) return FusedGate::apply(fresh, steepness);
  write_gate(fresh, static_cast<float>(steepness), fresh);
  return fresh;
}

}  // namespace disco
