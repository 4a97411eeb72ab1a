// Tiny trainings, and who listens to them.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/file.h"
#include "train/train.h"
#include "train/world/scene.h"

namespace disco {

/// How many of style, palette, sky, subject and ground differ.
inline int things_apart(const Scene& a, const Scene& b) {
  return (a.style != b.style) + (a.palette != b.palette) + (a.sky != b.sky) + (a.subject != b.subject) +
         (a.ground != b.ground);
}

/// Gone with what is in it at the end of the test.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "disco-train-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

struct Listener : TrainEvents {
  std::int64_t stop_after = -1;
  std::vector<double> losses;
  std::vector<std::string> notes, parts;
  std::int64_t steps = 0;
  void progress(const TrainProgress& p) override {
    steps = p.step;
    losses.push_back(p.loss);
  }
  void part(int number, int count, const std::string& title) override {
    parts.push_back(std::to_string(number) + " of " + std::to_string(count) + ": " + title);
  }
  void note(const std::string& text) override { notes.push_back(text); }
  bool stop_asked() override { return steps == stop_after; }
};

inline TrainRequest tiny_diffusion(const fs::path& folder) {
  TrainRequest request;
  request.run_folder = folder;
  request.picture_size = 16;
  request.batch = 8;
  request.steps = 30;
  request.warmup = 5;
  request.learning_rate = 2e-3;
  request.sheet_minutes = 0;
  request.threads = 1;
  request.config = {{"num_channels", 32}, {"channel_mult", {1, 1}}, {"attention_resolutions", "2"}, {"patch", 4}};
  return request;
}

inline TrainRequest tiny_clip(const fs::path& folder) {
  TrainRequest request = tiny_diffusion(folder);
  request.role = "clip";
  request.config = {{"input_size", 16}, {"patch", 8},       {"vision_width", 64}, {"vision_layers", 1},
                    {"text_width", 64}, {"text_layers", 1}, {"embedding", 32}};
  return request;
}

}  // namespace disco
