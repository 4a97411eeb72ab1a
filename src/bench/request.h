// What all measurements of models are asked, and what a caller hears of them. No torch.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>

#include "run/engine.h"

namespace disco {

struct BenchRequest {
  EngineOptions engine;
  /// Without prompts of its own. The picture of prompt k is drawn from its seed + k (k when it has none).
  Settings settings;
  std::filesystem::path out;
  std::string judge = "pocket-judge";  ///< An installed model of the role "judge".
  int prompts = 100;                   ///< How many of evaluation_prompts(), spread evenly.
  /// Of several processes that draw together into one folder, this is number `share`, from 0, of `shares`.
  int share = 0, shares = 1;
  const std::atomic<bool>* interrupt = nullptr;
};

class BenchEvents {
 public:
  virtual ~BenchEvents() = default;
  /// Pictures of one way of drawing ("guided", "eta: eta 0.5") that are there now.
  virtual void drawn(const std::string& /*of*/, int /*done*/, int /*all*/) {}
};

}  // namespace disco
