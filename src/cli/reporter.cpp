#include "cli/reporter.h"

#include <fmt/format.h>

#include <cstdio>

#include "cli/progress.h"
#include "cli/terminal.h"

namespace disco {
namespace {

/// A line now and then, for logs.
class LinesReporter : public Reporter {
 public:
  void started(const RunStarted& run) override {
    pictures_ = run.pictures;
    write_to_standard_error(fmt::format("{} {} of {} x {} in {} steps, seed {}, on {}\n",
                                        run.resumed ? "going on with" : "drawing",
                                        run.pictures == 1 ? "a picture" : fmt::format("{} pictures", run.pictures),
                                        run.width, run.height, run.steps, run.seed, run.device));
    if (!run.plan.empty()) note("to fit into memory: " + run.plan);
  }
  void step_done(const StepDone& step) override {
    // About ten lines a picture.
    const int every = std::max(1, step.steps / 10);
    if (step.step % every != 0 && step.step != step.steps) return;
    write_to_standard_error(progress_text(step, pictures_) + "\n");
  }

 private:
  int pictures_ = 1;
};

}  // namespace

void Reporter::note(const std::string& text) { write_to_standard_error("note: " + text + "\n"); }

void Reporter::warning(const std::string& text) { write_to_standard_error("warning: " + text + "\n"); }

void Reporter::failed(const std::string& message, int /*status*/) {
  write_to_standard_error("disco: " + message + "\n");
}

const char* Reporter::interrupt_notice() {
  interrupt_notice_ = note_beside_bar("finishing this step and keeping a checkpoint; press again to stop at once");
  return interrupt_notice_.c_str();
}

const char* Reporter::interrupt_notice(const std::string& text) {
  interrupt_notice_ = line_of_note(text);
  return interrupt_notice_.c_str();
}

std::string Reporter::line_of_note(const std::string& text) const { return "disco: " + text + "\n"; }

void Reporter::name_once(const std::filesystem::path& path) {
  if (!named_.contains(path)) picture_saved(path);
}

void Reporter::picture_saved(const std::filesystem::path& path) {
  named_.insert(path);
  std::fputs((path.string() + "\n").c_str(), stdout);
  std::fflush(stdout);
}

std::string progress_text(const StepDone& step, int pictures) {
  return fmt::format("picture {}/{}  step {}/{}  loss {:.3f}  {} left", step.picture + 1, pictures, step.step,
                     step.steps, step.loss, clock_time(step.seconds_left));
}

std::unique_ptr<Reporter> make_reporter(const std::string& progress, const std::string& preview) {
  if (progress == "json") return make_json_reporter();
  if (progress == "none") return std::make_unique<Reporter>();
  if (progress == "lines" || (progress == "auto" && !standard_error_is_terminal()))
    return std::make_unique<LinesReporter>();
  return make_bar_reporter(preview == "blocks" || (preview == "auto" && terminal_shows_pictures()));
}

}  // namespace disco
