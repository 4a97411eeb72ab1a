#include "core/part_clock.h"

#include <algorithm>
#include <utility>

namespace disco {

PartClock*& PartClock::current() {
  thread_local PartClock* clock = nullptr;
  return clock;
}

std::string PartClock::enter(std::string part) {
  if (synchronise_) synchronise_();
  const Clock::time_point now = Clock::now();
  if (!running_.empty()) parts_[running_].seconds += std::chrono::duration<double>(now - since_).count();
  since_ = now;
  return std::exchange(running_, std::move(part));
}

void PartClock::add_concurrent(const std::vector<PartClock>& others) {
  std::map<std::string, Part> together;
  for (const PartClock& other : others) {
    for (const auto& [name, part] : other.parts_) {
      Part& sum = together[name];
      sum.seconds = std::max(sum.seconds, part.seconds);
      sum.flops += part.flops;
    }
  }
  for (const auto& [name, part] : together) {
    parts_[name].seconds += part.seconds;
    parts_[name].flops += part.flops;
    since_ += std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(part.seconds));
  }
}

TimedPart::TimedPart(std::string_view what, std::string_view of) : clock_(PartClock::current()) {
  if (!clock_) return;
  std::string part(what);
  if (!of.empty()) part.append(" ").append(of);
  before_ = clock_->enter(std::move(part));
}

TimedPart::~TimedPart() {
  if (clock_) clock_->enter(std::move(before_));
}

}  // namespace disco
