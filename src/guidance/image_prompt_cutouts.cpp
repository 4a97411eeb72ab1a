// The older cutout maker, as Katherine Crowson's notebooks had it; image prompts still go through it.
#include <ATen/ATen.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "core/error.h"
#include "guidance/cutouts.h"

namespace disco {
namespace {

constexpr double lobes = 2;

double sinc(double x) { return x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x); }

/// The taps of a Lanczos low pass that takes the frequencies up to `ratio` of those that the pixels can hold.
std::vector<float> low_pass_taps(double ratio) {
  std::vector<double> side;
  for (int i = 1; i * ratio < lobes; ++i) side.push_back(sinc(i * ratio) * sinc(i * ratio / lobes));
  std::vector<double> taps(side.rbegin(), side.rend());
  taps.push_back(1);
  taps.insert(taps.end(), side.begin(), side.end());
  double sum = 0;
  for (const double tap : taps) sum += tap;
  std::vector<float> result;
  for (const double tap : taps) result.push_back(static_cast<float>(tap / sum));
  return result;
}

/// Along axis 2 or 3 of (N,1,h,w), reflected at the border, which is repeated on neither side.
at::Tensor low_pass(const at::Tensor& x, int axis, double ratio) {
  const std::vector<float> taps = low_pass_taps(ratio);
  const auto border = static_cast<std::int64_t>(taps.size() / 2);
  const bool down = axis == 2;
  const at::Tensor padded =
      at::reflection_pad2d(x, down ? at::IntArrayRef{0, 0, border, border} : at::IntArrayRef{border, border, 0, 0});
  const at::Tensor kernel = at::tensor(taps, at::kFloat).to(x.options());
  const std::int64_t count = kernel.numel();
  return at::conv2d(padded, down ? kernel.view({1, 1, count, 1}) : kernel.view({1, 1, 1, count}));
}

/// A square of `size` from (1,3,h,w): a low pass along the sides that shrink, then plain bicubic sampling.
at::Tensor resample(const at::Tensor& x, std::int64_t size) {
  const std::int64_t height = x.size(2), width = x.size(3);
  at::Tensor planes = x.reshape({x.size(0) * x.size(1), 1, height, width});
  if (size < height) planes = low_pass(planes, 2, static_cast<double>(size) / static_cast<double>(height));
  if (size < width) planes = low_pass(planes, 3, static_cast<double>(size) / static_cast<double>(width));
  constexpr bool align_corners = true;
  return at::upsample_bicubic2d(planes.reshape(x.sizes()), {size, size}, align_corners);
}

}  // namespace

at::Tensor make_image_prompt_cutouts(const at::Tensor& picture, std::int64_t cut_size, int count, bool skip_augs,
                                     RandomStream& stream, bool faithful) {
  if (picture.dim() != 4 || picture.size(0) != 1 || count < 1) {
    throw Error("an image prompt's cutouts are made of one picture of shape (1,3,H,W)");
  }
  const std::int64_t border = picture.size(2) / 4;
  const at::Tensor padded = at::constant_pad_nd(picture, {border, border, border, border}, 0);
  const std::int64_t height = padded.size(2), width = padded.size(3), largest = std::min(height, width);
  const double smallest_share = static_cast<double>(cut_size) / static_cast<double>(largest);
  std::vector<at::Tensor> cuts;
  for (int k = 0; k < count; ++k) {
    at::Tensor cut = padded;
    if (k <= count - count / 4) {
      // The upper limit wins where a cut is larger than the picture.
      const at::Tensor share = at::scalar_tensor(stream.normal(.8, .3), at::kFloat).clamp(smallest_share, 1);
      const auto size = static_cast<std::int64_t>((share * largest).item<float>());
      const std::int64_t x = stream.randint(0, width - size + 1), y = stream.randint(0, height - size + 1);
      cut = padded.narrow(2, y, size).narrow(3, x, size);
    }
    if (!skip_augs) cut = augment(cut, AugmentationList::video, stream, faithful);
    cuts.push_back(resample(cut, cut_size));
  }
  return at::cat(cuts);
}

}  // namespace disco
