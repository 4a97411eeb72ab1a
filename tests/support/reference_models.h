// The small test networks as a models folder, as tests/golden/make_models.py writes it, made once a test program.
#pragma once

#include <string>

#include "models/weights/state_dict.h"
#include "support/golden.h"

namespace disco::golden {

inline void write_model(const fs::path& folder, const std::string& net) {
  const std::string kind = net.substr(0, net.find('.'));
  const std::string name = "ref-" + net.substr(net.rfind('.') + 1);
  const std::map<std::string, std::string> roles = {
      {"unet", "diffusion"}, {"clip", "clip"}, {"secondary", "secondary"}, {"lpips", "lpips"}};
  nlohmann::json config = nlohmann::json::object();
  const auto manifest = json("manifests/small." + net + ".json");
  for (const char* key : {"image_size", "num_channels", "num_res_blocks", "num_heads", "num_head_channels",
                          "attention_resolutions", "channel_mult", "learn_sigma", "class_cond", "noise_schedule",
                          "rescale_timesteps", "resblock_updown", "use_scale_shift_norm", "use_new_attention_order"}) {
    if (manifest.contains("config") && manifest["config"].contains(key)) config[key] = manifest["config"][key];
  }
  if (kind == "clip") config["activation"] = "quick_gelu";
  save_safetensors(folder / (name + ".safetensors"), network(net));
  const nlohmann::json model = {
      {"name", name}, {"role", roles.at(kind)}, {"file", name + ".safetensors"}, {"config", config}};
  write_file(folder / (name + ".model.json"), model.dump(1));
}

/// The folder with the networks that the whole-run goldens use.
inline fs::path models_folder() {
  static const fs::path folder = [] {
    const fs::path path = fs::path(DISCO_BINARY_DIR) / "reference-models";
    for (const char* net : {"unet.adm256", "clip.vit32", "clip.vit16", "clip.rn50", "secondary", "lpips"}) {
      const std::string short_name = std::string(net).substr(std::string(net).rfind('.') + 1);
      if (!fs::exists(path / ("ref-" + short_name + ".model.json"))) write_model(path, net);
    }
    return path;
  }();
  return folder;
}

}  // namespace disco::golden
