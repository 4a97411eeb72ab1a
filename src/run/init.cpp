#include "run/init.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "guidance/perlin.h"
#include "picture/picture.h"
#include "tensor/picture_tensor.h"

namespace disco {
namespace {

constexpr int flat_window = 9;
constexpr double flat_variance = 0.002;

at::Tensor grey(const at::Tensor& picture) {
  const at::Tensor weights = at::tensor({0.2989f, 0.587f, 0.114f}).reshape({1, 3, 1, 1});
  return (picture * weights).sum(1, /*keepdim=*/true);
}

at::Tensor stretched(const Picture& picture, std::int64_t width, std::int64_t height) {
  return to_tensor(resize_lanczos(picture, static_cast<int>(width), static_cast<int>(height)));
}

}  // namespace

at::Tensor read_init(const std::string& path, std::int64_t width, std::int64_t height, const std::string& fit) {
  const Picture picture = to_rgb(read_picture(path));
  if (fit == "stretch") return stretched(picture, width, height);
  const double across = static_cast<double>(width) / picture.width, down = static_cast<double>(height) / picture.height;
  const double scale = fit == "crop" ? std::max(across, down) : std::min(across, down);
  const auto side = [&](int from, std::int64_t limit) {
    const auto scaled = static_cast<std::int64_t>(std::lround(from * scale));
    return std::max<std::int64_t>(1, fit == "crop" ? std::max(scaled, limit) : std::min(scaled, limit));
  };
  const at::Tensor fitted = stretched(picture, side(picture.width, width), side(picture.height, height));
  const std::int64_t extra_x = fitted.size(3) - width, extra_y = fitted.size(2) - height;
  if (fit == "crop") return fitted.narrow(3, extra_x / 2, width).narrow(2, extra_y / 2, height).contiguous();
  const std::int64_t left = -extra_x / 2, top = -extra_y / 2;
  return at::constant_pad_nd(fitted, {left, -extra_x - left, top, -extra_y - top}, 0);
}

at::Tensor read_mask(const std::string& path, std::int64_t width, std::int64_t height, const std::string& fit) {
  return (grey(read_init(path, width, height, fit)) / (0.2989 + 0.587 + 0.114) + 1) / 2;
}

at::Tensor flat_areas(const at::Tensor& picture) {
  const at::Tensor g = grey(picture);
  const auto mean = [](const at::Tensor& x) {
    const int margin = flat_window / 2;
    return at::avg_pool2d(at::replication_pad2d(x, {margin, margin, margin, margin}), flat_window, 1);
  };
  const at::Tensor variance = (mean(g * g) - mean(g).square()).clamp_min(0);
  return (variance / -flat_variance).exp();
}

at::Tensor make_init(const Settings& settings, RandomStreams& streams) {
  const std::int64_t width = settings.drawn_width(), height = settings.drawn_height();
  if (settings.perlin_init) {
    RandomStream stream = streams.get({.purpose = Purpose::perlin});
    return perlin_init(width, height, settings.perlin_mode, stream);
  }
  if (settings.init_image.empty()) return {};
  at::Tensor init = read_init(settings.init_image, width, height, settings.init_fit);
  if (settings.init_noise == 0) return init;
  at::Tensor mask = at::ones({1, 1, height, width});
  if (settings.init_noise_mask == "flat")
    mask = flat_areas(init);
  else if (!settings.init_noise_mask.empty())
    mask = read_mask(settings.init_noise_mask, width, height, settings.init_fit);
  const at::Tensor noise = streams.get({.purpose = Purpose::init_noise}).randn({1, 3, height, width});
  return (init + noise * mask * settings.init_noise).clamp(-1, 1);
}

at::Tensor mirrored(const at::Tensor& x, bool horizontal, bool vertical) {
  at::Tensor result = x;
  const auto mirror = [&](std::int64_t axis) {
    const std::int64_t side = result.size(axis), half = side / 2;
    const at::Tensor first = result.narrow(axis, 0, half);
    result = at::cat({first, result.narrow(axis, half, side - 2 * half), first.flip({axis})}, axis);
  };
  if (horizontal) mirror(3);
  if (vertical) mirror(2);
  return result;
}

}  // namespace disco
