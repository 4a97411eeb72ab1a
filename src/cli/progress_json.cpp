#include <nlohmann/json.hpp>

#include "cli/progress.h"
#include "cli/terminal.h"

namespace disco {
namespace {

using Json = nlohmann::ordered_json;

class JsonReporter : public Reporter {
 public:
  void started(const RunStarted& run) override {
    say({{"event", "started"},
         {"pictures", run.pictures},
         {"steps", run.steps},
         {"width", run.width},
         {"height", run.height},
         {"seed", run.seed},
         {"device", run.device},
         {"resumed", run.resumed},
         {"memory_plan", run.plan}});
  }
  void loading(const std::string& model) override { say({{"event", "loading"}, {"model", model}}); }
  void step_done(const StepDone& step) override {
    say({{"event", "step"},
         {"picture", step.picture},
         {"step", step.step},
         {"steps", step.steps},
         {"loss", step.loss},
         {"seconds", step.seconds},
         {"seconds_left", step.seconds_left},
         {"clamped", step.clamped}});
  }
  void partial_saved(const std::filesystem::path& path) override {
    say({{"event", "partial"}, {"path", path.string()}});
  }
  void picture_saved(const std::filesystem::path& path) override {
    say({{"event", "picture"}, {"path", path.string()}});
    Reporter::picture_saved(path);
  }
  void downloading(const std::string& name, std::uint64_t done, std::uint64_t all) override {
    say({{"event", "download"}, {"model", name}, {"done", done}, {"all", all}});
  }
  void note(const std::string& text) override { say({{"event", "note"}, {"message", text}}); }
  void warning(const std::string& text) override { say({{"event", "warning"}, {"message", text}}); }
  void failed(const std::string& message, int status) override {
    say({{"event", "error"}, {"message", message}, {"status", status}});
  }

 protected:
  std::string line_of_note(const std::string& text) const override {
    return line_of({{"event", "note"}, {"message", text}});
  }

 private:
  static std::string line_of(const Json& event) {
    return event.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  static void say(const Json& event) { write_to_standard_error(line_of(event)); }
};

}  // namespace

std::unique_ptr<Reporter> make_json_reporter() { return std::make_unique<JsonReporter>(); }

}  // namespace disco
