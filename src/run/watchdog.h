// Looks at each step's picture for the known ways in which a run goes wrong.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <vector>

namespace disco {

/// What the watchdog remembers; part of a checkpoint.
struct WatchdogMemory {
  std::vector<double> deviations;  ///< Standard deviation of x̂0, step by step.
  std::vector<double> changes;     ///< Mean |x̂0 − previous x̂0|.
  std::vector<double> extremes;    ///< Share of samples of x̂0 with |x̂0| ≥ 0.98.
};

struct WatchedStep {
  at::Tensor x;            ///< The state after the step.
  at::Tensor x0;           ///< The shown x̂0.
  at::Tensor previous_x0;  ///< May be undefined.
  double push = 0;         ///< RMS of the guidance's move of x, as a share of the RMS of x before the step.
};

/// Judges a step by its unguided x̂0. It never judges by one look alone what could be art: a fault is a NaN or infinity,
/// or a sudden change against the run's own recent steps:
///   lost variance    the deviation falls below 0.02, from more than 0.1 at the step before;
///   jump             the change is over 0.35 and over 6 times the median of the last 8;
///   posterised       the share of extreme samples rises from under 0.4 to over 0.85 in one step;
///   swamped          the guidance alone moved the noisy picture by more than its own size. The x̂0 of such a step is
///                    still whole; that of the next shows noise, and by then the state to go back to is gone.
class Watchdog {
 public:
  /// The fault of a step, or nothing.
  std::optional<std::string> judge(const WatchedStep& step) const;
  /// Remembers an accepted step.
  void accept(const at::Tensor& x0, const at::Tensor& previous_x0);

  const WatchdogMemory& memory() const { return memory_; }
  void restore(WatchdogMemory memory) { memory_ = std::move(memory); }

 private:
  WatchdogMemory memory_;
};

}  // namespace disco
