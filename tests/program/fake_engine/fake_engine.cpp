// A stand-in for the engine that draws nothing but flat pictures: the program's own work (progress, signals, errors,
// what it asks for) is tested on it in milliseconds. batch_name chooses what goes wrong.
#include <chrono>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/error.h"
#include "core/file.h"
#include "picture/picture.h"
#include "run/engine.h"
#include "settings/table.h"

namespace disco {
namespace {

using Json = nlohmann::ordered_json;

Picture flat_picture(const Settings& settings) {
  Picture picture(static_cast<int>(settings.drawn_width()), static_cast<int>(settings.drawn_height()), 3);
  for (std::size_t i = 0; i < picture.samples.size(); i += 3) picture.samples[i] = 200;
  return picture;
}

class FakeEngine final : public Engine {
 public:
  explicit FakeEngine(const EngineOptions& options) : options_(options) {}

  RunResult run(const RunRequest& request, RunListener& listener) override {
    record("run", request, {});
    return draw(request, listener);
  }

  RunResult resume(const fs::path& path, double checkpoint_seconds, const std::atomic<bool>*,
                   RunListener& listener) override {
    if (!fs::exists(path)) throw RequestError("there is no such file or folder", path.string());
    listener.started(
        {.pictures = 2, .steps = 1, .width = 64, .height = 64, .seed = 5, .device = "fake", .resumed = true});
    listener.picture_saved(path / "second.png");
    write_file(path / "resumed.json", Json{{"checkpoint_seconds", checkpoint_seconds}}.dump());
    return {{path / "first.png", path / "second.png"}};
  }

  DraftResult draft(const DraftRequest& request, RunListener&) override {
    record("draft", request.run, {{"count", request.count}, {"stop_at", request.stop_at}});
    return {request.run.out / "sheet.png", {}};
  }

  RunResult finish(const fs::path& path, const std::vector<int>& numbers, const RunRequest& request,
                   RunListener&) override {
    record("finish", request, {{"path", path.string()}, {"numbers", numbers}});
    return {};
  }

  MemoryEstimate estimate(const Settings& settings) override {
    MemoryEstimate estimate;
    estimate.peak = static_cast<std::uint64_t>(settings.width * settings.height) * 1000;
    estimate.unplanned_peak = estimate.peak;
    estimate.parts = {{"diffusion weights", estimate.peak / 2}, {"cutouts", estimate.peak / 2}};
    estimate.available = std::uint64_t{1} << 30;
    if (!estimate.fits()) estimate.suggestion = "width 512, height 512";
    return estimate;
  }

  std::vector<MemoryTable> memory_tables(const Settings&) override {
    constexpr std::uint64_t gib = std::uint64_t{1} << 30;
    const MemoryTable::Row row{"512x512", {{gib / 2, gib / 2}, {2 * gib, gib}, {4 * gib, 2 * gib}}};
    return {{"with the secondary model", "cuts", {"4", "8", "16"}, {row}}};
  }

  Json doctor() override {
    return {{"machine", {{"cores", 2}}},
            {"models", Json::array({"a", "b"})},
            {"fits", {{{"preset", "gold"}, {"verdict", "no"}}, {{"preset", "default"}, {"verdict", "yes"}}}}};
  }

  Json recommended_settings(const std::string& model) override {
    if (model == "pocket-diffusion")
      return {{"width", 128}, {"height", 128}, {"steps", 40}, {"cutn_batches", 2}, {"clip_models", {"pocket-looks"}}};
    return Json::object();
  }

  std::map<std::string, std::vector<std::string>> unknown_words(const Settings& settings) override {
    std::map<std::string, std::vector<std::string>> unknown;
    for (const auto& [frame, prompts] : settings.text_prompts) {
      for (const Prompt& prompt : prompts) {
        if (prompt.text.find("xyzzy") != std::string::npos) unknown["pocket-looks"] = {"xyzzy"};
      }
    }
    return unknown;
  }

  std::vector<ModelEntry> list_models() override {
    std::vector<ModelEntry> models = {{"pocket-looks", "clip", "/m/pocket/looks.safetensors", "", {}},
                                      {"pocket-diffusion", "diffusion", "/m/pocket/draws.safetensors", "", {}}};
    if (fs::exists(options_.model_folders.front() / "everything")) {
      models.push_back({default_settings().diffusion_model, "diffusion", "/m/real.pt", "", {}});
    }
    return models;
  }

