// The two richer ways of telling progress: a bar for people, lines of JSON for programs.
#pragma once

#include <memory>
#include <string>

#include "cli/reporter.h"

namespace disco {

/// "picture 1/3  step 40/250  loss 0.832  2:31 left"
std::string progress_text(const StepDone& step, int pictures);

/// One line, redrawn, with the picture so far above it when `preview`.
std::unique_ptr<Reporter> make_bar_reporter(bool preview);

/// One object a line: {"event": "started" | "loading" | "step" | "partial" | "picture" | "download" | "note" |
/// "warning" | "error", …}. The other members are named as those of RunStarted and StepDone; "error" carries message
/// and status.
std::unique_ptr<Reporter> make_json_reporter();

}  // namespace disco
