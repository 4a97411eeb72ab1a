// ResizeRight (Shocher): a resize as one matrix product an axis.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <tuple>

#include "core/error.h"
#include "tensor/picture_tensor.h"

namespace disco {
namespace {

/// The cubic convolution kernel with a = −1/2 (Keys 1981); zero beyond 2.
double cubic(double x) {
  const double d = std::abs(x);
  if (d <= 1) return (1.5 * d - 2.5) * d * d + 1;
  if (d <= 2) return ((-0.5 * d + 2.5) * d - 4) * d + 2;
  return 0;
}

at::Tensor make_matrix(std::int64_t in, std::int64_t out) {
  const double scale = static_cast<double>(out) / static_cast<double>(in);
  const double sharpness = std::min(scale, 1.0);
  const double reach = 2 / sharpness;
  at::Tensor matrix = at::zeros({out, in}, at::kFloat);
  float* row = matrix.mutable_data_ptr<float>();
  std::vector<double> weights;
  for (std::int64_t j = 0; j < out; ++j, row += in) {
    const double centre =
        static_cast<double>(j) / scale + static_cast<double>(in - 1) / 2 - static_cast<double>(out - 1) / (2 * scale);
    const auto first = static_cast<std::int64_t>(std::ceil(centre - reach));
    const auto last = static_cast<std::int64_t>(std::floor(centre + reach));
    weights.clear();
    double sum = 0;
    for (std::int64_t i = first; i <= last; ++i) {
      weights.push_back(cubic(sharpness * (centre - static_cast<double>(i))));
      sum += weights.back();
    }
    // The taps outside count in the sum and read zeros, which darkens the borders.
    for (std::int64_t i = std::max<std::int64_t>(first, 0); i <= std::min(last, in - 1); ++i) {
      row[i] = static_cast<float>(weights[static_cast<std::size_t>(i - first)] / sum);
    }
  }
  return matrix;
}

/// The matrices used last, up to a number of bytes for each device. Every inner cut has a size of its own, so a run
/// asks for hundreds of them, again and again.
class MatrixCache {
 public:
  at::Tensor get(std::int64_t in, std::int64_t out, at::Device device) {
    const Key key{in, out, static_cast<int>(device.type()), device.index()};
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = entries_.find(key); found != entries_.end()) {
        found->second.last_use = ++clock_;
        return found->second.matrix;
      }
    }
    at::Tensor matrix = device.is_cpu() ? make_matrix(in, out) : get(in, out, at::kCPU).to(device);
    const std::lock_guard lock(mutex_);
    const auto [entry, added] = entries_.try_emplace(key, Entry{matrix, 0});
    entry->second.last_use = ++clock_;
    if (added) {
      bytes_ += matrix.nbytes();
      while (bytes_ > limit && entries_.size() > 1) drop_oldest();
    }
    return matrix;
  }

 private:
  using Key = std::tuple<std::int64_t, std::int64_t, int, int>;
  struct Entry {
    at::Tensor matrix;
    std::uint64_t last_use;
  };
  static constexpr std::size_t limit = std::size_t{128} << 20;

  void drop_oldest() {
    const auto oldest = std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
      return a.second.last_use < b.second.last_use;
    });
    bytes_ -= oldest->second.matrix.nbytes();
    entries_.erase(oldest);
  }

  std::mutex mutex_;
  std::map<Key, Entry> entries_;
  std::size_t bytes_ = 0;
  std::uint64_t clock_ = 0;
};

MatrixCache& matrices() {
  // Never destroyed: at exit the device's runtime may be gone before the tensors are.
  static MatrixCache& cache = *new MatrixCache;
  return cache;
}

void require_positive(std::int64_t in, std::int64_t out) {
  if (in < 1 || out < 1) throw Error("a tensor cannot be resized from or to nothing");
}

}  // namespace

at::Tensor resize_right_matrix(std::int64_t in, std::int64_t out) {
  require_positive(in, out);
  return matrices().get(in, out, at::kCPU);
}

at::Tensor resize_right(const at::Tensor& x, std::int64_t height, std::int64_t width) {
  const std::int64_t old_height = x.size(-2), old_width = x.size(-1);
  require_positive(old_height, height);
  require_positive(old_width, width);
  const auto resize_height = [&](const at::Tensor& y) {
    return old_height == height ? y : at::matmul(matrices().get(old_height, height, x.device()).to(x.scalar_type()), y);
  };
  const auto resize_width = [&](const at::Tensor& y) {
    return old_width == width ? y : at::matmul(y, matrices().get(old_width, width, x.device()).to(x.scalar_type()).t());
  };
  // height/old_height ≤ width/old_width, in whole numbers.
  const bool height_first = height * old_width <= width * old_height;
  return height_first ? resize_width(resize_height(x)) : resize_height(resize_width(x));
}

}  // namespace disco
