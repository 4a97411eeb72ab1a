#include "cli/interrupt.h"

#include <unistd.h>

#include <array>
#include <cstring>

#include "core/error.h"

namespace disco {
namespace {

constexpr std::array signals = {SIGINT, SIGTERM, SIGHUP};

/// A signal handler has nothing else to reach it by.
struct State {
  std::atomic<bool> interrupted{false};
  std::atomic<const char*> notice{nullptr};
};

State& state() {
  static State instance;
  return instance;
}

void handle(int /*signal*/) {
  State& current = state();
  if (current.interrupted.exchange(true)) ::_exit(static_cast<int>(ExitStatus::interrupted));
  const char* notice = current.notice;
  if (notice != nullptr && ::write(STDERR_FILENO, notice, std::strlen(notice)) < 0) current.notice = nullptr;
}

}  // namespace

InterruptGuard::InterruptGuard(const char* notice) {
  state().notice = notice;
  state().interrupted = false;
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < signals.size(); ++i) ::sigaction(signals[i], &action, &before_[i]);
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, &pipe_before_);
}

InterruptGuard::~InterruptGuard() {
  for (std::size_t i = 0; i < signals.size(); ++i) ::sigaction(signals[i], &before_[i], nullptr);
  ::sigaction(SIGPIPE, &pipe_before_, nullptr);
}

const std::atomic<bool>& InterruptGuard::flag() const { return state().interrupted; }

}  // namespace disco
