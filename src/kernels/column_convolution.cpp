#include "kernels/column_convolution.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "kernels/differentiable.h"
#include "kernels/frozen_convolution.h"
#include "kernels/panels.h"
#include "kernels/share_out.h"

namespace disco {
namespace {

constexpr std::int64_t filter_side = 3, filter_points = 9;

/// Panel `panel` (9·rows, 32) of the matrix by which the samples under a filter, place by place, are multiplied. The
/// adjoint goes from outputs to inputs, with each filter turned by 180°.
void lay_out(const float* w, std::int64_t outputs, std::int64_t inputs, bool adjoint, std::int64_t panel, float* v) {
  const std::int64_t rows = adjoint ? outputs : inputs;
  for (std::int64_t c = 0; c < panel_columns; ++c) {
    const std::int64_t column = panel * panel_columns + c;
    for (std::int64_t row = 0; row < rows; ++row) {
      const float* filter = w + (adjoint ? row * inputs + column : column * inputs + row) * filter_points;
      for (std::int64_t point = 0; point < filter_points; ++point) {
        v[(point * rows + row) * panel_columns + c] = filter[adjoint ? filter_points - 1 - point : point];
      }
    }
  }
}

/// (panels, 9·rows, 32).
at::Tensor laid_out(const at::Tensor& weight, bool adjoint) {
  const at::Tensor dense = weight.to(at::kFloat).contiguous();
  const std::int64_t outputs = dense.size(0), inputs = dense.size(1);
  const std::int64_t rows = adjoint ? outputs : inputs, panels = panel_count(adjoint ? inputs : outputs);
  at::Tensor matrix = at::empty({panels, filter_points * rows, panel_columns});
  const float* w = dense.const_data_ptr<float>();
  float* v = matrix.mutable_data_ptr<float>();
  share_out(panels, 1, [&](std::int64_t panel, std::int64_t) {
    lay_out(w, outputs, inputs, adjoint, panel, v + panel * filter_points * rows * panel_columns);
  });
  return matrix;
}

/// A picture (N,H,W,C).
struct Samples {
  const float* x;
  std::int64_t pictures, height, width, channels;
};

/// Rows of u, row_stride(9·channels) floats apart: the samples around each pixel of row `line` of all pictures' rows,
/// zero outside the picture.
void gather(const Samples& from, std::int64_t line, float* u) {
  const std::int64_t picture = line / from.height, y = line % from.height;
  const std::int64_t stride = row_stride(filter_points * from.channels);
  for (std::int64_t x = 0; x < from.width; ++x) {
    float* to = u + (line * from.width + x) * stride;
    for (std::int64_t point = 0; point < filter_points; ++point, to += from.channels) {
      const std::int64_t j = y + point / filter_side - 1, i = x + point % filter_side - 1;
      if (j < 0 || j >= from.height || i < 0 || i >= from.width) {
        std::fill_n(to, from.channels, 0.0f);
      } else {
        std::copy_n(from.x + ((picture * from.height + j) * from.width + i) * from.channels, from.channels, to);
      }
    }
  }
}

at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, bool adjoint,
                    KeptFilters* kept) {
  const at::Tensor picture = x.contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor shift = bias.defined() ? bias.contiguous() : bias;
  const at::Tensor matrix = kept->get(adjoint ? KeptFilters::Form::columns_adjoint : KeptFilters::Form::columns,
                                      [&] { return laid_out(weight, adjoint); });
  const Samples from{picture.const_data_ptr<float>(), picture.size(0), picture.size(2), picture.size(3),
                     picture.size(1)};
  const std::int64_t columns = adjoint ? weight.size(1) : weight.size(0), panels = panel_count(columns);
  const std::int64_t inner = filter_points * from.channels, lines = from.pictures * from.height;
  const std::int64_t rows = lines * from.width;
  at::Tensor y = at::empty({from.pictures, columns, from.height, from.width},
                           picture.options().memory_format(at::MemoryFormat::ChannelsLast));
  const at::Tensor u_memory = at::empty({rows * row_stride(inner)});
  float *u = u_memory.mutable_data_ptr<float>(), *to = y.mutable_data_ptr<float>();
  const float *v = matrix.const_data_ptr<float>(), *shifts = bias.defined() ? shift.const_data_ptr<float>() : nullptr;
  share_out(lines, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t line = begin; line < end; ++line) gather(from, line, u);
  });
  // There are few rows and long sums: threads take panels of columns.
  share_out(panels, 1, [&](std::int64_t panel, std::int64_t) {
    thread_local std::vector<float> m;
    m.resize(static_cast<std::size_t>(rows * panel_columns));
    const std::int64_t first = panel * panel_columns;
    multiply_by_panels(u, v + first * inner, shifts ? shifts + first : nullptr, rows, inner, 1, m.data());
    for (std::int64_t row = 0; row < rows; ++row) {
      std::copy_n(m.data() + row * panel_columns, panel_columns, to + row * columns + first);
    }
  });
  return y;
}

}  // namespace

bool column_convolution_applies(const at::Tensor& x, const at::Tensor& weight) {
  return takes_3x3_filters(x, weight) && !weight.requires_grad() && weight.size(0) % panel_columns == 0 &&
         weight.size(1) % panel_columns == 0;
}

at::Tensor column_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                              const KeptFiltersPtr& kept) {
  return frozen_convolution<convolve>(x, weight, bias, kept);
}

}  // namespace disco
