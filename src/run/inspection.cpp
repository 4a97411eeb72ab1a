#include "run/inspection.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "models/clip.h"
#include "models/unet.h"
#include "models/weights/state_dict.h"

namespace disco {
namespace {

bool has(const WeightsInfo& info, const std::string& name) {
  for (const TensorInfo& tensor : info.tensors) {
    if (tensor.name == name) return true;
  }
  return false;
}

std::string role_of(const WeightsInfo& info) {
  if (has(info, "input_blocks.0.0.weight")) return "diffusion";
  if (has(info, "timestep_embed.weight")) return "secondary";
  if (has(info, "visual.conv1.weight")) return "clip";
  if (has(info, "net.slice1.0.weight")) return "lpips";
  return {};
}

nlohmann::json clip_json(const ClipConfig& config) {
  nlohmann::json json = config.to_json();
  json.erase("kind");
  json.erase("context");
  json["vision"] = config.is_vit ? "ViT" : "ResNet";
  return json;
}

}  // namespace

FileInspection inspect_file(const std::filesystem::path& file) {
  const WeightsInfo info = inspect_weights(file);
  FileInspection result;
  result.format = info.format;
  result.metadata = info.metadata;
  for (const TensorInfo& tensor : info.tensors) {
    std::uint64_t count = 1;
    for (const std::int64_t side : tensor.shape) count *= static_cast<std::uint64_t>(side);
    result.parameters += count;
    result.tensors.push_back({tensor.name, c10::toString(tensor.dtype), tensor.shape});
  }
  result.role = role_of(info);
  try {
    if (result.role == "diffusion") result.config = UNet::recognise(load_weights(file), {}).to_json();
    if (result.role == "clip") result.config = clip_json(Clip(load_weights(file), "quick_gelu").config());
  } catch (const FormatError& error) {
    // Named like a model, but not one that can be built: the reason is what the user wants to know.
    result.config = {{"problem", error.problem()}};
  }
  return result;
}

}  // namespace disco
