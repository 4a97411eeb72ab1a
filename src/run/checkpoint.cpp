#include "run/checkpoint.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"
#include "models/weights/state_dict.h"
#include "settings/table.h"

namespace disco {
namespace {

using nlohmann::json;

constexpr int format_version = 2;
constexpr const char* metadata_key = "disco.checkpoint";
constexpr std::size_t most_old_eps = 3;  // Of PLMS, one less than its order.

json watchdog_json(const WatchdogMemory& memory) {
  return {{"deviations", memory.deviations}, {"changes", memory.changes}, {"extremes", memory.extremes}};
}

WatchdogMemory watchdog_from(const json& value) {
  return {value.at("deviations"), value.at("changes"), value.at("extremes")};
}

json metadata_of(const Checkpoint& checkpoint) {
  json metadata = {{"version", format_version},
                   {"settings", to_json(checkpoint.settings)},
                   {"origins", checkpoint.origins},
                   {"picture", checkpoint.picture},
                   {"number", checkpoint.number},
                   {"seconds", checkpoint.seconds},
                   {"model_hashes", checkpoint.model_hashes},
                   {"inputs", checkpoint.inputs},
                   {"threads", checkpoint.threads},
                   {"plan",
                    {{"cuts_at_once", checkpoint.plan.cuts_at_once},
                     {"recompute", checkpoint.plan.recompute},
                     {"weights_on_host", checkpoint.plan.weights_on_host},
                     {"half_weights", checkpoint.plan.half_weights}}},
                   {"drafts", checkpoint.drafts},
                   {"stop_share", checkpoint.stop_share},
                   {"next", checkpoint.next},
                   {"device", checkpoint.device},
                   {"alpha_cumprod", checkpoint.alpha_cumprod}};
  if (checkpoint.start) {
    metadata["start_alpha_cumprod"] = checkpoint.start->alpha_cumprod;
    metadata["start_draft"] = checkpoint.start->draft;
  }
  if (checkpoint.state) {
    const PictureState& state = *checkpoint.state;
    metadata["state"] = {{"i", state.sampler.i},
                         {"first", state.first},
                         {"old_eps", state.sampler.old_eps.size()},
                         {"losses", state.losses},
                         {"step_seconds", state.step_seconds},
                         {"clamped_steps", state.clamped_steps},
                         {"incidents", state.incidents},
                         {"watchdog", watchdog_json(state.watchdog)}};
  }
  return metadata;
}

StateDict tensors_of(const Checkpoint& checkpoint) {
  StateDict tensors;
  const auto add = [&](const std::string& name, const at::Tensor& tensor) {
    if (tensor.defined()) tensors[name] = tensor;
  };
  add("stream_before", checkpoint.stream_before);
  if (checkpoint.start) add("start", checkpoint.start->x);
  if (checkpoint.state) {
    const PictureState& state = *checkpoint.state;
    add("x", state.sampler.x);
    add("shown", state.shown);
    add("kept_gradient", state.kept_gradient);
    add("stream", state.stream);
    for (std::size_t k = 0; k < state.sampler.old_eps.size(); ++k) {
      add(fmt::format("old_eps.{}", k), state.sampler.old_eps[k]);
    }
  }
  for (auto& [name, tensor] : tensors) tensor = tensor.detach().to(at::kCPU).contiguous();
  return tensors;
}

/// A copy, because what a reader gives is a view of the file, which is about to be replaced. Undefined when missing.
at::Tensor take(const StateDict& tensors, const std::string& name) {
  const auto found = tensors.find(name);
  return found == tensors.end() ? at::Tensor() : found->second.clone();
}

PictureState state_from(const json& value, const StateDict& tensors, const std::string& where) {
  PictureState state;
  state.sampler.x = take(tensors, "x");
  state.sampler.i = value.at("i");
  state.first = value.at("first");
  const auto old_eps = value.at("old_eps").get<std::size_t>();
  if (old_eps > most_old_eps) throw FormatError("the checkpoint is damaged (it keeps too many estimates)", where);
  for (std::size_t k = 0; k < old_eps; ++k) {
    state.sampler.old_eps.push_back(take(tensors, fmt::format("old_eps.{}", k)));
  }
  state.shown = take(tensors, "shown");
  state.kept_gradient = take(tensors, "kept_gradient");
  state.stream = take(tensors, "stream");
  state.losses = value.at("losses").get<std::vector<double>>();
  state.step_seconds = value.at("step_seconds").get<std::vector<double>>();
  state.clamped_steps = value.at("clamped_steps");
  state.incidents = value.at("incidents").get<std::vector<std::string>>();
  state.watchdog = watchdog_from(value.at("watchdog"));
  return state;
}

/// Numbers and tensors that no run writes.
void check(const Checkpoint& checkpoint, const std::string& where) {
  const Settings& settings = checkpoint.settings;
  const auto demand = [&](bool holds, const char* what) {
    if (!holds) throw FormatError(fmt::format("the checkpoint is damaged ({})", what), where);
  };
  const std::vector<std::int64_t> shape = {1, 3, settings.drawn_height(), settings.drawn_width()};
  const auto is_picture = [&](const at::Tensor& x) {
    return x.defined() && x.scalar_type() == at::kFloat && x.sizes() == at::IntArrayRef(shape);
  };
  const auto is_stream = [](const at::Tensor& x) {
    return !x.defined() || (x.scalar_type() == at::kByte && x.dim() == 1);
  };
  demand(checkpoint.picture >= 0 && checkpoint.picture < settings.n_batches, "there is no such picture in the run");
  demand(checkpoint.number >= 0, "the run's number is negative");
  demand(checkpoint.plan.cuts_at_once >= 0, "its memory plan is none");
  demand(checkpoint.stop_share > 0 && checkpoint.stop_share <= 1, "it stops outside the run");
  demand(checkpoint.alpha_cumprod >= 0 && checkpoint.alpha_cumprod <= 1, "its noise level is none");
  demand(is_stream(checkpoint.stream_before), "its random stream is none");
  if (checkpoint.start) {
    demand(is_picture(checkpoint.start->x), "what it starts from is no picture of this size");
    demand(checkpoint.start->alpha_cumprod >= 0 && checkpoint.start->alpha_cumprod <= 1,
           "what it starts from has no noise level");
  }
  if (!checkpoint.state) return;
  const PictureState& state = *checkpoint.state;
  demand(state.first < settings.steps && state.sampler.i >= -1 && state.sampler.i <= state.first,
         "there is no such step");
  demand(is_picture(state.sampler.x), "the noisy picture is missing or of another size");
  demand(!state.shown.defined() || is_picture(state.shown), "the picture shown is of another size");
  demand(!state.kept_gradient.defined() || is_picture(state.kept_gradient), "the gradient is of another size");
  demand(is_stream(state.stream), "its random stream is none");
  for (const at::Tensor& eps : state.sampler.old_eps)
    demand(is_picture(eps), "an estimate is missing or of another size");
}

Settings settings_from(const nlohmann::ordered_json& values, const std::string& where) {
  Settings settings = default_settings();
  for (const auto& [key, value] : values.items()) {
    const SettingSpec* spec = find_setting(key);
    if (!spec)
      throw FormatError(fmt::format("the checkpoint has the setting {}, which this version does not know", key), where);
    set_value(settings, *spec, value, where);
  }
  return settings;
}

}  // namespace

void write_checkpoint(const fs::path& path, const Checkpoint& checkpoint) {
  save_safetensors(path, tensors_of(checkpoint), {{metadata_key, metadata_of(checkpoint).dump()}});
}

std::string first_checkpoint(const Checkpoint& checkpoint) {
  const json header = {{"__metadata__", {{metadata_key, metadata_of(checkpoint).dump()}}}};
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  std::string bytes(8, '\0');
  for (std::size_t k = 0; k < 8; ++k) bytes[k] = static_cast<char>((text.size() >> (8 * k)) & 0xFF);
  return bytes + text;
}

Checkpoint read_checkpoint(const fs::path& path) {
  const WeightsInfo info = inspect_weights(path);
  const auto found = info.metadata.find(metadata_key);
  if (found == info.metadata.end()) throw FormatError("this is not a checkpoint of a run", path.string());
  try {
    const auto metadata = nlohmann::ordered_json::parse(found->second);
    if (metadata.at("version") != format_version) {
      throw FormatError("the checkpoint was written by another version of the program", path.string());
    }
    Checkpoint checkpoint;
    checkpoint.settings = settings_from(metadata.at("settings"), path.string());
    checkpoint.origins = metadata.at("origins").get<std::map<std::string, std::string>>();
    checkpoint.picture = metadata.at("picture");
    checkpoint.number = metadata.at("number");
    checkpoint.seconds = metadata.at("seconds");
    checkpoint.model_hashes = metadata.at("model_hashes").get<std::map<std::string, std::string>>();
    checkpoint.inputs = metadata.at("inputs").get<std::map<std::string, std::string>>();
    checkpoint.drafts = metadata.at("drafts");
    checkpoint.stop_share = metadata.at("stop_share");
    checkpoint.next = metadata.at("next");
    checkpoint.threads = metadata.at("threads");
    checkpoint.plan.cuts_at_once = metadata.at("plan").at("cuts_at_once");
    checkpoint.plan.recompute = metadata.at("plan").at("recompute");
    checkpoint.plan.weights_on_host = metadata.at("plan").value("weights_on_host", false);
    checkpoint.plan.half_weights = metadata.at("plan").at("half_weights");
    checkpoint.device = metadata.at("device");
    checkpoint.alpha_cumprod = metadata.at("alpha_cumprod");
    const StateDict tensors = info.tensors.empty() ? StateDict{} : load_weights(path);
    if (metadata.contains("start_alpha_cumprod")) {
      checkpoint.start =
          NoisyPicture{take(tensors, "start"), metadata["start_alpha_cumprod"], metadata.at("start_draft")};
      if (!checkpoint.start->x.defined()) {
        throw FormatError("the run was stopped before it began", path.string(), "remove the file and ask for it again");
      }
    }
    if (!tensors.empty()) {
      checkpoint.stream_before = take(tensors, "stream_before");
      if (metadata.contains("state")) checkpoint.state = state_from(json(metadata["state"]), tensors, path.string());
    }
    check(checkpoint, path.string());
    return checkpoint;
  } catch (const nlohmann::json::exception& error) {
    throw FormatError(fmt::format("the checkpoint is damaged ({})", error.what()), path.string());
  }
}

bool was_begun(const fs::path& checkpoint) {
  try {
    const WeightsInfo info = inspect_weights(checkpoint);
    const auto is_start = [](const TensorInfo& tensor) { return tensor.name == "start"; };
    return !json::parse(info.metadata.at(metadata_key)).contains("start_alpha_cumprod") ||
           std::any_of(info.tensors.begin(), info.tensors.end(), is_start);
  } catch (const std::exception&) {
    return true;  // Damaged: whoever reads it is told.
  }
}

fs::path first_of_chain(const fs::path& checkpoint) {
  std::map<std::string, std::string> before;  // What asked for each file name.
  for (const auto& entry : fs::directory_iterator(checkpoint.parent_path())) {
    if (entry.path().extension() != ".ckpt") continue;
    try {
      const WeightsInfo info = inspect_weights(entry.path());
      const auto metadata = json::parse(info.metadata.at(metadata_key));
      if (const std::string next = metadata.at("next"); !next.empty()) before[next] = entry.path().filename().string();
    } catch (const std::exception&) {
      // Damaged, or none of ours: whoever asks for that one is told.
    }
  }
  std::string name = checkpoint.filename().string();
  for (std::size_t k = 0; k < before.size() && before.contains(name); ++k) name = before[name];
  return checkpoint.parent_path() / name;
}

std::vector<fs::path> find_checkpoints(const fs::path& path) {
  if (fs::is_regular_file(path)) return {path};
  std::vector<std::pair<fs::file_time_type, fs::path>> found;
  std::error_code error;
  for (auto it = fs::recursive_directory_iterator(path, fs::directory_options::skip_permission_denied, error);
       !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (it->path().extension() != ".ckpt" || it->path().filename().string().starts_with(".")) continue;
    const auto time = fs::last_write_time(it->path(), error);
    if (!error) found.emplace_back(time, it->path());
  }
  std::sort(found.rbegin(), found.rend());
  std::vector<fs::path> paths;
  for (auto& entry : found) paths.push_back(std::move(entry.second));
  return paths;
}

}  // namespace disco
