// Where a step's time goes: named parts, timed when somebody measures, free when nobody does.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace disco {

/// Sums the time and the arithmetic of named parts. Parts may nest: time counts for the innermost. One thread.
class PartClock {
 public:
  struct Part {
    double seconds = 0;
    double flops = 0;  ///< Products and sums of its matrix products and convolutions, as the direct algorithms do them.
  };

  /// `synchronise` waits for a device's work at each change of parts (empty: none).
  explicit PartClock(std::function<void()> synchronise = {}) : synchronise_(std::move(synchronise)) {}

  /// The clock that TimedPart and count_flops() report to on this thread; null: nobody measures.
  static PartClock*& current();

  /// Begins a part, or goes back to one; returns the one before ("" when none was running).
  std::string enter(std::string part);
  void add_flops(double flops) { parts_[running_].flops += flops; }
  /// What other threads did meanwhile: of each part all of the arithmetic, and the longest time, which the running part
  /// does not count.
  void add_concurrent(const std::vector<PartClock>& others);

  const std::map<std::string, Part>& parts() const { return parts_; }
  void clear() { parts_.clear(); }

 private:
  using Clock = std::chrono::steady_clock;

  std::function<void()> synchronise_;
  std::map<std::string, Part> parts_;
  std::string running_;
  Clock::time_point since_;
};

/// Times its own lifetime as a part.
class TimedPart {
 public:
  /// The part is called `what`, or "WHAT OF".
  explicit TimedPart(std::string_view what, std::string_view of = {});
  ~TimedPart();
  TimedPart(const TimedPart&) = delete;
  TimedPart& operator=(const TimedPart&) = delete;

 private:
  PartClock* const clock_;
  std::string before_;
};

/// The result of `work`, timed as TimedPart(what, of).
template <typename Work>
auto timed(std::string_view what, std::string_view of, const Work& work) {
  const TimedPart part(what, of);
  return work();
}

/// Adds to the running part's arithmetic.
inline void count_flops(double flops) {
  if (PartClock* clock = PartClock::current()) clock->add_flops(flops);
}

}  // namespace disco
