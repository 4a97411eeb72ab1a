// What the program tells while it works: notes, progress, errors on standard error; finished pictures on standard
// output.
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "core/error.h"
#include "run/engine.h"

namespace disco {

class Reporter : public RunListener {
 public:
  /// Something worth knowing that is not wrong.
  virtual void note(const std::string& text);
  void warning(const std::string& text) override;
  /// The last thing said, before the program ends with `status`.
  virtual void failed(const std::string& message, int status);
  /// Bytes of a download.
  virtual void downloading(const std::string& /*name*/, std::uint64_t /*done*/, std::uint64_t /*all*/) {}
  /// What a signal handler writes when a run is asked to stop; good while the reporter lives.
  const char* interrupt_notice();
  /// The same of other work, beside which no bar is drawn.
  const char* interrupt_notice(const std::string& text);

  /// Prints the path on standard output.
  void picture_saved(const std::filesystem::path& path) override;
  /// picture_saved(), if it was not said of this path before.
  void name_once(const std::filesystem::path& path);

 protected:
  /// A note as a line of its own, and beside a bar.
  virtual std::string line_of_note(const std::string& text) const;
  virtual std::string note_beside_bar(const std::string& text) const { return line_of_note(text); }

 private:
  std::set<std::filesystem::path> named_;
  std::string interrupt_notice_;
};

/// `progress`: auto (a bar on a terminal, else lines), bar, lines, json, none. `preview`: auto (where the terminal
/// shows 24-bit colour and there is a bar), blocks, none.
std::unique_ptr<Reporter> make_reporter(const std::string& progress, const std::string& preview);

}  // namespace disco
