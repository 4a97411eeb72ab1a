#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cli/preview.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "core/text.h"

namespace disco {
namespace {

constexpr auto clear_line = "\r\x1b[K";

/// The first `columns` characters.
std::string cut_to(const std::string& text, int columns) {
  std::size_t position = 0;
  for (int i = 0; i < columns && position < text.size(); ++i) next_code_point(text, position);
  return text.substr(0, position);
}

/// The screen's last lines belong to the bar: the preview's lines, if any, and the bar, where the cursor stays.
class BarReporter : public Reporter {
 public:
  explicit BarReporter(bool preview) : preview_(preview), unicode_(locale_is_utf8()) {}
  ~BarReporter() override { finish_block(); }
  BarReporter(const BarReporter&) = delete;
  BarReporter& operator=(const BarReporter&) = delete;

  void started(const RunStarted& run) override {
    pictures_ = run.pictures;
    note(fmt::format("{} x {}, {} steps, seed {}, on {}{}", run.width, run.height, run.steps, run.seed, run.device,
                     run.resumed ? ", going on from a checkpoint" : ""));
    if (!run.plan.empty()) note("to fit into memory: " + run.plan);
  }
  void loading(const std::string& model) override { draw_bar("loading " + model, -1); }
  void step_done(const StepDone& step) override {
    if (preview_ && step.preview != nullptr) draw_preview(*step.preview);
    draw_bar(progress_text(step, pictures_), step.steps > 0 ? static_cast<double>(step.step) / step.steps : -1);
  }
  void downloading(const std::string& name, std::uint64_t done, std::uint64_t all) override {
    const std::string text = all == 0 ? fmt::format("{}  {}", name, byte_size(static_cast<double>(done)))
                                      : fmt::format("{}  {} of {}", name, byte_size(static_cast<double>(done)),
                                                    byte_size(static_cast<double>(all)));
    draw_bar(text, all == 0 ? -1 : static_cast<double>(done) / static_cast<double>(all));
  }
  void note(const std::string& text) override {
    above([&] { Reporter::note(text); });
  }
  void warning(const std::string& text) override {
    above([&] { Reporter::warning(text); });
  }
  void picture_saved(const std::filesystem::path& path) override {
    finish_block();
    Reporter::picture_saved(path);
  }
  void failed(const std::string& message, int status) override {
    finish_block();
    Reporter::failed(message, status);
  }

 protected:
  /// In the bar's place; the next step draws over it.
  std::string note_beside_bar(const std::string& text) const override { return "\r\x1b[K" + text; }

 private:
  void draw_bar(const std::string& text, double share) {
    const int columns = terminal_size().columns;
    const int room = std::min(columns - static_cast<int>(text.size()) - 3, 40);
    std::string line;
    if (share >= 0 && room >= 8) {
      const int full = static_cast<int>(std::clamp(share, 0.0, 1.0) * room);
      for (int i = 0; i < room; ++i) line += i < full ? (unicode_ ? "█" : "#") : (unicode_ ? "░" : ".");
      line += "  ";
    }
    bar_ = cut_to(line + text, columns - 1);
    write_to_standard_error(clear_line + bar_);
  }

  /// Back to the first column of the block's first line.
  std::string to_top() const { return lines_.empty() ? std::string("\r") : fmt::format("\r\x1b[{}A", lines_.size()); }

  std::string block() const {
    std::string text;
    for (const std::string& line : lines_) text += clear_line + line + "\n";
    return text + clear_line + bar_;
  }

  void draw_preview(const Picture& picture) {
    const TerminalSize size = terminal_size();
    std::string text = to_top() + "\x1b[J";
    lines_ = preview_lines(picture, std::min(size.columns - 1, 120), size.rows - 3);
    write_to_standard_error(text + block());
  }

  template <typename Say>
  void above(Say say) {
    write_to_standard_error(to_top() + "\x1b[J");
    say();
    if (!bar_.empty() || !lines_.empty()) write_to_standard_error(block());
  }

  /// The preview stays, the bar goes; what comes next starts below.
  void finish_block() {
    if (!bar_.empty()) write_to_standard_error(clear_line);
    bar_.clear();
    lines_.clear();
  }

  bool preview_, unicode_;
  int pictures_ = 1;
  std::string bar_;
  std::vector<std::string> lines_;
};

}  // namespace

std::unique_ptr<Reporter> make_bar_reporter(bool preview) { return std::make_unique<BarReporter>(preview); }

}  // namespace disco
