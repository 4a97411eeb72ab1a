// Each kernel beside the LibTorch operators that it stands in for, on shapes of the real networks. Compare lines of one
// run only: machines differ, and are noisy.
#include <ATen/ATen.h>
#include <benchmark/benchmark.h>
#include <torch/csrc/autograd/autograd.h>

#include <array>
#include <cstdlib>
#include <cstring>

#include "guidance/augment.h"
#include "kernels/choice.h"
#include "kernels/convolution.h"
#include "kernels/gate.h"
#include "kernels/group_norm.h"
#include "kernels/page_keeper.h"
#include "kernels/product.h"

namespace disco {
namespace {

struct ConvolutionCase {
  at::Tensor x, weight, bias;

  ConvolutionCase(const benchmark::State& state, at::MemoryFormat layout)
      : x(at::randn({1, state.range(0), state.range(2), state.range(2)}).contiguous(layout)),
        weight(at::randn({state.range(1), state.range(0), 3, 3})),
        bias(at::randn({state.range(1)})) {}
};

void count_products(benchmark::State& state) {
  const double products = 9.0 * static_cast<double>(state.range(0) * state.range(1) * state.range(2) * state.range(2));
  // What the direct algorithm would do, for both.
  state.counters["flops"] = benchmark::Counter(2 * products, benchmark::Counter::kIsIterationInvariantRate);
}

void convolution_libtorch(benchmark::State& state) {
  const at::NoGradGuard no_gradient;
  const ConvolutionCase given(state, at::MemoryFormat::Contiguous);
  for (auto _ : state) benchmark::DoNotOptimize(at::conv2d(given.x, given.weight, given.bias, 1, 1));
  count_products(state);
}

void convolution_winograd(benchmark::State& state) {
  const at::NoGradGuard no_gradient;
  const ConvolutionCase given(state, at::MemoryFormat::ChannelsLast);
  for (auto _ : state) benchmark::DoNotOptimize(winograd_convolution(given.x, given.weight, given.bias));
  count_products(state);
}

/// Input channels, output channels, side: the UNet of 512 pixels at 512×512, from the outside in, then the secondary
/// model's.
void network_shapes(benchmark::internal::Benchmark* which) {
  for (const auto& [in, out, side] : {std::array<int, 3>{128, 128, 512},
                                      {256, 256, 256},
                                      {512, 256, 256},
                                      {256, 256, 128},
                                      {512, 512, 64},
                                      {1024, 512, 64},
                                      {512, 512, 32},
                                      {1024, 1024, 16},
                                      {64, 64, 512}}) {
    which->Args({in, out, side});
  }
  which->Unit(benchmark::kMillisecond)->UseRealTime()->MinTime(0.6);
}

BENCHMARK(convolution_libtorch)->Apply(network_shapes);
BENCHMARK(convolution_winograd)->Apply(network_shapes);

/// With the gradients of everything, as in training: pictures, input channels, output channels, side.
template <typename Layer>
void train_convolution(benchmark::State& state, const Layer& layer) {
  const at::Tensor x = at::randn({state.range(0), state.range(1), state.range(3), state.range(3)})
                           .contiguous(at::MemoryFormat::ChannelsLast)
                           .requires_grad_();
  const at::Tensor weight = at::randn({state.range(2), state.range(1), 3, 3}).requires_grad_();
  const at::Tensor bias = at::randn({state.range(2)}).requires_grad_();
  const at::Tensor by = at::randn({state.range(0), state.range(2), state.range(3), state.range(3)})
                            .contiguous(at::MemoryFormat::ChannelsLast);
  for (auto _ : state) {
    benchmark::DoNotOptimize(torch::autograd::grad({layer(x, weight, bias)}, {x, weight, bias}, {by}));
  }
}

void train_convolution_libtorch(benchmark::State& state) {
  train_convolution(state, [](const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
    return at::conv2d(x, weight, bias, 1, 1);
  });
}

void train_convolution_winograd(benchmark::State& state) { train_convolution(state, winograd_convolution); }

/// The small UNet's.
void training_shapes(benchmark::internal::Benchmark* which) {
  for (const auto& [in, out, side] :
       {std::array<int, 3>{64, 64, 32}, {128, 64, 32}, {128, 128, 16}, {256, 256, 8}, {512, 256, 8}}) {
    which->Args({8, in, out, side});
  }
  which->Unit(benchmark::kMillisecond)->UseRealTime()->MinTime(0.3);
}

BENCHMARK(train_convolution_libtorch)->Apply(training_shapes);
BENCHMARK(train_convolution_winograd)->Apply(training_shapes);

/// A linear layer: rows, input width, output width.
void linear_libtorch(benchmark::State& state) {
  const at::NoGradGuard no_gradient;
  const at::Tensor x = at::randn({state.range(0), state.range(1)}),
                   weight = at::randn({state.range(2), state.range(1)});
  for (auto _ : state) benchmark::DoNotOptimize(at::linear(x, weight));
}

void linear_panels(benchmark::State& state) {
  const at::NoGradGuard no_gradient;
  const at::Tensor x = at::randn({state.range(0), state.range(1)}),
                   weight = at::randn({state.range(2), state.range(1)});
  for (auto _ : state) benchmark::DoNotOptimize(panel_linear(x, weight, {}));
}

/// ViT-B/32's and ViT-B/16's on 16 cutouts, ViT-L/14's on four.
void linear_shapes(benchmark::internal::Benchmark* which) {
  for (const auto& [rows, in, out] :
       {std::array<int, 3>{800, 768, 3072}, {3152, 768, 2304}, {3152, 3072, 768}, {1028, 1024, 4096}}) {
    which->Args({rows, in, out});
  }
  which->Unit(benchmark::kMillisecond)->UseRealTime()->MinTime(0.3);
}

BENCHMARK(linear_libtorch)->Apply(linear_shapes);
BENCHMARK(linear_panels)->Apply(linear_shapes);

struct NormCase {
  at::Tensor x, gain, shift, by;

