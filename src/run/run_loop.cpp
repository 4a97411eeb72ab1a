#include "run/run_loop.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/text.h"
#include "guidance/perlin.h"
#include "run/enlarge.h"
#include "run/fetched_pictures.h"
#include "run/memory_estimate.h"
#include "tensor/picture_tensor.h"

namespace disco {
namespace {

using Clock = std::chrono::steady_clock;

std::int64_t fresh_seed() {
  std::random_device device;
  return static_cast<std::int64_t>(device());
}

/// The prompts' embeddings depend on the random streams only when prompts are fuzzy or pictures.
bool targets_are_random(const Settings& settings) { return settings.fuzzy_prompt || !settings.image_prompts.empty(); }

double mean(const std::vector<double>& values) {
  if (values.empty()) return 0;
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// Calls `work` with the path of every picture that the settings name.
template <typename AnySettings, typename Work>
void over_input_pictures(AnySettings& settings, const Work& work) {
  const auto visit = [&](auto& path) {
    if (!path.empty() && path != "flat") work(path);
  };
  visit(settings.init_image);
  visit(settings.init_noise_mask);
  visit(settings.inpaint_mask);
  for (auto& [frame, prompts] : settings.image_prompts) {
    for (auto& prompt : prompts) visit(prompt.text);
  }
}

Settings with_absolute_paths(Settings settings) {
  over_input_pictures(settings, [](std::string& path) { path = fs::absolute(path).lexically_normal().string(); });
  return settings;
}

/// SHA-256 of every picture that the settings name, by path; empty for one that is gone.
std::map<std::string, std::string> input_hashes(const Settings& settings) {
  std::map<std::string, std::string> hashes;
  over_input_pictures(settings,
                      [&](const std::string& path) { hashes[path] = fs::exists(path) ? sha256_file(path) : ""; });
  return hashes;
}

/// Weights files of the settings' models, by name.
std::map<std::string, fs::path> weights_files(const Settings& settings, const ModelStore& store) {
  std::map<std::string, fs::path> files;
  for (const auto& [name, role] : models_of(settings)) {
    if (const auto entry = store.find(name, role)) files[name] = entry->weights;
  }
  return files;
}

}  // namespace

RunLoop::RunLoop(Session& session, Options options, RunListener& listener)
    : session_(session), options_(std::move(options)), listener_(listener) {}

RunLoop::~RunLoop() { session_.on_loading({}); }

void RunLoop::begin(const Settings& settings, std::map<std::string, std::string> origins,
                    std::optional<double> draft_share, std::optional<NoisyPicture> start) {
  plan_ = plan_memory(settings, session_.store(), session_.memory(options_.memory_limit));
  session_.hold_to(options_.memory_limit);
  settings_ = with_absolute_paths(with_fetched_pictures(settings, options_.folder / "inputs", options_.interrupt,
                                                        [this](const std::string& url) { listener_.loading(url); }));
  inputs_ = input_hashes(settings_);
  drafts_ = draft_share.has_value();
  stop_share_ = draft_share.value_or(1);
  start_ = std::move(start);
  origins_ = std::move(origins);
  if (settings_.seed < 0) settings_.seed = fresh_seed();
  const std::string batch = file_name(settings_.batch_name);
  // Two programs that draw into one folder must not take the same number: the first checkpoint claims it.
  for (int number = next_run_number(options_.folder, batch);; ++number) {
    names_ = std::make_unique<OutputNames>(options_.folder, batch, number, settings_.image_format);
    lock_ = FileLock::take(names_->lock());
    if (lock_ && create_file(names_->checkpoint(0), first_checkpoint(checkpoint(0)))) break;
  }
  unbegun_ = true;
  if (start_) write_checkpoint(names_->checkpoint(0), checkpoint(0));
}

void RunLoop::then(const fs::path& checkpoint_file) {
  next_ = checkpoint_file.filename().string();
  write_checkpoint(names_->checkpoint(0), checkpoint(0));
}

void RunLoop::give_up() {
  std::error_code error;
  if (!std::exchange(unbegun_, false)) return;
  given_up_ = true;
  fs::remove(names_->checkpoint(0), error);
}

void RunLoop::resume(Checkpoint saved) {
  settings_ = saved.settings;
  origins_ = std::move(saved.origins);
  first_picture_ = saved.picture;
  // The plan that it was begun with, unless memory has become scarcer.
  const MemoryOffer offer = session_.memory(options_.memory_limit);
  const auto same = estimate_memory(settings_, session_.store(), offer, saved.plan);
  plan_ = same.fits() ? saved.plan : plan_memory(settings_, session_.store(), offer);
  if (plan_.half_weights && !saved.plan.half_weights) {
    listener_.warning(
        "there is less memory than when the run was begun: it goes on with weights in half precision, and "
        "will not end in the same bits");
  }
  session_.hold_to(options_.memory_limit);
  drafts_ = saved.drafts;
  next_ = saved.next;
  stop_share_ = saved.stop_share;
  start_ = saved.start;
  resumed_ = std::move(saved.state);
  stream_before_ = saved.stream_before;
  names_ = std::make_unique<OutputNames>(options_.folder, file_name(settings_.batch_name), saved.number,
                                         settings_.image_format);
  lock_ = FileLock::take(names_->lock());
  if (!lock_) {
    throw RequestError("another process is drawing this run", options_.folder.string(),
                       "wait for it, or stop it and resume then");
  }
  if (saved.device != session_.device_name()) {
    listener_.warning(fmt::format("the run was begun on {} and goes on here on {}: it will not end in the same bits",
                                  saved.device, session_.device_name()));
  }
  compare_with(saved);
}

void RunLoop::compare_with(const Checkpoint& saved) {
  inputs_ = saved.inputs;
  const std::map<std::string, std::string> now = input_hashes(settings_);
  for (const auto& [path, hash] : inputs_) {
    const auto found = now.find(path);
    if (found != now.end() && found->second == hash) continue;
    const bool gone = found == now.end() || found->second.empty();
    throw RequestError(
        gone ? "a picture that the run was begun with is gone" : "this is not the picture that the run was begun with",
        path, "put the old file back, or begin a new run");
  }
  // Nothing was drawn with any weights yet where none are named.
  if (saved.model_hashes.empty()) return;
  begin_hashing();
  for (const auto& [name, hash] : saved.model_hashes) {
    const auto found = model_hashes().find(name);
    if (found == model_hashes().end() || found->second == hash) continue;
    throw RequestError(fmt::format("the weights of {} are not those that the run was begun with", name), "",
                       "put the old file back, or begin a new run");
  }
}

Checkpoint RunLoop::checkpoint(int picture) const {
  Checkpoint result;
  result.settings = settings_;
  result.origins = origins_;
  result.picture = picture;
  result.inputs = inputs_;
  result.drafts = drafts_;
  result.stop_share = stop_share_;
  result.next = next_;
  result.start = start_;
  result.number = names_->number();
  result.threads = at::get_num_threads();
  result.plan = plan_;
  result.device = session_.device_name();
  if (hashes_) result.model_hashes = *hashes_;
  result.stream_before = stream_before_;
  return result;
}

void RunLoop::begin_hashing() {
  if (hashes_ || hashing_.valid()) return;
  hashing_ = std::async(std::launch::async, [files = weights_files(settings_, session_.store())] {
    std::map<std::string, std::string> hashes;
    for (const auto& [name, file] : files) hashes[name] = weights_hash(file);
    return hashes;
  });
}

const std::map<std::string, std::string>& RunLoop::model_hashes() {
  begin_hashing();
  if (!hashes_) hashes_ = hashing_.get();
  return *hashes_;
}

void RunLoop::prepare(int picture) {
  if (!models_) {
    session_.on_loading([this](const std::string& model) { listener_.loading(model); });
    session_.keep_weights(plan_);
    models_ = load_models(settings_, session_);
    begin_hashing();
  }
  const auto embed = [&] {
    std::vector<std::string> warnings;
    embed_prompts(settings_, session_, *streams_, *models_, targets_made_ ? nullptr : &warnings);
    for (const std::string& warning : warnings) listener_.warning(warning);
    targets_made_ = true;
    if (!targets_are_random(settings_)) give_up_text(session_, *models_);
  };
  if (!settings_.faithful()) {
    streams_ = RandomStreams::independent(static_cast<std::uint64_t>(picture_seed(picture)));
    if (!targets_made_ || targets_are_random(settings_)) embed();
    return;
  }
  if (streams_) {  // One stream for all pictures of a run.
    stream_before_ = streams_->state();
    return;
  }
  streams_ = RandomStreams::shared(static_cast<std::uint64_t>(settings_.seed));
  embed();
  if (settings_.perlin_init) {
    // 5.7 makes a Perlin picture before the loop and throws it away.
    RandomStream stream = streams_->get({.purpose = Purpose::perlin});
    perlin_init(settings_.drawn_width(), settings_.drawn_height(), settings_.perlin_mode, stream);
  }
  if (stream_before_.defined()) streams_->set_state(stream_before_);
  stream_before_ = streams_->state();
}

std::unique_ptr<Generation> RunLoop::generation(int picture) {
  prepare(picture);
  auto made = std::make_unique<Generation>(settings_, *models_, *streams_, session_.device(), plan_);
  if (start_) made->carry_on(start_->x, start_->alpha_cumprod);
  if (resumed_ && picture == first_picture_) made->restore(std::move(*resumed_));
  resumed_.reset();
  return made;
}

PictureState RunLoop::draw(int picture) {
  const bool resumed = resumed_.has_value() || first_picture_ > 0;
  std::unique_ptr<Generation> made;
  try {
    made = generation(picture);
  } catch (...) {
    give_up();  // A run that cannot begin is no unfinished one.
    throw;
  }
  unbegun_ = false;
  Generation& generation = *made;
  const int stop = std::max(1, static_cast<int>(std::lround(stop_share_ * generation.steps())));
  if (picture == first_picture_) {
    listener_.started({.pictures = static_cast<int>(settings_.n_batches),
                       .steps = stop,
                       .width = settings_.drawn_width(),
                       .height = settings_.drawn_height(),
                       .seed = settings_.seed,
                       .device = session_.device_name(),
                       .resumed = resumed,
                       .plan = plan_text(plan_)});
  }
  auto saved_at = Clock::now();
  const auto save = [&] {
    model_hashes();  // A checkpoint of something drawn knows with what.
    Checkpoint saved = checkpoint(picture);
    saved.state = generation.state();
    write_checkpoint(names_->checkpoint(picture), saved);
    saved_at = Clock::now();
  };
  while (!generation.done() && generation.steps_done() < stop) {
    const StepOutcome outcome = generation.step();
    report(outcome, generation.steps_done(), stop, picture);
    const bool last = generation.done() || generation.steps_done() >= stop;
    if (!last && options_.interrupt && options_.interrupt->load()) {
      save();
      throw Interrupted("interrupted; the run can go on from its checkpoint", options_.folder.string());
    }
    if (!last && std::chrono::duration<double>(Clock::now() - saved_at).count() >= options_.checkpoint_seconds) save();
  }
  reached_alpha_cumprod_ = generation.alpha_cumprod();
  return generation.state();
}

void RunLoop::report(const StepOutcome& outcome, int done, int steps, int picture) {
  for (const std::string& incident : outcome.incidents) listener_.warning(incident);
  mean_step_seconds_ = mean_step_seconds_ == 0 ? outcome.seconds : 0.8 * mean_step_seconds_ + 0.2 * outcome.seconds;
  const double pictures_left = static_cast<double>(settings_.n_batches) - picture - 1;
  StepDone event{.picture = picture,
                 .step = done,
                 .steps = steps,
                 .loss = mean(outcome.losses),
                 .seconds = outcome.seconds,
                 .seconds_left = mean_step_seconds_ * ((steps - done) + pictures_left * steps),
                 .clamped = outcome.clamped};
  const std::optional<std::string> partial = partial_label(settings_.intermediate_saves, done, steps);
  const bool shown = done == steps || (settings_.display_rate > 0 && done % settings_.display_rate == 0);
  // From a GPU a preview comes when it has arrived, a step later as a rule, so that nothing waits for it.
  Picture preview;
  const bool later = shown && !partial && done != steps && outcome.shown.is_cuda() && gpu();
  if (done == 1) coming_.reset();  // The picture before was left early.
  if (coming_ && coming_->arrived()) {
    preview = picture_of(coming_->tensor());
    event.preview = &preview;
    coming_.reset();
  }
  if (later) {
    coming_ = gpu()->fetch(picture_bytes(outcome.shown));
  } else if (partial || shown) {
    preview = to_picture(outcome.shown);
    if (shown) event.preview = &preview;
    coming_.reset();
  }
  if (partial) {
    const fs::path path = names_->partial(picture, *partial, settings_.intermediates_in_subfolder);
    write_picture(path, preview, picture_texts(settings_, picture_seed(picture), {}, start_));
    listener_.partial_saved(path);
  }
  listener_.step_done(event);
}

fs::path RunLoop::write_finished(int picture, const PictureState& state) {
  const auto hashes = model_hashes();
  fs::path path = names_->picture(picture);
  at::Tensor shown = state.shown.to(at::kCPU);
  if (!settings_.upscaler.empty()) shown = enlarged(*session_.upscaler(settings_.upscaler), shown);
  write_picture(path, to_picture(shown), picture_texts(settings_, picture_seed(picture), hashes, start_));
  const SidecarFacts facts{.seed = picture_seed(picture),
                           .picture = picture,
                           .device = session_.device_name(),
                           .model_hashes = hashes,
                           .peak_memory = peak_memory(),
                           .plan = plan_text(plan_),
                           .start = start_};
  write_file(names_->sidecar(picture), sidecar(settings_, state, facts).dump(1) + "\n");
  listener_.picture_saved(path);
  return path;
}

void RunLoop::leave(int picture) {
  if (picture + 1 < settings_.n_batches) {
    model_hashes();
    if (settings_.faithful()) stream_before_ = streams_->state();
    write_checkpoint(names_->checkpoint(picture + 1), checkpoint(picture + 1));
  }
  std::error_code error;
  fs::remove(names_->checkpoint(picture), error);
}

std::vector<fs::path> RunLoop::draw_all() {
  std::vector<fs::path> paths;
  for (int k = 0; k < first_picture_; ++k) paths.push_back(names_->picture(k));
  for (int k = first_picture_; k < settings_.n_batches; ++k) {
    const PictureState state = draw(k);
    paths.push_back(write_finished(k, state));
    leave(k);
  }
  return paths;
}

}  // namespace disco
