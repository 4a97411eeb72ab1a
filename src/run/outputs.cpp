#include "run/outputs.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <torch/version.h>

#include <algorithm>
#include <cmath>

#include "core/file.h"
#include "core/text.h"
#include "guidance/targets.h"
#include "picture/parameters_text.h"
#include "settings/prompt.h"
#include "settings/table.h"

namespace disco {
namespace {

constexpr const char* version = DISCO_VERSION;

std::string sampler_name(const Settings& settings) {
  if (settings.plms_share > 0) return "PLMS then DDIM";
  return settings.diffusion_sampling_mode == "plms" ? "PLMS" : "DDIM";
}

/// Prompts joined by their sign: wanted ones, unwanted ones.
std::pair<std::string, std::string> prompt_texts(const Settings& settings) {
  std::vector<std::string> wanted, unwanted;
  for (const Prompt& prompt : prompts_at(settings.text_prompts, 0)) {
    (prompt.weight.at(0) < 0 ? unwanted : wanted).push_back(prompt.text);
  }
  return {join(wanted, "\n"), join(unwanted, ", ")};
}

nlohmann::ordered_json carried_on(const NoisyPicture& start) {
  return {{"draft", start.draft}, {"alpha_cumprod", start.alpha_cumprod}};
}

std::string clip_names(const Settings& settings) {
  std::vector<std::string> names;
  for (const ClipChoice& choice : settings.clip_models) names.push_back(choice.name);
  return join(names, ", ");
}

}  // namespace

std::string OutputNames::stem(int k) const { return fmt::format("{}({})_{:04d}", batch_, number_, k); }

fs::path OutputNames::lock() const { return folder_ / fmt::format(".{}({}).lock", batch_, number_); }

fs::path OutputNames::partial(int k, const std::string& label, bool subfolder) const {
  const fs::path folder = subfolder ? folder_ / "partials" : folder_;
  return folder / fmt::format("{}-{}.{}", stem(k), label, format_);
}

int next_run_number(const fs::path& folder, const std::string& batch) {
  int next = 0;
  std::error_code error;
  for (auto it = fs::directory_iterator(folder, error); !error && it != fs::directory_iterator(); it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with(batch + "(")) continue;
    const std::string rest = name.substr(batch.size() + 1);
    const std::size_t digits = rest.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string::npos || digits > 8 || rest[digits] != ')') continue;
    next = std::max(next, std::stoi(rest.substr(0, digits)) + 1);
  }
  return next;
}

std::string file_name(const std::string& batch) {
  std::string name;
  for (const char c : batch) name += c == '/' || c == '\\' || static_cast<unsigned char>(c) < 32 ? '_' : c;
  if (name.empty() || name == "." || name == "..") return "disco";
  return name;
}

PictureText picture_texts(const Settings& settings, std::int64_t picture_seed,
                          const std::map<std::string, std::string>& model_hashes,
                          const std::optional<NoisyPicture>& start) {
  const auto [wanted, unwanted] = prompt_texts(settings);
  const auto hash = model_hashes.find(settings.diffusion_model);
  std::vector<std::pair<std::string, std::string>> pairs = {
      {"Steps", std::to_string(settings.steps)},
      {"Sampler", sampler_name(settings)},
      {"CFG scale", fmt::format("{}", settings.clip_guidance_scale.at(0))},
      {"Seed", std::to_string(picture_seed)},
      {"Size", fmt::format("{}x{}", settings.drawn_width(), settings.drawn_height())}};
  if (hash != model_hashes.end() && hash->second.size() >= 10)
    pairs.emplace_back("Model hash", hash->second.substr(0, 10));
  pairs.emplace_back("Model", settings.diffusion_model);
  pairs.emplace_back("CLIP models", clip_names(settings));
  pairs.emplace_back("Version", fmt::format("disco-{}", version));

  Settings of_picture = settings;
  if (!settings.faithful()) {
    // Image k of a native run is the only image of a run with seed + k.
    of_picture.seed = picture_seed;
    of_picture.n_batches = 1;
  }
  PictureText texts = {{"parameters", format_parameters(wanted, unwanted, pairs)},
                       {"disco", to_json(of_picture).dump()}};
  if (start) texts["disco.carried_on"] = carried_on(*start).dump();
  return texts;
}

nlohmann::ordered_json sidecar(const Settings& settings, const PictureState& state, const SidecarFacts& facts) {
  double seconds = 0;
  for (const double step : state.step_seconds) seconds += step;
  return {{"settings", to_json(settings)},
          {"seed", facts.seed},
          {"picture", facts.picture},
          {"device", facts.device},
          {"versions", {{"disco", version}, {"torch", TORCH_VERSION}}},
          {"models", facts.model_hashes},
          {"losses", state.losses},
          {"step_seconds", state.step_seconds},
          {"seconds", seconds},
          {"clamped_share",
           state.step_seconds.empty() ? 0.0 : double(state.clamped_steps) / double(state.step_seconds.size())},
          {"incidents", state.incidents},
          {"peak_memory", facts.peak_memory},
          {"memory_plan", facts.plan},
          {"carried_on", facts.start ? carried_on(*facts.start) : nlohmann::ordered_json()}};
}

std::optional<std::string> partial_label(const IntermediateSaves& saves, int done, int steps) {
  if (done >= steps) return std::nullopt;
  const auto is_named = [&](int step) {
    return std::find(saves.steps.begin(), saves.steps.end(), step) != saves.steps.end();
  };
  const auto is_shared = [&](int step) {
    const auto falls_on = [&](double share) {
      return std::max(1, static_cast<int>(std::lround(share * steps))) == step;
    };
    if (std::any_of(saves.shares.begin(), saves.shares.end(), falls_on)) return true;
    for (int k = 1; k <= saves.count; ++k) {
      if (falls_on(static_cast<double>(k) / (saves.count + 1))) return true;
    }
    return false;
  };
  const std::string step = fmt::format("{:03d}", done);
  if (is_named(done)) return step;
  if (!is_shared(done)) return std::nullopt;
  const auto percent = [&](int at) { return (100 * at + steps - 1) / steps; };
  for (int other = 1; other < steps; ++other) {
    if (other != done && percent(other) == percent(done) && is_shared(other) && !is_named(other)) return step;
  }
  return fmt::format("{:02d}%", percent(done));
}

std::uint64_t peak_memory() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace disco
