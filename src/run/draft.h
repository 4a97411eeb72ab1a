// Quick halves of pictures, and carrying the chosen ones on.
#pragma once

#include <filesystem>
#include <vector>

#include "run/engine.h"
#include "run/run_loop.h"
#include "run/session.h"

namespace disco {

DraftResult draw_drafts(const DraftRequest& request, Session& session, std::uint64_t memory_limit,
                        RunListener& listener);
/// Draws what a begun or resumed draft run lacks. Each draft is kept as a checkpoint (.draft), and the sheet is written
/// anew after each, so that an interrupted sheet shows what is there.
DraftResult draw_remaining_drafts(RunLoop& loop);

/// See Engine::finish(). A setting that the request leaves at its default takes the draft's value, unless the draft had
/// it from its preset: the prompt, size and models carry over, the draft's few steps and cuts do not.
RunResult finish_drafts(const std::filesystem::path& path, const std::vector<int>& numbers, const RunRequest& request,
                        Session& session, std::uint64_t memory_limit, RunListener& listener);

}  // namespace disco
