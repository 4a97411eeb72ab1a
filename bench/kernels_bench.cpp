// Each kernel beside the LibTorch operator that it stands in for, on shapes of the real networks. The arguments are
// input channels, output channels, side. Compare lines of one run only: machines differ, and are noisy.
#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include "kernels/convolution.h"
#include "kernels/page_keeper.h"

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

/// The UNet of 512 pixels at 512×512, from the outside in, then the secondary model's.
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
