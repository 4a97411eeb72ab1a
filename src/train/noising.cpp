#include "train/noising.h"

#include <ATen/ATen.h>

#include <cmath>

#include "diffusion/noise_schedule.h"
#include "train/device_noise.h"

namespace disco {

namespace {

Noised noised(const at::Tensor& x0, const std::vector<int>& entries, RandomStream& draws) {
  static const NoiseSchedule schedule = NoiseSchedule::linear(1000);
  const auto n = static_cast<std::int64_t>(entries.size());
  Noised result;
  result.t = at::empty({n});
  result.alpha = at::empty({n, 1, 1, 1});
  result.sigma = at::empty({n, 1, 1, 1});
  auto *t = result.t.mutable_data_ptr<float>(), *alpha = result.alpha.mutable_data_ptr<float>(),
       *sigma = result.sigma.mutable_data_ptr<float>();
  for (std::size_t k = 0; k < entries.size(); ++k) {
    const int i = std::min(entries[k], schedule.steps() - 1);
    const double alpha_bar = schedule.alphas_cumprod[static_cast<std::size_t>(i)];
    t[k] = static_cast<float>(schedule.model_time(i));
    alpha[k] = static_cast<float>(std::sqrt(alpha_bar));
    sigma[k] = static_cast<float>(std::sqrt(1 - alpha_bar));
  }
  const at::Tensor noise = noise_on(x0.device(), x0.sizes(), draws);
  for (at::Tensor* values : {&result.t, &result.alpha, &result.sigma}) *values = values->to(x0.device());
  result.x = result.alpha * x0 + result.sigma * noise;
  result.v = result.alpha * noise - result.sigma * x0;
  return result;
}

}  // namespace

Noised add_random_noise(const at::Tensor& x0, double end, RandomStream& draws) {
  const auto n = static_cast<double>(x0.size(0));
  std::vector<int> entries;
  for (double k = 0; k < n; ++k) entries.push_back(static_cast<int>((k + draws.rand()) / n * end));
  return noised(x0, entries, draws);
}

Noised add_noise_at(const at::Tensor& x0, double time, RandomStream& draws) {
  return noised(x0, std::vector<int>(static_cast<std::size_t>(x0.size(0)), static_cast<int>(time)), draws);
}

at::Tensor v_of_output(const UNet& unet, const at::Tensor& output, const at::Tensor& x, const at::Tensor& alpha,
                       const at::Tensor& sigma) {
  const at::Tensor said = output.narrow(1, 0, 3);
  return unet.config().prediction == "v" ? said : (said - sigma * x) / alpha;
}

at::Tensor predict_v(const UNet& unet, const Noised& noised) {
  return v_of_output(unet, unet.forward(noised.x, noised.t), noised.x, noised.alpha, noised.sigma);
}

at::Tensor guidance_view(const Noised& noised, const at::Tensor& v) {
  const at::Tensor x0 = noised.alpha * noised.x - noised.sigma * v;
  return x0 * noised.sigma + noised.x * (1 - noised.sigma);
}

at::Tensor sample_pictures(const UNet& unet, at::Tensor x, std::int64_t steps) {
  const NoiseSchedule schedule = NoiseSchedule::linear(steps);
  at::Tensor shown;
  for (int i = schedule.steps() - 1; i >= 0; --i) {
    const auto at_i = static_cast<std::size_t>(i);
    const double alpha = std::sqrt(schedule.alphas_cumprod[at_i]), sigma = std::sqrt(1 - schedule.alphas_cumprod[at_i]);
    const double before = schedule.alphas_cumprod_prev[at_i];
    const at::Tensor time = at::full({x.size(0)}, schedule.model_time(i), x.options());
    const at::Tensor v =
        v_of_output(unet, unet.forward(x, time), x, at::full({}, alpha, x.options()), at::full({}, sigma, x.options()));
    shown = (alpha * x - sigma * v).clamp(-1, 1);
    const at::Tensor noise = (x - alpha * shown) / sigma;
    x = std::sqrt(before) * shown + std::sqrt(1 - before) * noise;
  }
  return shown;
}

at::Tensor contact_sheet(const at::Tensor& pictures, std::int64_t columns) {
  const std::int64_t n = pictures.size(0), h = pictures.size(2), w = pictures.size(3),
                     rows = (n + columns - 1) / columns;
  at::Tensor sheet = at::full({1, 3, rows * h, columns * w}, -1.0);
  for (std::int64_t k = 0; k < n; ++k) {
    sheet.narrow(2, k / columns * h, h).narrow(3, k % columns * w, w).copy_(pictures.narrow(0, k, 1));
  }
  return sheet;
}

}  // namespace disco