  const std::vector<CatalogEntry>& known_models() override {
    static const std::vector<CatalogEntry> known = {
        {"RN50", "clip", "00", "quick_gelu", "", "RN50", "a ResNet", {"https://example.org/RN50.pt"}, {}}};
    return known;
  }

  FileInspection inspect(const fs::path& file) override {
    if (!fs::exists(file)) throw Error("there is no such file", file.string());
    return {"safetensors", "clip", {{"width", 64}}, 12, {{"a.weight", "F32", {3, 4}}}, {{"author", "nobody"}}};
  }

  ModelEntry add_model(const fs::path& file, const std::string& name) override {
    return {
        name.empty() ? file.stem().string() : name, "clip", options_.model_folders.front() / file.filename(), "", {}};
  }

  void remove_model(const std::string& name) override {
    if (name != "pocket-looks") throw RequestError("there is no model '" + name + "'", "models");
  }

  std::vector<ModelStore::Verdict> verify_models() override {
    return {{{"good-one", "clip", "/m/good", "", {}}, true, "as it should be"},
            {{"bad-one", "clip", "/m/bad", "", {}}, false, "another checksum"}};
  }

  ModelEntry pull_model(const std::string& name, const ModelStore::PullOptions& options) override {
    if (options.offline) throw RequestError("it is not here and --offline forbids to fetch it", name);
    options.progress(10, 20);
    options.progress(20, 20);
    return {name, "clip", options_.model_folders.front() / name, "", {}};
  }

 private:
  /// What was asked for, for the test to read.
  void record(const std::string& verb, const RunRequest& request, const Json& more) const {
    Json folders = Json::array();
    for (const fs::path& folder : options_.model_folders) folders.push_back(folder.string());
    const Json json = {{"verb", verb},
                       {"settings", to_json(request.resolved.settings)},
                       {"origins", request.resolved.origins},
                       {"checkpoint_seconds", request.checkpoint_seconds},
                       {"device", options_.device},
                       {"threads", options_.threads},
                       {"memory", options_.memory_limit_gib},
                       {"model_folders", folders},
                       {"more", more}};
    write_file(request.out / "request.json", json.dump(1));
  }

  static void fail(const std::string& batch) {
    if (batch == "internal") throw std::runtime_error("a tensor is odd\nException raised from odd_tensor.cpp:7");
    if (batch == "memory") throw MemoryError("it does not fit", "", "make it smaller");
    if (batch == "bad_alloc") throw std::bad_alloc();
    if (batch == "failed") throw Error("the disk is full", "out");
  }

  static RunResult draw(const RunRequest& request, RunListener& listener) {
    const Settings& settings = request.resolved.settings;
    const int pictures = static_cast<int>(settings.n_batches), steps = static_cast<int>(settings.steps);
    listener.loading(settings.diffusion_model);
    listener.started({.pictures = pictures,
                      .steps = steps,
                      .width = settings.drawn_width(),
                      .height = settings.drawn_height(),
                      .seed = settings.seed,
                      .device = "fake",
                      .resumed = false});
    fail(settings.batch_name);
    listener.warning("a warning");
    const Picture picture = flat_picture(settings);
    RunResult result;
    for (int k = 0; k < pictures; ++k) {
      for (int step = 1; step <= steps; ++step) {
        if (settings.batch_name == "slow") std::this_thread::sleep_for(std::chrono::milliseconds(50));
        if (settings.batch_name == "hangs") std::this_thread::sleep_for(std::chrono::seconds(60));
        listener.step_done({.picture = k,
                            .step = step,
                            .steps = steps,
                            .loss = settings.batch_name == "nan" ? std::nan("") : 1.0 / step,
                            .seconds = 0.01,
                            .seconds_left = 0.01 * (steps - step),
                            .clamped = step == 1,
                            .preview = step == steps ? &picture : nullptr});
        if (request.interrupt->load()) throw Interrupted("interrupted after step " + std::to_string(step));
      }
      result.pictures.push_back(request.out / settings.batch_name / (std::to_string(k) + ".png"));
      write_picture(result.pictures.back(), picture);
      listener.picture_saved(result.pictures.back());
    }
    return result;
  }

  EngineOptions options_;
};

}  // namespace
}  // namespace disco

extern "C" disco::Engine* disco_create_engine(const char* version, const disco::EngineOptions& options) {
  return std::strcmp(version, DISCO_VERSION) == 0 ? new disco::FakeEngine(options) : nullptr;
}
