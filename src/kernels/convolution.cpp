#include "kernels/convolution.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "core/error.h"
#include "kernels/winograd_transforms.h"

namespace disco {
namespace {

constexpr std::int64_t block_floats = 4 << 20;  // of transformed tiles, before and after the products
constexpr std::int64_t least_block = 32, most_block = 1024;
constexpr std::int64_t least_channels = 16, least_tiles = 128;

/// v (36, outputs, inputs).
at::Tensor transformed_filters(const at::Tensor& weight, bool turned) {
  const std::int64_t outputs = weight.size(0), inputs = weight.size(1);
  const at::Tensor dense = weight.contiguous();
  at::Tensor v = at::empty({WinogradTiles::points, outputs, inputs});
  const float* from = dense.const_data_ptr<float>();
  float* to = v.mutable_data_ptr<float>();
  at::parallel_for(0, outputs, 8, [&](std::int64_t begin, std::int64_t end) {
    winograd_transform_filters(from, outputs, inputs, turned, begin, end - begin, to);
  });
  return v;
}

/// The convolution with `weight`, or its adjoint (from `outputs` channels to `inputs`).
at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, bool adjoint) {
  const at::Tensor dense = x.contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor filters = transformed_filters(weight, adjoint);
  const std::int64_t in = dense.size(1), out = adjoint ? weight.size(1) : weight.size(0);
  const WinogradTiles tiles{dense.size(0), dense.size(2), dense.size(3)};
  // (36, in, out): what the tiles are multiplied with.
  const at::Tensor products = adjoint ? filters : filters.transpose(1, 2);
  at::Tensor y = at::empty({dense.size(0), out, dense.size(2), dense.size(3)},
                           dense.options().memory_format(at::MemoryFormat::ChannelsLast));
  const float* from = dense.const_data_ptr<float>();
  const at::Tensor shift = bias.defined() ? bias.contiguous() : bias;
  const float* shifts = bias.defined() ? shift.const_data_ptr<float>() : nullptr;
  float* to = y.mutable_data_ptr<float>();
  // The blocks are the same for any number of threads, so that the products are too.
  const std::int64_t block = std::clamp(block_floats / (WinogradTiles::points * (in + out)), least_block, most_block);
  const std::int64_t blocks = (tiles.count() + block - 1) / block;
  at::parallel_for(0, blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    const at::AutoDispatchBelowAutograd no_graph;
    at::Tensor u = at::empty({WinogradTiles::points * block * in}),
               m = at::empty({WinogradTiles::points * block * out});
    for (std::int64_t b = begin; b < end; ++b) {
      const std::int64_t first = b * block, count = std::min(block, tiles.count() - first);
      at::Tensor part = u.narrow(0, 0, WinogradTiles::points * count * in).view({WinogradTiles::points, count, in});
      at::Tensor result = m.narrow(0, 0, WinogradTiles::points * count * out).view({WinogradTiles::points, count, out});
      winograd_transform_input(from, tiles, in, first, count, part.mutable_data_ptr<float>());
      at::bmm_out(result, part, products);
      winograd_transform_output(result.const_data_ptr<float>(), shifts, tiles, out, first, count, to);
    }
  });
  return y;
}

/// Torch takes a tensor argument for something to differentiate by, and an undefined one for a mistake.
struct Constant {
  at::Tensor tensor;
};

struct WinogradConvolution : torch::autograd::Function<WinogradConvolution> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const Constant& bias) {
    const at::AutoDispatchBelowAutograd below;
    context->save_for_backward({weight});
    return convolve(x, weight, bias.tensor, false);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const at::AutoDispatchBelowAutograd below;
    return {convolve(gradients[0], context->get_saved_variables()[0], {}, true), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

bool winograd_applies(const at::Tensor& x, const at::Tensor& weight) {
  if (!x.device().is_cpu() || x.scalar_type() != at::kFloat || weight.scalar_type() != at::kFloat) return false;
  if (x.dim() != 4 || weight.size(2) != 3 || weight.size(3) != 3 || weight.size(1) != x.size(1)) return false;
  if (std::min(weight.size(0), weight.size(1)) < least_channels) return false;
  return WinogradTiles{x.size(0), x.size(2), x.size(3)}.count() >= least_tiles;
}

at::Tensor winograd_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  if (at::GradMode::is_enabled() && (weight.requires_grad() || (bias.defined() && bias.requires_grad()))) {
    throw Error("Winograd's convolution gives no gradient by its weights", "", "use at::conv2d");
  }
  if (at::GradMode::is_enabled() && x.requires_grad()) return WinogradConvolution::apply(x, weight, Constant{bias});
  return convolve(x, weight, bias, false);
}

}  // namespace disco
