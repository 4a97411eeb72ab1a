#include "run/draft.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "run/contact_sheet.h"
#include "run/run_loop.h"
#include "settings/table.h"
#include "tensor/picture_tensor.h"

namespace disco {
namespace {

fs::path draft_path(const OutputNames& names, int k) { return names.checkpoint(k).replace_extension(".draft"); }

/// Drafts (*.draft) of the newest draft run at or below `path`, by picture number from 0.
std::map<int, fs::path> newest_drafts(const fs::path& path) {
  std::map<fs::path, std::map<int, fs::path>> runs;  // "FOLDER/BATCH(N)" → drafts
  std::map<fs::path, fs::file_time_type> times;
  std::error_code error;
  for (auto it = fs::recursive_directory_iterator(path, fs::directory_options::skip_permission_denied, error);
       !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (it->path().extension() != ".draft") continue;
    const std::string stem = it->path().stem().string();
    const std::size_t line = stem.rfind('_');
    if (line == std::string::npos || stem.find_first_not_of("0123456789", line + 1) != std::string::npos) continue;
    const fs::path run = it->path().parent_path() / stem.substr(0, line);
    runs[run][std::stoi(stem.substr(line + 1))] = it->path();
    times[run] = std::max(times[run], fs::last_write_time(it->path(), error));
  }
  if (runs.empty()) {
    throw RequestError("there are no drafts here", path.string(), "draw some first: disco draft -n 16 \"a prompt\"");
  }
  const auto newest =
      std::max_element(times.begin(), times.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return runs[newest->first];
}

std::string origin_of(const std::map<std::string, std::string>& origins, const std::string& key) {
  const auto found = origins.find(key);
  return found == origins.end() ? "default" : found->second;
}

Settings with_draft_values(const ResolvedSettings& resolved, const Checkpoint& draft) {
  Settings settings = resolved.settings;
  for (const SettingSpec& spec : settings_table()) {
    const std::string origin = origin_of(resolved.origins, spec.key), draft_origin = origin_of(draft.origins, spec.key);
    if (origin != "default" || draft_origin == "default" || draft_origin.starts_with("preset draft")) continue;
    set_value(settings, spec, get_value(draft.settings, spec), "draft");
  }
  // What makes it the same picture is never the request's to choose.
  settings.seed = draft.settings.seed;
  settings.width = draft.settings.width;
  settings.height = draft.settings.height;
  settings.compat = draft.settings.compat;
  settings.n_batches = 1;
  return settings;
}

}  // namespace

DraftResult draw_drafts(const DraftRequest& request, Session& session, std::uint64_t memory_limit,
                        RunListener& listener) {
  if (request.count < 1) throw RequestError("at least one draft must be drawn", "-n", "use -n 16");
  Settings settings = request.run.resolved.settings;
  settings.n_batches = request.count;
  if (settings.faithful()) {
    // Drafts are picked by number later, so each must be a picture of its own seed.
    throw RequestError("drafts need pictures that do not depend on each other", "compat", "use compat none");
  }
  // The presets for drafts end a run early too, for those who run them; here the share alone says where a draft stops.
  const std::string origin = origin_of(request.run.resolved.origins, "skip_end_steps");
  if (origin.starts_with("preset draft")) settings.skip_end_steps = default_settings().skip_end_steps;
  const fs::path folder = request.run.out / file_name(settings.batch_name);
  RunLoop loop(session, {folder, request.run.checkpoint_seconds, request.run.interrupt, memory_limit}, listener);
  loop.begin(settings, request.run.resolved.origins, request.stop_at);
  return draw_remaining_drafts(loop);
}

DraftResult draw_remaining_drafts(RunLoop& loop) {
  DraftResult result;
  const std::string batch = file_name(loop.settings().batch_name);
  result.sheet = loop.names().folder() / fmt::format("{}({})_drafts.png", batch, loop.names().number());
  std::vector<Picture> pictures;
  std::vector<std::string> labels;
  for (int k = 0; k < loop.settings().n_batches; ++k) {
    const fs::path path = draft_path(loop.names(), k);
    const bool drawn = k < loop.first_picture();
    Checkpoint draft;
    if (drawn) {
      draft = read_checkpoint(path);
    } else {
      PictureState state = loop.draw(k);
      draft = loop.checkpoint(k);
      draft.state = std::move(state);
      draft.settings.seed = loop.picture_seed(k);
      draft.alpha_cumprod = loop.reached_alpha_cumprod();
      write_checkpoint(path, draft);
    }
    result.drafts.push_back(path);
    pictures.push_back(to_picture(draft.state->shown.to(at::kCPU)));
    labels.push_back(fmt::format("{}", k + 1));
    if (drawn) continue;
    write_picture(result.sheet, contact_sheet(pictures, labels));
    loop.leave(k);
  }
  return result;
}

RunResult finish_drafts(const fs::path& path, const std::vector<int>& numbers, const RunRequest& request,
                        Session& session, std::uint64_t memory_limit, RunListener& listener) {
  const std::map<int, fs::path> drafts = newest_drafts(path);
  std::vector<fs::path> chosen;
  for (const int number : numbers) {
    const auto found = drafts.find(number - 1);
    if (found == drafts.end()) {
      throw RequestError(fmt::format("there is no draft {}", number), "--finish",
                         fmt::format("the drafts are numbered 1 to {}", drafts.rbegin()->first + 1));
    }
    chosen.push_back(found->second);
  }
  // All are begun before the first is drawn, so that an interrupted call is resumed with those that are left.
  std::vector<std::unique_ptr<RunLoop>> loops;
  try {
    for (const fs::path& draft_file : chosen) {
      const Checkpoint draft = read_checkpoint(draft_file);
      if (!draft.state) throw FormatError("the draft was not drawn", draft_file.string(), "draw it again");
      const Settings settings = with_draft_values(request.resolved, draft);
      require_models(settings, session.store());
      const fs::path folder = request.out / file_name(settings.batch_name);
      loops.push_back(std::make_unique<RunLoop>(
          session, RunLoop::Options{folder, request.checkpoint_seconds, request.interrupt, memory_limit}, listener));
      loops.back()->begin(settings, request.resolved.origins, {},
                          NoisyPicture{draft.state->sampler.x, draft.alpha_cumprod, draft_file.filename().string()});
    }
    for (std::size_t k = 0; k + 1 < loops.size(); ++k) loops[k]->then(loops[k + 1]->names().checkpoint(0));
  } catch (...) {
    for (const auto& loop : loops) loop->give_up();
    throw;
  }
  RunResult result;
  for (std::unique_ptr<RunLoop>& loop : loops) {
    try {
      for (fs::path& picture : loop->draw_all()) result.pictures.push_back(std::move(picture));
    } catch (...) {
      // What stops this one from beginning stops the others; what happens later leaves them to be resumed.
      if (loop->is_given_up()) {
        for (const auto& other : loops) {
          if (other) other->give_up();
        }
      }
      throw;
    }
    loop.reset();
  }
  return result;
}

}  // namespace disco
