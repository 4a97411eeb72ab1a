// SIGINT, SIGTERM and SIGHUP while a run is going: the first asks it to keep a checkpoint, the second ends the program.
#pragma once

#include <atomic>
#include <csignal>

namespace disco {

/// While it lives, the signals are caught, and a reader of our output that goes away does not end the run (SIGPIPE).
/// `notice` is written to standard error at the first; it must outlive this.
class InterruptGuard {
 public:
  explicit InterruptGuard(const char* notice);
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  const std::atomic<bool>& flag() const;

 private:
  struct sigaction before_[3];
  struct sigaction pipe_before_;
};

}  // namespace disco
