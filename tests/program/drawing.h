// Whole runs with the small test networks: pictures of 64 × 64 in a few steps.
#pragma once

#include <sys/resource.h>

#include "program/small_models.h"
#include "program/support.h"

namespace disco::program {

class DrawingTest : public ::testing::Test {
 protected:
  DrawingTest() {
    place.write("small.json", R"({
      "text_prompts": "a lighthouse", "seed": 3, "batch_name": "small", "width": 64, "height": 64,
      "steps": 6, "skip_steps": 0, "cutn_batches": 1, "cut_overview": 2, "cut_innercut": 1,
      "diffusion_model": "ref-adm256", "clip_models": ["ref-vit32"], "secondary_model": "ref-secondary",
      "lpips_model": "ref-lpips"})");
  }

  /// Flags of a run into `out`; one thread, since two would only wait for one another on pictures this small.
  std::vector<std::string> drawing(const std::string& out, std::vector<std::string> more = {}) const {
    std::vector<std::string> flags = {
        "run",       "--settings", "small.json",  "--out",      out,   "--models", small_models().string(),
        "--threads", "1",          "--no-advice", "--progress", "json"};
    flags.insert(flags.end(), more.begin(), more.end());
    return flags;
  }
  std::vector<std::string> resuming(const std::string& out) const {
    return {"resume", out,          "--models", small_models().string(), "--threads",
            "1",      "--progress", "json",     "--checkpoint-seconds",  "0"};
  }
  std::string picture(const std::string& out, int k) const {
    return place.read(out + "/small/small(0)_000" + std::to_string(k) + ".png");
  }
  nlohmann::ordered_json losses(const std::string& out, int k) const {
    return place.read_json(out + "/small/small(0)_000" + std::to_string(k) + ".json")["losses"];
  }
  /// What lies in OUT/small when a run has come to its end: nothing but pictures and what is beside them.
  std::vector<std::string> files(const std::string& out) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(place / (out + "/small")))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

  Workplace place;
};

}  // namespace disco::program
