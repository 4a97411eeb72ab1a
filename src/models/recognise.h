// What kind of model a weights file holds, by its tensors' names. No torch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include "models/weights/layout.h"

namespace disco {

struct Recognised {
  std::string role;  ///< Empty: no model that the program knows. "lpips-heads" and "lpips-backbone" are LPIPS's halves.
  nlohmann::json config = nlohmann::json::object();
};

Recognised recognise(const weights::Layout& layout, const std::string& file_name);

/// Recognition of files by path; each is opened only once while its size and time stay the same. Files that cannot be
/// read as weights have no role. Safe to use from several threads.
class RecognitionCache {
 public:
  Recognised look(const std::filesystem::path& file);

 private:
  struct Known {
    std::uintmax_t size;
    std::filesystem::file_time_type time;
    Recognised recognised;
  };
  std::mutex mutex_;
  std::map<std::filesystem::path, Known> known_;
};

}  // namespace disco
