#include "cli/training_told.h"

#include <fmt/format.h>

namespace disco {

void TrainingTold::progress(const TrainProgress& now) {
  const auto moment = std::chrono::steady_clock::now();
  if (moment - told_ < std::chrono::seconds(json_ ? 1 : 5) && now.step != now.steps) return;
  told_ = moment;
  fmt::print(stderr, "{}\n", json_ ? event(now).dump() : line(now));
}

}  // namespace disco
