#include "train/start_model.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/text.h"
#include "models/clip.h"
#include "models/recognise.h"
#include "models/secondary.h"
#include "models/store.h"
#include "models/unet.h"
#include "models/upscaler.h"
#include "train/judge.h"

namespace disco {
namespace {

bool looks_like_a_file(const std::string& name) {
  const std::string extension = lower_case(fs::path(name).extension().string());
  return name.find('/') != std::string::npos || extension == ".safetensors" || extension == ".pt" ||
         extension == ".pth" || extension == ".ckpt" || extension == ".bin";
}

ModelEntry find_model(const TrainRequest& request) {
  const std::string& from = request.from;
  if (!fs::is_regular_file(from)) {
    if (looks_like_a_file(from)) {
      throw RequestError("there is no such weights file to start from", from,
                         "give --from a weights file, or a name that `disco models list` shows");
    }
    return ModelStore(request.model_folders).require(from, request.role);
  }
  ModelEntry entry = described_weights(from);
  if (entry.role.empty()) entry.role = request.role;
  if (entry.role != request.role) {
    throw RequestError(fmt::format("this is a {} model, and a {} model is to be trained", entry.role, request.role),
                       from, "train " + entry.role + ", or start from another model");
  }
  return entry;
}

/// The tensors of a manifest, and `more` where they are there.
StateDict chosen(const StateDict& tensors, const std::vector<TensorInfo>& manifest) {
  StateDict own;
  for (const TensorInfo& info : manifest) {
    if (const auto found = tensors.find(info.name); found != tensors.end()) own.insert(*found);
  }
  return own;
}

void recognise_sizes(StartModel& model, const std::string& role, const nlohmann::json& given) {
  if (role == "diffusion") {
    const UNetConfig config = UNet::recognise(model.tensors, given);
    model.config = config.to_json();
    model.tensors = chosen(model.tensors, UNet::manifest(config));
    UNet(config, model.tensors);  // Says what is missing.
  } else if (role == "clip") {
    const std::string activation = given.value("activation", "quick_gelu");
    const Clip clip(model.tensors, activation);
    model.config = clip.config().to_json();
    model.config["activation"] = activation;
    model.tensors = clip.parameters();
  } else if (role == "secondary") {
    const SecondaryModel secondary(model.tensors);
    const std::int64_t width = model.tensors.at("net.0.0.weight").size(0);
    model.config = {{"width", width}};
    model.tensors = chosen(model.tensors, SecondaryModel::manifest(width));
  } else if (role == "upscaler") {
    const UpscalerConfig config = Upscaler::recognise(model.tensors);
    model.config = {{"width", config.width}, {"blocks", config.blocks}, {"factor", config.factor}};
    model.tensors = chosen(model.tensors, Upscaler::manifest(config));
  } else {
    const JudgeConfig config = Judge::recognise(model.tensors);
    model.config = {{"widths", config.widths}, {"blocks", config.blocks}};
    model.tensors = chosen(model.tensors, Judge::manifest(config));
  }
}

}  // namespace

ModelEntry described_weights(const fs::path& weights) {
  ModelEntry entry;
  entry.weights = weights;
  const fs::path description = fs::path(weights).replace_extension(".model.json");
  if (!fs::exists(description)) {
    const Recognised recognised = RecognitionCache().look(weights);
    entry.role = recognised.role;
    entry.config = recognised.config;
    return entry;
  }
  try {
    const nlohmann::json json = nlohmann::json::parse(read_file(description));
    entry.role = json.value("role", "");
    entry.config = json.value("config", nlohmann::json::object());
  } catch (const nlohmann::json::exception& error) {
    throw FormatError(std::string("it is no JSON: ") + error.what(), description.string(),
                      "correct it, or move it away");
  }
  return entry;
}

StartModel start_model(const TrainRequest& request) {
  const ModelEntry entry = find_model(request);
  StartModel model;
  model.file = entry.weights;
  model.tensors = load_weights(model.file);
  nlohmann::json given = entry.config.is_object() ? entry.config : nlohmann::json::object();
  model.recommended = given.value("recommended", nlohmann::json::object());
  given.update(request.config);
  recognise_sizes(model, request.role, given);
  for (auto& [name, tensor] : model.tensors) {
    tensor = tensor.to(tensor.is_floating_point() ? at::kFloat : tensor.scalar_type(), /*non_blocking=*/false,
                       /*copy=*/true);
  }
  model.sha256 = sha256_file(model.file);
  return model;
}

}  // namespace disco
