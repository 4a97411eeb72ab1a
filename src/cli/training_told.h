// What `train` and `paint` have in common: progress now and then, as a line or as JSON, until an interrupt.
#pragma once

#include <atomic>
#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/reporter.h"
#include "train/train.h"

namespace disco {

class TrainingTold : public TrainEvents {
 public:
  TrainingTold(Reporter& reporter, const std::atomic<bool>& interrupt, bool json)
      : reporter_(reporter), interrupt_(interrupt), json_(json) {}

  /// Tells the last of all, and the others at intervals.
  void progress(const TrainProgress& now) final;
  void note(const std::string& text) override { reporter_.note(text); }
  bool stop_asked() override { return interrupt_.load(); }

 protected:
  virtual nlohmann::ordered_json event(const TrainProgress& now) const = 0;
  /// Without a line's end.
  virtual std::string line(const TrainProgress& now) const = 0;

  bool tells_json() const { return json_; }
  /// The next progress is told at once.
  void tell_next() { told_ = {}; }

 private:
  Reporter& reporter_;
  const std::atomic<bool>& interrupt_;
  bool json_;
  std::chrono::steady_clock::time_point told_{};
};

}  // namespace disco
