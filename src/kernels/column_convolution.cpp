#include "kernels/column_convolution.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "kernels/differentiable.h"
#include "kernels/frozen_layer.h"
#include "kernels/panels.h"
#include "kernels/share_out.h"

namespace disco {
namespace {

constexpr std::int64_t filter_side = 3, filter_points = 9;
/// Of the samples under the filters: more are not worth their memory.
constexpr std::int64_t most_samples = 4 << 20;

/// Filters (outputs, inputs, 3, 3).
struct Filters {
  const float* w;
  std::int64_t outputs, inputs;

  float at(std::int64_t output, std::int64_t input, std::int64_t point) const {
    return w[(output * inputs + input) * filter_points + point];
  }
};

/// (panels, 9·channels, 32): value(point, channel, column) in row point·channels + channel, zero beyond the last
/// column.
template <typename Value>
at::Tensor rows_by_point(std::int64_t channels, std::int64_t columns, const Value& value) {
  const std::int64_t panels = panel_count(columns);
  at::Tensor matrix = at::empty({panels, filter_points * channels, panel_columns});
  float* v = matrix.mutable_data_ptr<float>();
  share_out(panels, 1, [&](std::int64_t panel, std::int64_t) {
    float* first = v + panel * filter_points * channels * panel_columns;
    const std::int64_t begin = panel * panel_columns, width = std::min(panel_columns, columns - begin);
    for (std::int64_t channel = 0; channel < channels; ++channel) {
      for (std::int64_t point = 0; point < filter_points; ++point) {
        float* to = first + (point * channels + channel) * panel_columns;
        for (std::int64_t c = 0; c < width; ++c) to[c] = value(point, channel, begin + c);
        std::fill(to + width, to + panel_columns, 0.0f);
      }
    }
  });
  return matrix;
}

/// (panels, rows, 32): value(row, point, channel) in column point·channels + channel, zero beyond the last one.
template <typename Value>
at::Tensor columns_by_point(std::int64_t rows, std::int64_t channels, const Value& value) {
  const std::int64_t columns = filter_points * channels, panels = panel_count(columns);
  at::Tensor matrix = at::zeros({panels, rows, panel_columns});
  float* v = matrix.mutable_data_ptr<float>();
  share_out(rows, 1, [&](std::int64_t row, std::int64_t) {
    for (std::int64_t column = 0; column < columns; ++column) {
      v[(column / panel_columns * rows + row) * panel_columns + column % panel_columns] =
          value(row, column / channels, column % channels);
    }
  });
  return matrix;
}

using Form = KeptForms::Form;

/// The matrix by which a form multiplies. `columns` takes the samples under a filter, place by place; `columns_adjoint`
/// goes from outputs to inputs, with each filter turned by 180°; `points_adjoint` gives what an output's gradient adds
/// to each of the samples under its filter.
at::Tensor laid_out(const at::Tensor& weight, Form form) {
  const at::Tensor dense = weight.to(at::kFloat).contiguous();
  const float* w = dense.const_data_ptr<float>();
  const std::int64_t outputs = dense.size(0), inputs = dense.size(1);
  const auto filter = [&](std::int64_t output, std::int64_t input) {
    return w + (output * inputs + input) * filter_points;
  };
  if (form == Form::columns) {
    return rows_by_point(inputs, outputs, [&](std::int64_t point, std::int64_t input, std::int64_t output) {
      return filter(output, input)[point];
    });
  }
  if (form == Form::columns_adjoint) {
    return rows_by_point(outputs, inputs, [&](std::int64_t point, std::int64_t output, std::int64_t input) {
      return filter(output, input)[filter_points - 1 - point];
    });
  }
  return columns_by_point(outputs, inputs, [&](std::int64_t output, std::int64_t point, std::int64_t input) {
    return filter(output, input)[point];
  });
}

/// Pictures (N,H,W,C).
struct Samples {
  std::int64_t pictures, height, width, channels;

