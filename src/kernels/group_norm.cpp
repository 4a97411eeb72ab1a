#include "kernels/group_norm.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/gpu.h"
#include "kernels/pointwise_rows.h"
#include "kernels/share_out.h"

namespace disco {
namespace {

constexpr std::int64_t groups = 32;
constexpr double epsilon = 1e-5;
/// Floats of a piece of the picture that one thread takes: it stays in the second cache between two uses.
constexpr std::int64_t piece_floats = 1 << 15;

/// A picture (N,C,H,W) with channels innermost, cut into pieces of whole rows.
struct Pieces {
  std::int64_t pictures, rows, channels;  ///< Rows of one picture.
  std::int64_t rows_each, of_a_picture;

  explicit Pieces(const at::Tensor& x)
      : pictures(x.size(0)),
        rows(x.size(2) * x.size(3)),
        channels(x.size(1)),
        rows_each(std::max<std::int64_t>(1, piece_floats / channels)),
        of_a_picture((rows + rows_each - 1) / rows_each) {}

  /// Calls work(piece, picture, offset of its first float, rows) for each.
  template <typename Work>
  void share(const Work& work) const {
    share_out(pictures * of_a_picture, 1, [&](std::int64_t piece, std::int64_t) {
      const std::int64_t picture = piece / of_a_picture, first = piece % of_a_picture * rows_each;
      work(piece, picture, (picture * rows + first) * channels, std::min(rows_each, rows - first));
    });
  }
};

/// Two sums of each channel over the rows of each picture, (N,C) one after the other: the pieces' own, which `work`
/// computes in float32, are added up in their order.
struct Sums {
  std::vector<double> first, second;

