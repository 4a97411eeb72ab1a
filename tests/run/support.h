// What the tests of runs share.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "core/file.h"
#include "run/engine.h"
#include "settings/resolve.h"
#include "support/reference_models.h"

namespace disco {

/// A folder that is removed at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "disco-test-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp failed");
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// One thread by default: on networks this small two would mostly wait for one another.
inline std::unique_ptr<Engine> make_engine(int threads = 1) {
  EngineOptions options;
  options.model_folders = {golden::models_folder()};
  options.device = "cpu";
  options.threads = threads;
  return std::unique_ptr<Engine>(disco_create_engine(DISCO_VERSION, options));
}

inline ResolvedSettings golden_settings(const std::string& name) {
  return resolve_settings({read_settings_file(golden::folder() / "e2e" / name / "settings.json")});
}

/// A short native run of the test networks.
inline ResolvedSettings quick_settings(nlohmann::ordered_json values = {}) {
  SettingsLayer base{"test",
                     {{"text_prompts", {{"0", {"a lighthouse"}}}},
                      {"width", 64},
                      {"height", 64},
                      {"steps", 6},
                      {"skip_steps", 0},
                      {"seed", 7},
                      {"cutn_batches", 1},
                      {"cut_overview", "[2]*1000"},
                      {"cut_innercut", "[2]*1000"},
                      {"diffusion_model", "ref-adm256"},
                      {"secondary_model", "ref-secondary"},
                      {"clip_models", {"ref-vit32"}},
                      {"lpips_model", "ref-lpips"},
                      {"batch_name", "quick"}},
                     {},
                     {}};
  SettingsLayer chosen{"flag", std::move(values), {}, {}};
  return resolve_settings({base, chosen});
}

/// Remembers what a run told.
class Recorder : public RunListener {
 public:
  void step_done(const StepDone&) override {
    ++steps;
    if (stop_after > 0 && steps == stop_after) interrupt = true;
  }
  void warning(const std::string& text) override { warnings.push_back(text); }

  int steps = 0, stop_after = 0;
  std::atomic<bool> interrupt{false};
  std::vector<std::string> warnings;
};

inline RunRequest request_in(const fs::path& out, ResolvedSettings resolved, Recorder* recorder = nullptr) {
  RunRequest request;
  request.resolved = std::move(resolved);
  request.out = out;
  if (recorder) request.interrupt = &recorder->interrupt;
  return request;
}

}  // namespace disco
