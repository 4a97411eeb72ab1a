#include "run/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/file.h"
#include "kernels/choice.h"
#include "run/doctor.h"
#include "run/draft.h"
#include "run/inspection.h"
#include "run/memory_estimate.h"
#include "run/run_loop.h"
#include "run/session.h"
#include "settings/prompt.h"

namespace disco {
namespace {

constexpr double bytes_per_gib = 1024.0 * 1024.0 * 1024.0;

class LocalEngine final : public Engine {
 public:
  explicit LocalEngine(const EngineOptions& options)
      : options_(options), session_(options.model_folders, options.device, options.threads, options.precision) {
    choose_kernels(kernels_by_name(options.kernels));
  }

  RunResult run(const RunRequest& request, RunListener& listener) override {
    require_models(request.resolved.settings, session_.store());
    RunLoop loop(session_, loop_options(request), listener);
    loop.begin(request.resolved.settings, request.resolved.origins);
    return {loop.draw_all()};
  }

  RunResult resume(const fs::path& path, double checkpoint_seconds, const std::atomic<bool>* interrupt,
                   RunListener& listener) override {
    if (!fs::exists(path)) throw RequestError("there is no such file or folder", path.string());
    std::vector<fs::path> checkpoints = find_checkpoints(path);
    if (!fs::is_regular_file(path)) std::erase_if(checkpoints, [](const fs::path& file) { return !was_begun(file); });
    if (checkpoints.empty()) {
      throw RequestError("there is no unfinished run here", path.string(), "name the output folder or the .ckpt file");
    }
    fs::path file = fs::is_regular_file(path) ? path : first_of_chain(checkpoints.front());
    RunResult result;
    while (!file.empty()) {
      const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
      Checkpoint checkpoint = read_checkpoint(file);
      if (checkpoint.alpha_cumprod > 0) {
        throw RequestError("this is a finished draft", file.string(), "carry it on with: disco run --finish NUMBER");
      }
      require_models(checkpoint.settings, session_.store());
      RunLoop loop(session_, {folder, checkpoint_seconds, interrupt, memory_limit()}, listener);
      const bool drafts = checkpoint.drafts;
      const fs::path next = checkpoint.next.empty() ? fs::path() : folder / checkpoint.next;
      loop.resume(std::move(checkpoint));
      // Killed between two pictures, a run leaves the checkpoint of the finished one behind.
      for (int k = 0; k < loop.first_picture(); ++k) fs::remove(loop.names().checkpoint(k));
      const std::vector<fs::path> drawn = drafts ? std::vector{draw_remaining_drafts(loop).sheet} : loop.draw_all();
      result.pictures.insert(result.pictures.end(), drawn.begin(), drawn.end());
      file = fs::exists(next) ? next : fs::path();
    }
    return result;
  }

  DraftResult draft(const DraftRequest& request, RunListener& listener) override {
    require_models(request.run.resolved.settings, session_.store());
    return draw_drafts(request, session_, memory_limit(), listener);
  }

  RunResult finish(const fs::path& path, const std::vector<int>& numbers, const RunRequest& request,
                   RunListener& listener) override {
    return finish_drafts(path, numbers, request, session_, memory_limit(), listener);
  }

  MemoryEstimate estimate(const Settings& settings) override {
    return estimate_memory(settings, session_.store(), session_.memory(memory_limit()));
  }

  std::vector<MemoryTable> memory_tables(const Settings& settings) override {
    return disco::memory_tables(settings, session_.store(), session_.memory(memory_limit()));
  }

  nlohmann::ordered_json doctor() override { return examine(session_, memory_limit()); }

  nlohmann::ordered_json recommended_settings(const std::string& diffusion_model) override {
    const auto entry = session_.store().find(diffusion_model, "diffusion");
    if (!entry || !entry->config.contains("recommended")) return nlohmann::ordered_json::object();
    return nlohmann::ordered_json(entry->config["recommended"]);
  }

  std::map<std::string, std::vector<std::string>> unknown_words(const Settings& settings) override {
    std::map<std::string, std::vector<std::string>> unknown;
    for (const ClipChoice& choice : settings.clip_models) {
      const auto clip = session_.clip(choice.name);
      std::vector<std::string>& words = unknown[choice.name];
      for (const Prompt& prompt : prompts_at(settings.text_prompts, 0)) {
        const auto is_strange = [&](std::int64_t id) { return !clip->knows_token(id); };
        for (std::string& word : session_.tokenizer().words(prompt.text, is_strange)) {
          if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(std::move(word));
        }
      }
      if (words.empty()) unknown.erase(choice.name);
    }
    return unknown;
  }

  std::vector<ModelEntry> list_models() override { return session_.store().list(); }
  const std::vector<CatalogEntry>& known_models() override { return catalog(); }
  FileInspection inspect(const fs::path& file) override { return inspect_file(file); }
  ModelEntry add_model(const fs::path& file, const std::string& name) override {
    return session_.store().add(file, name);
  }
  void remove_model(const std::string& name) override { session_.store().remove(name); }
  std::vector<ModelStore::Verdict> verify_models() override { return session_.store().verify(); }
  ModelEntry pull_model(const std::string& name, const ModelStore::PullOptions& options) override {
    return session_.store().pull(name, options);
  }

 private:
  std::uint64_t memory_limit() const { return static_cast<std::uint64_t>(options_.memory_limit_gib * bytes_per_gib); }

  RunLoop::Options loop_options(const RunRequest& request) const {
    return {request.out / file_name(request.resolved.settings.batch_name), request.checkpoint_seconds,
            request.interrupt, memory_limit()};
  }

  EngineOptions options_;
  Session session_;
};

}  // namespace
}  // namespace disco

extern "C" disco::Engine* disco_create_engine(const char* version, const disco::EngineOptions& options) {
  if (std::strcmp(version, DISCO_VERSION) != 0) return nullptr;
  return new disco::LocalEngine(options);
}
