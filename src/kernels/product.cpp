#include "kernels/product.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "kernels/differentiable.h"
#include "kernels/frozen_layer.h"
#include "kernels/panels.h"
#include "kernels/share_out.h"

namespace disco {
namespace {

constexpr std::int64_t most_rows_together = 96, block_rows = 12, least_rows = 48, least_width = 32;

/// Panel `panel` (inner, 32) of the columns of w (columns, inner), which lie in w as rows.
void lay_out_rows(const float* w, std::int64_t inner, std::int64_t panel, float* v) {
  const float* from = w + panel * panel_columns * inner;
  for (std::int64_t k = 0; k < inner; ++k) {
    for (std::int64_t c = 0; c < panel_columns; ++c) v[k * panel_columns + c] = from[c * inner + k];
  }
}

/// The same of w (inner, columns).
void lay_out_columns(const float* w, std::int64_t columns, std::int64_t inner, std::int64_t panel, float* v) {
  for (std::int64_t k = 0; k < inner; ++k) {
    const float* from = w + k * columns + panel * panel_columns;
    std::copy(from, from + panel_columns, v + k * panel_columns);
  }
}

/// Rows that a thread takes at a time: two turns for each thread, or more, in whole blocks of the product's registers.
std::int64_t rows_grain(std::int64_t rows) {
  const std::int64_t share = rows / (2 * at::get_num_threads());
  return std::clamp((share + block_rows - 1) / block_rows * block_rows, block_rows, most_rows_together);
}

/// The panels of weightᵀ, or of weight, (panels, inner, 32).
at::Tensor laid_out(const at::Tensor& weight, bool adjoint) {
  const at::Tensor right = weight.to(at::kFloat).contiguous();
  const std::int64_t inner = right.size(adjoint ? 0 : 1), columns = right.size(adjoint ? 1 : 0);
  at::Tensor result = at::empty({panel_count(columns), inner, panel_columns});
  float* v = result.mutable_data_ptr<float>();
  const float* w = right.const_data_ptr<float>();
  share_out(panel_count(columns), 1, [&](std::int64_t panel, std::int64_t) {
    float* to = v + panel * inner * panel_columns;
    if (adjoint) {
      lay_out_columns(w, columns, inner, panel, to);
    } else {
      lay_out_rows(w, inner, panel, to);
    }
  });
  return result;
}

/// x · weightᵀ + bias, or the adjoint x · weight.
at::Tensor multiply_keeping(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, bool adjoint,
                            KeptForms* kept) {
  using Form = KeptForms::Form;
  const at::Tensor left = x.contiguous(), shift = bias.defined() ? bias.contiguous() : bias;
  const std::int64_t inner = weight.size(adjoint ? 0 : 1), columns = weight.size(adjoint ? 1 : 0);
  const std::int64_t panels = panel_count(columns), rows = left.numel() / inner;
  const auto make = [&] { return laid_out(weight, adjoint); };
  const at::Tensor right = kept ? kept->get(adjoint ? Form::rows_adjoint : Form::rows, make) : make();
  const float* v = right.const_data_ptr<float>();
  std::vector<std::int64_t> shape = left.sizes().vec();
  shape.back() = columns;
  at::Tensor y = at::empty(shape, left.options());
  const float* from = left.const_data_ptr<float>();
  const float* shifts = bias.defined() ? shift.const_data_ptr<float>() : nullptr;
  float* to = y.mutable_data_ptr<float>();
  share_out(rows, rows_grain(rows), [&](std::int64_t begin, std::int64_t end) {
    thread_local std::vector<float> u;
    u.resize(static_cast<std::size_t>(most_rows_together * row_stride(inner)));
    for (std::int64_t row = begin; row < end; ++row) {
      std::copy(from + row * inner, from + (row + 1) * inner, u.data() + (row - begin) * row_stride(inner));
    }
    multiply_by_panels(u.data(), v, shifts, end - begin, inner, panels, to + begin * columns);
  });
  return y;
}

at::Tensor multiply(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, bool adjoint) {
  return multiply_keeping(x, weight, bias, adjoint, nullptr);
}

WeightGradients weight_gradients(const at::Tensor& x, const at::Tensor&, const at::Tensor& by_y) {
  const at::Tensor rows = by_y.flatten(0, -2);
  return {rows.t().mm(x.flatten(0, -2)), rows.sum(0)};
}

}  // namespace

bool panel_linear_applies(const at::Tensor& x, const at::Tensor& weight, bool laid_out) {
  if (!takes_floats_with(x, weight)) return false;
  const std::int64_t out = weight.size(0), in = weight.size(1);
  if (out % panel_columns != 0 || in % panel_columns != 0 || std::min(in, out) < least_width) return false;
  return x.numel() / in >= (laid_out ? block_rows : least_rows);
}

at::Tensor panel_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                        const KeptFormsPtr& kept) {
  if (kept && is_frozen(weight, bias)) return frozen_layer<multiply_keeping>(x, weight, bias, kept);
  return linear_layer<multiply, weight_gradients>(x, weight, bias);
}

}  // namespace disco
