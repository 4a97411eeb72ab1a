// log.csv of a run folder: what happened at each step that led to the present weights.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>

namespace disco {

class TrainLog {
 public:
  /// Keeps the whole lines of steps up to `done` of an earlier part and drops the others, which led nowhere. Throws
  /// Error when the file cannot be written.
  TrainLog(const std::filesystem::path& file, std::int64_t done);

  /// Handed to the system at once, so that it outlives a kill. False when it could not be written (once: what is
  /// missing then stays missing, so that no line is half a line).
  bool add(std::int64_t step, double loss, double learning_rate, double samples_per_second);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace disco
