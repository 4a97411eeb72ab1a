// The variational bound of a diffusion model whose variance is learned (Nichol & Dhariwal 2021).
#pragma once

#include <ATen/core/Tensor.h>

namespace disco {

/// KL(N(mean1, exp(log_variance1)) ‖ N(mean2, exp(log_variance2))) of each element, in nats.
at::Tensor normal_kl(const at::Tensor& mean1, const at::Tensor& log_variance1, const at::Tensor& mean2,
                     const at::Tensor& log_variance2);

/// The log likelihood of 8-bit samples x in [-1,1] under a Gaussian that is integrated over each value's bin, of each
/// element, in nats (Ho 2020, eq. 13).
at::Tensor discretised_log_likelihood(const at::Tensor& x, const at::Tensor& mean, const at::Tensor& log_deviation);

/// The term of the bound at each picture's time, (N), in bits a sample: L_{t−1} as the KL of q(x_{t−1}|x_t,x_0) and
/// p(x_{t−1}|x_t) for t > 0, L_0 as a likelihood (Nichol & Dhariwal 2021, eq. 4 to 7). x0, x (N,3,H,W), t (N) in whole
/// steps of ADM's linear schedule of 1000; `predicted` x̂0; `variance` the network's last three channels v, which
/// interpolate: Σ = exp(w·log β + (1−w)·log β̃), w = (v+1)/2 (eq. 15, as ADM scales it).
at::Tensor bound_terms(const at::Tensor& x0, const at::Tensor& x, const at::Tensor& t, const at::Tensor& predicted,
                       const at::Tensor& variance);

}  // namespace disco
