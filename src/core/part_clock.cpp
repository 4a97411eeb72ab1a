#include "core/part_clock.h"

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