  explicit Samples(const at::Tensor& x)
      : pictures(x.size(0)), height(x.size(2)), width(x.size(3)), channels(x.size(1)) {}
  std::int64_t lines() const { return pictures * height; }
  std::int64_t rows() const { return lines() * width; }
};

/// Calls place(point, sample) for the nine samples of x around pixel (line, column) of the result: `sample` counts the
/// pixels of all pictures, and is −1 outside of them.
template <typename Place>
void around(const Samples& x, const Samples& y, std::int64_t stride, std::int64_t line, std::int64_t column,
            const Place& place) {
  const std::int64_t picture = line / y.height, row = line % y.height;
  for (std::int64_t point = 0; point < filter_points; ++point) {
    const std::int64_t j = row * stride + point / filter_side - 1, i = column * stride + point % filter_side - 1;
    const bool outside = j < 0 || j >= x.height || i < 0 || i >= x.width;
    place(point, outside ? -1 : (picture * x.height + j) * x.width + i);
  }
}

/// m (rows, columns) = u · v + shifts (padded columns); threads take panels of columns, as there are few rows and long
/// sums.
void multiply(const float* u, const at::Tensor& matrix, const float* shifts, std::int64_t rows, std::int64_t columns,
              float* m) {
  const std::int64_t inner = matrix.size(1);
  const float* v = matrix.const_data_ptr<float>();
  share_out(matrix.size(0), 1, [&](std::int64_t panel, std::int64_t) {
    thread_local std::vector<float> result;
    result.resize(static_cast<std::size_t>(rows * panel_columns));
    const std::int64_t first = panel * panel_columns, width = std::min(panel_columns, columns - first);
    multiply_by_panels(u, v + first * inner, shifts ? shifts + first : nullptr, rows, inner, 1, result.data());
    for (std::int64_t row = 0; row < rows; ++row)
      std::copy_n(result.data() + row * panel_columns, width, m + row * columns + first);
  });
}

at::Tensor innermost(at::IntArrayRef sizes, const at::Tensor& like) {
  return at::empty(sizes, like.options().memory_format(at::MemoryFormat::ChannelsLast));
}

/// The samples around each pixel of y, row_stride(9·channels) floats apart, times the form's matrix.
at::Tensor multiply_samples(const at::Tensor& x, const at::Tensor& matrix, const at::Tensor& bias, at::Tensor y,
                            std::int64_t stride) {
  const at::Tensor picture = x.contiguous(at::MemoryFormat::ChannelsLast);
  const Samples from(picture), to(y);
  const std::int64_t missing = padded_columns(to.channels) - to.channels;
  const at::Tensor shift = bias.defined() ? at::constant_pad_nd(bias, {0, missing}).contiguous() : bias;
  const std::int64_t channels = from.channels, row = row_stride(filter_points * channels);
  const at::Tensor u_memory = at::empty({to.rows() * row});
  float* u = u_memory.mutable_data_ptr<float>();
  const float* samples = picture.const_data_ptr<float>();
  share_out(to.lines(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t line = begin; line < end; ++line) {
      for (std::int64_t column = 0; column < to.width; ++column) {
        float* under = u + (line * to.width + column) * row;
        around(from, to, stride, line, column, [&](std::int64_t point, std::int64_t sample) {
          if (sample < 0) {
            std::fill_n(under + point * channels, channels, 0.0f);
          } else {
            std::copy_n(samples + sample * channels, channels, under + point * channels);
          }
        });
      }
    }
  });
  multiply(u, matrix, bias.defined() ? shift.const_data_ptr<float>() : nullptr, to.rows(), to.channels,
           y.mutable_data_ptr<float>());
  return y;
}

/// by_x of a strided convolution: what each output adds to the samples under its filter, summed over the outputs.
at::Tensor gather_points(const at::Tensor& by_y, const at::Tensor& matrix, at::Tensor by_x, std::int64_t stride) {
  const at::Tensor gradient = by_y.contiguous(at::MemoryFormat::ChannelsLast);
  const Samples from(gradient), to(by_x);
  const std::int64_t inner = from.channels, row = row_stride(inner), columns = filter_points * to.channels;
  const at::Tensor u_memory = at::empty({from.rows() * row}), m_memory = at::empty({from.rows() * columns});
  float *u = u_memory.mutable_data_ptr<float>(), *m = m_memory.mutable_data_ptr<float>();
  const float* gradients = gradient.const_data_ptr<float>();
  for (std::int64_t k = 0; k < from.rows(); ++k) std::copy_n(gradients + k * inner, inner, u + k * row);
  multiply(u, matrix, nullptr, from.rows(), columns, m);
  float* sums = by_x.mutable_data_ptr<float>();
  const std::int64_t channels = to.channels;
  share_out(to.lines(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t line = begin; line < end; ++line) {
      const std::int64_t picture = line / to.height, y = line % to.height;
      for (std::int64_t x = 0; x < to.width; ++x) {
        float* sum = sums + (line * to.width + x) * channels;
        std::fill_n(sum, channels, 0.0f);
        for (std::int64_t point = 0; point < filter_points; ++point) {
          const std::int64_t j = y + 1 - point / filter_side, i = x + 1 - point % filter_side;
          if (j < 0 || i < 0 || j % stride != 0 || i % stride != 0) continue;
          if (j / stride >= from.height || i / stride >= from.width) continue;
          const std::int64_t output = (picture * from.height + j / stride) * from.width + i / stride;
          const float* part = m + output * columns + point * channels;
          for (std::int64_t c = 0; c < channels; ++c) sum[c] += part[c];
        }
      }
    }
  });
  return by_x;
}

template <std::int64_t stride>
at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, bool adjoint,
                    KeptForms* kept) {
  const auto matrix = [&](Form form) { return kept->get(form, [&] { return laid_out(weight, form); }); };
  const std::int64_t pictures = x.size(0), height = x.size(2), width = x.size(3);
  if (!adjoint) {
    at::Tensor y = innermost({pictures, weight.size(0), height / stride, width / stride}, x);
    return multiply_samples(x, matrix(Form::columns), bias, std::move(y), stride);
  }
  at::Tensor by_x = innermost({pictures, weight.size(1), height * stride, width * stride}, x);
  if (stride == 1) return multiply_samples(x, matrix(Form::columns_adjoint), {}, std::move(by_x), 1);
  return gather_points(x, matrix(Form::points_adjoint), std::move(by_x), stride);
}

}  // namespace

bool column_convolution_applies(const at::Tensor& x, const at::Tensor& weight, std::int64_t stride) {
  if (!takes_3x3_filters(x, weight) || weight.requires_grad() || stride > 2) return false;
  if (x.size(2) % stride != 0 || x.size(3) % stride != 0) return false;
  const std::int64_t pixels = x.size(0) * x.size(2) * x.size(3);
  const std::int64_t most_channels = stride == 1 ? std::max(weight.size(0), weight.size(1)) : weight.size(1);
  return pixels / (stride * stride) * filter_points * most_channels <= most_samples;
}

at::Tensor column_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                              const KeptFormsPtr& kept, std::int64_t stride) {
  if (stride == 1) return frozen_layer<convolve<1>>(x, weight, bias, kept);
  return frozen_layer<convolve<2>>(x, weight, bias, kept);
}

}  // namespace disco
