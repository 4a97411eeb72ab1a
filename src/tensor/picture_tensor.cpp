#include "tensor/picture_tensor.h"

#include <ATen/ATen.h>

#include <cstring>

#include "core/error.h"

namespace disco {

at::Tensor to_tensor(const Picture& picture) {
  at::Tensor samples = at::empty({picture.height, picture.width, picture.channels}, at::kByte);
  if (picture.samples.size() != static_cast<std::size_t>(samples.numel())) {
    throw Error("a picture's samples do not match its size");
  }
  if (!picture.samples.empty()) std::memcpy(samples.mutable_data_ptr(), picture.samples.data(), picture.samples.size());
  const at::Tensor rgb = picture.channels >= 3 ? samples.narrow(2, 0, 3) : samples.narrow(2, 0, 1).expand({-1, -1, 3});
  return rgb.permute({2, 0, 1}).contiguous().to(at::kFloat).div_(255).mul_(2).sub_(1).unsqueeze(0);
}

at::Tensor picture_bytes(const at::Tensor& x) {
  const bool batched = x.dim() == 4 && x.size(0) == 1 && x.size(1) == 3;
  if (!batched && !(x.dim() == 3 && x.size(0) == 3)) {
    throw Error("only a tensor of shape (1,3,H,W) or (3,H,W) can become a picture");
  }
  const at::Tensor planes = (batched ? x[0] : x).detach().to(at::kFloat);
  return planes.nan_to_num(-1).add(1).div(2).clamp(0, 1).mul(255).to(at::kByte).permute({1, 2, 0}).contiguous();
}

Picture picture_of(const at::Tensor& bytes) {
  const at::Tensor samples = bytes.cpu();
  Picture picture(static_cast<int>(samples.size(1)), static_cast<int>(samples.size(0)), 3);
  if (!picture.samples.empty()) std::memcpy(picture.samples.data(), samples.const_data_ptr(), picture.samples.size());
  return picture;
}

Picture to_picture(const at::Tensor& x) { return picture_of(picture_bytes(x)); }

}  // namespace disco
