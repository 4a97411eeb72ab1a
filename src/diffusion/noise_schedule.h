// The noise schedule, respaced to the steps of a run. GUIDED-STEP "Schedule".
#pragma once

#include <cstdint>
#include <vector>

namespace disco {

struct NoiseSchedule {
  std::int64_t original_steps = 0;          ///< T.
  std::vector<std::int64_t> timestep_map;   ///< Kept entries of the T, ascending; one a sampling step.
  std::vector<double> alphas_cumprod;       ///< ᾱ[i] of the sampling steps.
  std::vector<double> alphas_cumprod_prev;  ///< ᾱ[i−1]; 1 for i = 0.

  /// `steps` ≥ 1: T and betas as the community's notebooks set them ("ddimN" of a linear schedule).
  static NoiseSchedule linear(std::int64_t steps);

  int steps() const { return static_cast<int>(timestep_map.size()); }
  /// The timestep that the networks and the guidance see: timestep_map[i]·1000/T.
  double model_time(int i) const;
  /// t′ = atan2(σ, α)·2/π, the secondary model's time.
  double secondary_time(int i) const;
};

}  // namespace disco
