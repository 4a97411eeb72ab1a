// The forward process at random times, and plain sampling to look at a network.
#pragma once

#include <ATen/core/Tensor.h>

#include "models/unet.h"
#include "tensor/random.h"

namespace disco {

struct Noised {
  at::Tensor x;             ///< α·x0 + σ·noise, (N,3,H,W)
  at::Tensor v;             ///< α·noise − σ·x0: what the network is to say (Salimans & Ho 2022, eq. 10).
  at::Tensor t;             ///< (N), the time as the network sees it.
  at::Tensor alpha, sigma;  ///< (N,1,1,1): sqrt(ᾱ), sqrt(1−ᾱ) of ADM's linear schedule of 1000 steps.
};

/// Picture k of n gets a time from the k-th of n equal parts of 0 … `end` (1000: all times), so that every batch sees
/// all noise levels.
Noised add_random_noise(const at::Tensor& x0, double end, RandomStream& draws);

/// The same with one time for all.
Noised add_noise_at(const at::Tensor& x0, double time, RandomStream& draws);

/// The network's v of noised pictures (N,3,H,W), whatever it predicts and whether it has a learned variance.
at::Tensor predict_v(const UNet& unet, const Noised& noised);
/// v of a network's first three channels, by its prediction: v = (ε − σ·x)/α.
at::Tensor v_of_output(const UNet& unet, const at::Tensor& output, const at::Tensor& x, const at::Tensor& alpha,
                       const at::Tensor& sigma);

/// What the guidance looks at: x̂0·σ + x·(1 − σ), with x̂0 = α·x − σ·v of the network's v.
at::Tensor guidance_view(const Noised& noised, const at::Tensor& v);

/// DDIM without guidance and without added noise (eta 0) from x (N,3,H,W): pictures in [-1,1].
at::Tensor sample_pictures(const UNet& unet, at::Tensor x, std::int64_t steps);

/// (1,3,rows·H,columns·W) of (N,3,H,W).
at::Tensor contact_sheet(const at::Tensor& pictures, std::int64_t columns);

}  // namespace disco
