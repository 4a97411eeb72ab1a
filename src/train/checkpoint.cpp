#include "train/checkpoint.h"

#include <ATen/ATen.h>

#include <array>
#include <charconv>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"

namespace disco {
namespace {

constexpr std::array<const char*, 4> prefixes = {"weights.", "mean.", "moment1.", "moment2."};

std::array<StateDict*, 4> parts(TrainCheckpoint& checkpoint) {
  return {&checkpoint.tensors, &checkpoint.mean, &checkpoint.first_moments, &checkpoint.second_moments};
}

}  // namespace

void save_checkpoint(const fs::path& path, const TrainCheckpoint& checkpoint) {
  StateDict all;
  TrainCheckpoint copy = checkpoint;  // of the handles
  for (std::size_t i = 0; i < prefixes.size(); ++i) {
    for (const auto& [name, tensor] : *parts(copy)[i]) all[prefixes[i] + name] = tensor.detach().cpu().contiguous();
  }
  const nlohmann::json about = {
      {"step", checkpoint.step}, {"loss", checkpoint.loss}, {"identity", checkpoint.identity}};
  save_safetensors(path, all, {{"disco_training", about.dump()}});
}

namespace {

TrainCheckpoint read_checkpoint(const fs::path& path) {
  const WeightsInfo info = inspect_weights(path);
  const auto about = info.metadata.find("disco_training");
  if (about == info.metadata.end()) {
    throw FormatError("this is not a training's checkpoint", path.string());
  }
  TrainCheckpoint checkpoint;
  try {
    const nlohmann::json json = nlohmann::json::parse(about->second);
    checkpoint.step = json.at("step");
    checkpoint.loss = json.at("loss");
    checkpoint.identity = json.at("identity");
  } catch (const nlohmann::json::exception& error) {
    throw FormatError(std::string("its description cannot be read: ") + error.what(), path.string());
  }
  for (const auto& [name, tensor] : load_weights(path)) {
    for (std::size_t i = 0; i < prefixes.size(); ++i) {
      if (name.starts_with(prefixes[i])) {
        (*parts(checkpoint)[i])[name.substr(std::string_view(prefixes[i]).size())] = tensor.clone();
      }
    }
  }
  return checkpoint;
}

}  // namespace

std::optional<TrainCheckpoint> load_checkpoint(const fs::path& path) {
  if (!fs::exists(path)) return std::nullopt;
  try {
    return read_checkpoint(path);
  } catch (const FormatError& error) {
    throw FormatError("the checkpoint cannot be used: " + error.problem(), error.where(), checkpoint_advice);
  }
}

fs::path export_model(const fs::path& folder, const std::string& name, const std::string& role,
                      const StateDict& tensors, const nlohmann::json& config) {
  StateDict halves;
  for (const auto& [key, tensor] : tensors) {
    halves[key] = tensor.is_floating_point() ? tensor.detach().cpu().to(at::kHalf).contiguous() : tensor.cpu();
  }
  fs::path weights = folder / (name + ".safetensors");
  fs::create_directories(folder);
  save_safetensors(weights, halves);
  const nlohmann::ordered_json about = {{"name", name},
                                        {"role", role},
                                        {"file", weights.filename().string()},
                                        {"sha256", sha256_file(weights)},
                                        {"config", config}};
  write_file(folder / (name + ".model.json"), about.dump(2) + "\n");
  return weights;
}

}  // namespace disco
