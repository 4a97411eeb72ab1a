// Pictures of one set of settings, drawn prompt by prompt and kept, so that a measurement can go on where it stopped.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>

#include "picture/picture.h"
#include "run/engine.h"
#include "settings/settings.h"

namespace disco {

class DrawnPictures {
 public:
  /// Prompt k is drawn from the settings' seed + k (from k when it is not set). Throws RequestError when the folder
  /// holds pictures of other settings.
  DrawnPictures(std::filesystem::path folder, Settings settings);

  /// Draws prompt k, unless that is done. Throws Interrupted between pictures, and what a run throws.
  Picture get(Engine& engine, const std::string& prompt, int k, const std::atomic<bool>* interrupt) const;

 private:
  Settings with_prompt(const std::string& prompt, int k) const;

  std::filesystem::path folder_;
  Settings settings_;
};

}  // namespace disco