  explicit NormCase(const benchmark::State& state)
      : x(at::randn({1, state.range(0), state.range(1), state.range(1)}).contiguous(at::MemoryFormat::ChannelsLast)),
        gain(at::randn({1, state.range(0)})),
        shift(at::randn({1, state.range(0)})),
        by(at::randn(x.sizes()).contiguous(at::MemoryFormat::ChannelsLast)) {
    x.requires_grad_();
  }
};

/// Norm, modulation and SiLU with their gradient: channels, side.
void norm_libtorch(benchmark::State& state) {
  const NormCase given(state);
  for (auto _ : state) {
    const at::Tensor y =
        at::group_norm(given.x, 32, {}, {}, 1e-5) * given.gain.view({1, -1, 1, 1}) + given.shift.view({1, -1, 1, 1});
    benchmark::DoNotOptimize(torch::autograd::grad({at::silu(y)}, {given.x}, {given.by}));
  }
}

void norm_fused(benchmark::State& state) {
  const NormCase given(state);
  for (auto _ : state) {
    const at::Tensor y = fused_group_norm(given.x, given.gain, given.shift, true);
    benchmark::DoNotOptimize(torch::autograd::grad({y}, {given.x}, {given.by}));
  }
}

void norm_shapes(benchmark::internal::Benchmark* which) {
  for (const auto& [channels, side] : {std::array<int, 2>{64, 32}, {128, 512}, {256, 256}, {1024, 16}}) {
    which->Args({channels, side});
  }
  which->Unit(benchmark::kMillisecond)->UseRealTime()->MinTime(0.3);
}

BENCHMARK(norm_libtorch)->Apply(norm_shapes);
BENCHMARK(norm_fused)->Apply(norm_shapes);

/// QuickGELU with its gradient: values.
void quick_gelu_libtorch(benchmark::State& state) {
  const at::Tensor x = at::randn({state.range(0)}).requires_grad_(), by = at::randn({state.range(0)});
  for (auto _ : state) {
    benchmark::DoNotOptimize(torch::autograd::grad({x * at::sigmoid(x * 1.702)}, {x}, {by}));
  }
}

void quick_gelu_fused(benchmark::State& state) {
  const at::Tensor x = at::randn({state.range(0)}).requires_grad_(), by = at::randn({state.range(0)});
  for (auto _ : state) benchmark::DoNotOptimize(torch::autograd::grad({fused_gate(x, 1.702)}, {x}, {by}));
}

/// The hidden layer of ViT-B/32 and ViT-B/16 on 16 cutouts.
BENCHMARK(quick_gelu_libtorch)->Arg(800 * 3072)->Arg(3152 * 3072)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(quick_gelu_fused)->Arg(800 * 3072)->Arg(3152 * 3072)->Unit(benchmark::kMillisecond)->UseRealTime();

/// The augmentations of cutouts with their gradient, noise included: cutouts, side.
void augment_cuts(benchmark::State& state, Kernels kernels) {
  const at::Tensor cuts = at::rand({state.range(0), 3, state.range(1), state.range(1)}).requires_grad_();
  const at::Tensor by = at::randn(cuts.sizes());
  choose_kernels(kernels);
  for (auto _ : state) {
    RandomStream stream(1);
    const at::Tensor y = augment(cuts, AugmentationList::still, stream, false);
    benchmark::DoNotOptimize(torch::autograd::grad({y}, {cuts}, {by}));
  }
  choose_kernels(Kernels::fast);
}

void augment_libtorch(benchmark::State& state) { augment_cuts(state, Kernels::plain); }
void augment_fused(benchmark::State& state) { augment_cuts(state, Kernels::fast); }

BENCHMARK(augment_libtorch)->Args({16, 224})->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(augment_fused)->Args({16, 224})->Unit(benchmark::kMillisecond)->UseRealTime();

/// A large tensor taken and let go, and all its pages touched: MiB. Kept pages are not cleared again.
void fresh_memory(benchmark::State& state) {
  const std::int64_t bytes = state.range(0) << 20;
  for (auto _ : state) {
    void* memory = std::malloc(static_cast<std::size_t>(bytes));
    std::memset(memory, 1, static_cast<std::size_t>(bytes));
    benchmark::DoNotOptimize(memory);
    std::free(memory);
  }
}

void kept_memory(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(at::empty({state.range(0) << 20}, at::kByte).fill_(1));
}

BENCHMARK(fresh_memory)->Arg(64)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(kept_memory)->Arg(64)->Unit(benchmark::kMillisecond)->UseRealTime();

void product_libtorch(benchmark::State& state) {
  const at::NoGradGuard no_gradient;
  const at::Tensor a = at::randn({2048, 2048}), b = at::randn({2048, 2048});
  for (auto _ : state) benchmark::DoNotOptimize(at::mm(a, b));
  state.counters["flops"] = benchmark::Counter(2.0 * 2048 * 2048 * 2048, benchmark::Counter::kIsIterationInvariantRate);
}

/// The yardstick.
BENCHMARK(product_libtorch)->Unit(benchmark::kMillisecond)->UseRealTime()->MinTime(0.6);

}  // namespace
}  // namespace disco

int main(int count, char** words) {
  // As in the program, for both sides: else most of what is measured is the system clearing pages.
  disco::keep_pages();
  benchmark::Initialize(&count, words);
  if (benchmark::ReportUnrecognizedArguments(count, words)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
