#include "kernels/convolution.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "kernels/differentiable.h"
#include "kernels/frozen_layer.h"
#include "kernels/share_out.h"
#include "kernels/winograd_transforms.h"

namespace disco {
namespace {

constexpr std::int64_t block_floats = 3 << 19;  // of transformed tiles, before and after the products
constexpr std::int64_t tiles_grain = 8;
constexpr std::int64_t least_block = 64, most_block = 1024;
constexpr std::int64_t least_tiles = 24;

/// Tiles to work on together, when each has so many channels in all.
std::int64_t block_of(std::int64_t channels) {
  return std::clamp(block_floats / (WinogradTiles::points * channels), least_block, most_block);
}

/// v (36, panels, rows, 32).
at::Tensor transformed(const WinogradFilters& filters) {
  const std::int64_t panels = panel_count(filters.columns());
  at::Tensor v = at::empty({WinogradTiles::points, panels, filters.rows(), panel_columns});
  float* to = v.mutable_data_ptr<float>();
  share_out(panels, 1, [&](std::int64_t panel, std::int64_t) { winograd_transform_filters(filters, panel, to); });
  return v;
}

/// The convolution with `weight`, or its adjoint (from `outputs` channels to `inputs`).
at::Tensor convolve_keeping(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, bool adjoint,
                            KeptForms* kept) {
  const at::Tensor picture = x.contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor shift = bias.defined() ? bias.contiguous() : bias;
  const std::int64_t in = weight.size(adjoint ? 0 : 1), out = weight.size(adjoint ? 1 : 0), panels = panel_count(out);
  const auto make = [&] {
    const at::Tensor dense = weight.to(at::kFloat).contiguous();
    return transformed({dense.const_data_ptr<float>(), dense.size(0), dense.size(1), adjoint});
  };
  using Form = KeptForms::Form;
  const at::Tensor transformed_filters =
      kept != nullptr ? kept->get(adjoint ? Form::winograd_adjoint : Form::winograd, make) : make();
  const WinogradTiles tiles{picture.size(0), picture.size(2), picture.size(3)};
  at::Tensor y = at::empty({picture.size(0), out, picture.size(2), picture.size(3)},
                           picture.options().memory_format(at::MemoryFormat::ChannelsLast));
  const float* from = picture.const_data_ptr<float>();
  const float* v = transformed_filters.const_data_ptr<float>();
  const float* shifts = bias.defined() ? shift.const_data_ptr<float>() : nullptr;
  float* to = y.mutable_data_ptr<float>();
  const std::int64_t padded = padded_columns(out);
  const std::int64_t block = block_of(in + padded);
  const std::int64_t count = std::min(block, tiles.count());
  const at::Tensor u_memory = at::empty({WinogradTiles::points * count * row_stride(in)});
  const at::Tensor m_memory = at::empty({WinogradTiles::points * count * padded});
  float* u = u_memory.mutable_data_ptr<float>();
  float* m = m_memory.mutable_data_ptr<float>();
  // All threads work on one block, so that the last cache holds it, and each of the filters' matrices is read once.
  for (std::int64_t first = 0; first < tiles.count(); first += block) {
    const WinogradBlock now{first, std::min(block, tiles.count() - first)};
    share_out(now.count, tiles_grain, [&](std::int64_t begin, std::int64_t end) {
      winograd_transform_input(from, tiles, in, now, begin, end, TileLayout::rows, u);
    });
    share_out(WinogradTiles::points, 1, [&](std::int64_t point, std::int64_t) {
      multiply_by_panels(u + point * now.count * row_stride(in), v + point * padded * in, nullptr, now.count, in,
                         panels, m + point * now.count * padded);
    });
    share_out(now.count, tiles_grain, [&](std::int64_t begin, std::int64_t end) {
      winograd_transform_output(m, shifts, tiles, out, now, begin, end, to);
    });
  }
  return y;
}

at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, bool adjoint) {
  return convolve_keeping(x, weight, bias, adjoint, nullptr);
}

/// By weight: the adjoint, by the filters, of what `convolve` does: 36 products over all tiles, gathered by Gᵀ and G.
WeightGradients weight_gradients(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& by_y) {
  const at::Tensor picture = x.contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor gradient = by_y.contiguous(at::MemoryFormat::ChannelsLast);
  const std::int64_t out = weight.size(0), in = weight.size(1), padded = padded_columns(in), panels = panel_count(in);
  const WinogradTiles tiles{picture.size(0), picture.size(2), picture.size(3)};
  const std::int64_t block = block_of(padded + out), count = std::min(block, tiles.count());
  const at::Tensor u_memory = at::empty({WinogradTiles::points * count * padded});
  const at::Tensor e_memory = at::empty({WinogradTiles::points * count * row_stride(out)});
  const at::Tensor m_memory = at::zeros({WinogradTiles::points * out * padded});
  const float *from = picture.const_data_ptr<float>(), *gradients = gradient.const_data_ptr<float>();
  float* u = u_memory.mutable_data_ptr<float>();
  float* e = e_memory.mutable_data_ptr<float>();
  float* m = m_memory.mutable_data_ptr<float>();
  for (std::int64_t first = 0; first < tiles.count(); first += block) {
    const WinogradBlock now{first, std::min(block, tiles.count() - first)};
    share_out(now.count, tiles_grain, [&](std::int64_t begin, std::int64_t end) {
      winograd_transform_input(from, tiles, in, now, begin, end, TileLayout::panels, u);
      winograd_transform_gradient(gradients, tiles, out, now, begin, end, e);
    });
    share_out(WinogradTiles::points, 1, [&](std::int64_t point, std::int64_t) {
      add_products_by_panels(e + point * now.count * row_stride(out), u + point * now.count * padded, out, now.count,
                             panels, m + point * out * padded);
    });
  }
  at::Tensor by_weight = at::empty(weight.sizes(), weight.options());
  float* to = by_weight.mutable_data_ptr<float>();
  share_out(out, 1, [&](std::int64_t begin, std::int64_t end) { winograd_gather_filters(m, out, in, begin, end, to); });
  return {std::move(by_weight), gradient.sum(at::IntArrayRef{0, 2, 3})};
}

/// Whether they fit together, with so many tiles or more.
bool takes(const at::Tensor& x, const at::Tensor& weight, std::int64_t tiles) {
  if (!takes_3x3_filters(x, weight)) return false;
  if (std::min(weight.size(0), weight.size(1)) < least_winograd_channels) return false;
  return WinogradTiles{x.size(0), x.size(2), x.size(3)}.count() >= tiles;
}

}  // namespace

bool winograd_applies(const at::Tensor& x, const at::Tensor& weight) { return takes(x, weight, least_tiles); }

bool kept_winograd_applies(const at::Tensor& x, const at::Tensor& weight) {
  return !weight.requires_grad() && takes(x, weight, least_kept_tiles);
}

at::Tensor kept_winograd_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                     const KeptFormsPtr& kept) {
  return frozen_layer<convolve_keeping>(x, weight, bias, kept);
}

at::Tensor winograd_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return linear_layer<convolve, weight_gradients>(x, weight, bias);
}

}  // namespace disco