  template <typename Work>
  Sums(const Pieces& pieces, const Work& work) {
    const std::int64_t channels = pieces.channels, count = pieces.pictures * pieces.of_a_picture;
    std::vector<float> partial(static_cast<std::size_t>(count * channels * 2));
    pieces.share([&](std::int64_t piece, std::int64_t picture, std::int64_t offset, std::int64_t rows) {
      float* sums = partial.data() + piece * channels * 2;
      work(picture, offset, rows, sums, sums + channels);
    });
    first.resize(static_cast<std::size_t>(pieces.pictures * channels));
    second.resize(first.size());
    for (std::int64_t piece = 0; piece < count; ++piece) {
      const float* sums = partial.data() + piece * channels * 2;
      const std::int64_t to = piece / pieces.of_a_picture * channels;
      for (std::int64_t c = 0; c < channels; ++c) {
        first[static_cast<std::size_t>(to + c)] += sums[c];
        second[static_cast<std::size_t>(to + c)] += sums[channels + c];
      }
    }
  }
};

at::Tensor innermost(const at::Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

/// Numbers of each channel of each picture, (N,C).
at::Tensor numbers(const Pieces& pieces) { return at::empty({pieces.pictures, pieces.channels}); }

struct Norm {
  /// y = x·scale + shift before SiLU, and u = x·to_unit + to_zero has mean 0 and variance 1 in each group; (N,C).
  at::Tensor scale, shift, to_unit, to_zero;
};

Norm norm_of(const at::Tensor& x, const at::Tensor& gain, const at::Tensor& shift) {
  const Pieces pieces(x);
  const float* values = x.const_data_ptr<float>();
  const std::int64_t channels = pieces.channels, width = channels / groups;
  // Sums are taken around a value of the picture's own: around 0, a mean that is large beside the spread would leave
  // nothing of it.
  const auto centre = [&](std::int64_t picture) { return values + picture * pieces.rows * channels; };
  const Sums sums(pieces, [&](std::int64_t picture, std::int64_t offset, std::int64_t rows, float* sum, float* square) {
    add_moments(values + offset, rows, channels, centre(picture), sum, square);
  });
  Norm norm{numbers(pieces), numbers(pieces), numbers(pieces), numbers(pieces)};
  float *to_unit = norm.to_unit.mutable_data_ptr<float>(), *to_zero = norm.to_zero.mutable_data_ptr<float>();
  const auto count = static_cast<double>(pieces.rows), members = count * static_cast<double>(width);
  for (std::int64_t first = 0; first < pieces.pictures * channels; first += width) {
    const float* middle = centre(first / channels) + first % channels;
    const double* sum = sums.first.data() + first;
    const auto mean_of = [&](std::int64_t i) { return middle[i] + sum[i] / count; };
    double mean = 0, deviation = 0;
    for (std::int64_t i = 0; i < width; ++i) mean += mean_of(i) / static_cast<double>(width);
    for (std::int64_t i = 0; i < width; ++i) {
      const double away = mean_of(i) - mean;
      deviation += sums.second[static_cast<std::size_t>(first + i)] - sum[i] * sum[i] / count + count * away * away;
    }
    const double unit = 1 / std::sqrt(std::max(0.0, deviation) / members + epsilon);
    std::fill_n(to_unit + first, width, static_cast<float>(unit));
    std::fill_n(to_zero + first, width, static_cast<float>(-mean * unit));
  }
  norm.scale = (norm.to_unit * gain).contiguous();
  norm.shift = at::addcmul(shift, norm.to_zero, gain).contiguous();
  return norm;
}

Rows rows_of(const Norm& norm, bool silu, std::int64_t picture, std::int64_t count) {
  const std::int64_t channels = norm.scale.size(1);
  return {count, channels, norm.scale.const_data_ptr<float>() + picture * channels,
          norm.shift.const_data_ptr<float>() + picture * channels, silu};
}

at::Tensor normalised(const at::Tensor& x, const Norm& norm, bool silu) {
  at::Tensor y = at::empty_like(x);
  const float* from = x.const_data_ptr<float>();
  float* to = y.mutable_data_ptr<float>();
  Pieces(x).share([&](std::int64_t, std::int64_t picture, std::int64_t offset, std::int64_t rows) {
    normalise_rows(rows_of(norm, silu, picture, rows), from + offset, to + offset);
  });
  return y;
}

struct Gradients {
  at::Tensor by_x, by_gain, by_shift;
};

/// With g the gradient by what SiLU is applied to, by_gain and by_shift are the sums of g·u and g, and by_x is
/// to_unit·(g·gain − mean(g·gain) − u·mean(g·gain·u)), the means over the group.
Gradients gradients_of(const at::Tensor& x, const at::Tensor& by_y, const Norm& norm, bool silu) {
  const Pieces pieces(x);
  const std::int64_t channels = pieces.channels, width = channels / groups;
  const float *values = x.const_data_ptr<float>(), *gradients = by_y.const_data_ptr<float>();
  const float *unit = norm.to_unit.const_data_ptr<float>(), *zero = norm.to_zero.const_data_ptr<float>();
  const Sums sums(pieces,
                  [&](std::int64_t picture, std::int64_t offset, std::int64_t rows, float* sum, float* product) {
                    add_gradient_moments(rows_of(norm, silu, picture, rows), values + offset, gradients + offset,
                                         unit + picture * channels, zero + picture * channels, sum, product);
                  });
  Gradients result{at::empty_like(x), numbers(pieces), numbers(pieces)};
  const at::Tensor slopes = numbers(pieces), offsets = numbers(pieces);
  float *slope = slopes.mutable_data_ptr<float>(), *offset = offsets.mutable_data_ptr<float>();
  const float* scale = norm.scale.const_data_ptr<float>();
  const double members = static_cast<double>(pieces.rows * width);
  for (std::int64_t first = 0; first < pieces.pictures * channels; first += width) {
    double mean = 0, along = 0;
    for (std::int64_t i = first; i < first + width; ++i) {
      mean += sums.first[static_cast<std::size_t>(i)] * scale[i] / members;
      along += sums.second[static_cast<std::size_t>(i)] * scale[i] / members;
    }
    for (std::int64_t i = first; i < first + width; ++i) {
      slope[i] = static_cast<float>(along * unit[i]);
      offset[i] = static_cast<float>(along * zero[i] + mean);
    }
  }
  const auto write = [](const std::vector<double>& from, const at::Tensor& to) {
    std::copy(from.begin(), from.end(), to.mutable_data_ptr<float>());
  };
  write(sums.second, result.by_gain);
  write(sums.first, result.by_shift);
  float* to = result.by_x.mutable_data_ptr<float>();
  pieces.share([&](std::int64_t, std::int64_t picture, std::int64_t at, std::int64_t rows) {
    normalise_rows_backward(rows_of(norm, silu, picture, rows), values + at, gradients + at, slope + picture * channels,
                            offset + picture * channels, to + at);
  });
  return result;
}

struct FusedGroupNorm : torch::autograd::Function<FusedGroupNorm> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& gain,
                            const at::Tensor& shift, bool silu) {
    const at::AutoDispatchBelowAutograd below;
    const at::Tensor picture = innermost(x);
    const Norm norm = norm_of(picture, gain, shift);
    context->save_for_backward({picture, norm.scale, norm.shift, norm.to_unit, norm.to_zero});
    context->saved_data["silu"] = silu;
    return normalised(picture, norm, silu);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const at::AutoDispatchBelowAutograd below;
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const Norm norm{saved[1], saved[2], saved[3], saved[4]};
    Gradients found = gradients_of(saved[0], innermost(gradients[0]), norm, context->saved_data["silu"].toBool());
    return {std::move(found.by_x), std::move(found.by_gain), std::move(found.by_shift), at::Tensor()};
  }
};

}  // namespace

bool fused_group_norm_applies(const at::Tensor& x) {
  if (x.is_cuda()) {
    constexpr std::int64_t most_channels = 6144;
    return gpu() && x.dim() == 4 && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kHalf) &&
           x.size(1) % groups == 0 && x.size(1) <= most_channels;
  }
  return x.device().is_cpu() && x.dim() == 4 && x.scalar_type() == at::kFloat &&
         x.size(1) % std::max(groups, row_multiple) == 0;
}

at::Tensor fused_group_norm(const at::Tensor& x, const at::Tensor& gain, const at::Tensor& shift, bool silu) {
  if (x.is_cuda()) return gpu()->group_norm(x, gain, shift, silu);
  if (at::GradMode::is_enabled() && (x.requires_grad() || gain.requires_grad() || shift.requires_grad())) {
    return FusedGroupNorm::apply(x, gain, shift, silu);
  }
  const at::NoGradGuard no_gradient;
  const at::Tensor picture = innermost(x);
  return normalised(picture, norm_of(picture, gain, shift), silu);
}

}  // namespace disco
