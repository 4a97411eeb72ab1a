#include "kernels/cut_warp.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "kernels/share_out.h"

namespace disco {
namespace {

/// Where one pixel of the result comes from: four pixels of a plane and their weights, 0 for those outside.
struct Taps {
  std::array<std::int32_t, 4> at{};
  std::array<float, 4> weights{};
};

struct Plane {
  std::int64_t height, width;
  std::int64_t pixels() const { return height * width; }
};

Taps nearest_taps(float x, float y, Plane plane) {
  const float column = std::nearbyint(x), row = std::nearbyint(y);
  Taps taps;
  if (column < 0 || row < 0 || column >= static_cast<float>(plane.width) || row >= static_cast<float>(plane.height)) {
    return taps;
  }
  taps.at[0] =
      static_cast<std::int32_t>(static_cast<std::int64_t>(row) * plane.width + static_cast<std::int64_t>(column));
  taps.weights[0] = 1;
  return taps;
}

Taps bilinear_taps(float x, float y, Plane plane, bool fade_twice) {
  Taps taps;
  const float left = std::floor(x), top = std::floor(y);
  float inside = 0;
  for (std::size_t k = 0; k < 4; ++k) {
    const std::size_t right = k % 2, down = k / 2;
    const float column = left + static_cast<float>(right), row = top + static_cast<float>(down);
    if (column < 0 || row < 0 || column >= static_cast<float>(plane.width) || row >= static_cast<float>(plane.height)) {
      continue;
    }
    taps.at[k] =
        static_cast<std::int32_t>(static_cast<std::int64_t>(row) * plane.width + static_cast<std::int64_t>(column));
    taps.weights[k] = (1 - std::abs(x - column)) * (1 - std::abs(y - row));
    inside += taps.weights[k];
  }
  if (fade_twice) {
    for (float& weight : taps.weights) weight *= inside;
  }
  return taps;
}

std::vector<Taps> taps_of(const at::Tensor& places, Plane plane, CutWarp warp) {
  std::vector<Taps> taps(static_cast<std::size_t>(plane.pixels()));
  const float* at = places.const_data_ptr<float>();
  const auto width = static_cast<float>(plane.width), height = static_cast<float>(plane.height);
  share_out(plane.pixels(), plane.width, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const float x = ((at[2 * i] + 1) * width - 1) / 2, y = ((at[2 * i + 1] + 1) * height - 1) / 2;
      taps[static_cast<std::size_t>(i)] =
          warp.nearest ? nearest_taps(x, y, plane) : bilinear_taps(x, y, plane, warp.fade_twice);
    }
  });
  return taps;
}

/// Calls work(first value of the plane) for each plane of each cut, shared among the threads.
template <typename Work>
void over_planes(const at::Tensor& cuts, Plane plane, const Work& work) {
  share_out(cuts.size(0) * cuts.size(1), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) work(k * plane.pixels());
  });
}

/// z = x mirrored or not + noise·strength.
void add_noise(const float* x, const float* noise, float strength, bool mirrored, Plane plane, float* z) {
  for (std::int64_t row = 0; row < plane.height; ++row, x += plane.width, noise += plane.width, z += plane.width) {
    for (std::int64_t column = 0; column < plane.width; ++column) {
      z[column] = x[mirrored ? plane.width - 1 - column : column] + noise[column] * strength;
    }
  }
}

struct FusedCutWarp : torch::autograd::Function<FusedCutWarp> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& cuts, const at::Tensor& noise,
                            double strength, const at::Tensor& places, const CutWarp& warp) {
    const at::AutoDispatchBelowAutograd below;
    const at::Tensor x = cuts.contiguous(), noises = noise.contiguous(), grid = places.contiguous();
    const Plane plane{x.size(2), x.size(3)};
    at::Tensor y = at::empty_like(x);
    const float *from = x.const_data_ptr<float>(), *noise_from = noises.const_data_ptr<float>();
    float* to = y.mutable_data_ptr<float>();
    const std::vector<Taps> taps = taps_of(grid, plane, warp);
    over_planes(x, plane, [&](std::int64_t at) {
      std::vector<float> noisy(taps.size());
      add_noise(from + at, noise_from + at, static_cast<float>(strength), warp.mirrored, plane, noisy.data());
      const auto value = [&](const Taps& t, std::size_t k) {
        return noisy[static_cast<std::size_t>(t.at[k])] * t.weights[k];
      };
      for (std::size_t i = 0; i < taps.size(); ++i) {
        to[at + static_cast<std::int64_t>(i)] =
            value(taps[i], 0) + value(taps[i], 1) + value(taps[i], 2) + value(taps[i], 3);
      }
    });
    context->save_for_backward({grid});
    context->saved_data["mirrored"] = warp.mirrored;
    context->saved_data["nearest"] = warp.nearest;
    context->saved_data["fade_twice"] = warp.fade_twice;
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const at::AutoDispatchBelowAutograd below;
    const at::Tensor by_y = gradients[0].contiguous();
    const Plane plane{by_y.size(2), by_y.size(3)};
    const CutWarp warp{context->saved_data["mirrored"].toBool(), context->saved_data["nearest"].toBool(),
                       context->saved_data["fade_twice"].toBool()};
    const std::vector<Taps> taps = taps_of(context->get_saved_variables()[0], plane, warp);
    at::Tensor by_x = at::zeros_like(by_y);
    const float* slopes = by_y.const_data_ptr<float>();
    float* to = by_x.mutable_data_ptr<float>();
    over_planes(by_y, plane, [&](std::int64_t at) {
      float* sums = to + at;
      for (std::size_t i = 0; i < taps.size(); ++i) {
        for (std::size_t k = 0; k < 4; ++k)
          sums[taps[i].at[k]] += slopes[at + static_cast<std::int64_t>(i)] * taps[i].weights[k];
      }
      if (!warp.mirrored) return;
      for (std::int64_t row = 0; row < plane.height; ++row) {
        std::reverse(sums + row * plane.width, sums + (row + 1) * plane.width);
      }
    });
    return {by_x, {}, {}, {}, {}};
  }
};

}  // namespace

bool fused_cut_warp_applies(const at::Tensor& cuts) {
  return cuts.device().is_cpu() && cuts.scalar_type() == at::kFloat && cuts.dim() == 4;
}

at::Tensor fused_cut_warp(const at::Tensor& cuts, const at::Tensor& noise, double strength, const at::Tensor& places,
                          CutWarp warp) {
  return FusedCutWarp::apply(cuts, noise, strength, places, warp);
}

}  // namespace disco
