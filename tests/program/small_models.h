// The small test networks as a models folder, written without torch: what tests/golden/make_models.py writes.
#pragma once

#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/hash.h"

namespace disco::program {

/// unit(name, shape) of refweights.py: uniform, mean 0, variance 1, a function of the name alone.
inline std::vector<float> unit(const std::string& name, std::size_t count) {
  std::vector<float> values(count);
  const std::uint64_t base = static_cast<std::uint64_t>(crc32(name)) << 32;
  for (std::size_t i = 0; i < count; ++i) {
    const double u = static_cast<double>(splitmix64(base + i) >> 40) / (1 << 24);
    values[i] = static_cast<float>((2 * u - 1) * std::sqrt(3.0));
  }
  return values;
}

/// weight(name, shape) of refweights.py: NET.TENSOR.
inline std::vector<float> weight(const std::string& name, const std::vector<std::size_t>& shape) {
  std::size_t count = 1;
  for (const std::size_t side : shape) count *= side;
  const std::string leaf = name.substr(name.rfind('.') + 1);
  const auto contains = [&](const char* part) { return name.find(part) != std::string::npos; };
  if (name == "lpips.scaling_layer.shift") return {-.030f, -.088f, -.188f};
  if (name == "lpips.scaling_layer.scale") return {.458f, .448f, .450f};
  std::vector<float> n = unit(name, count);
  const auto each = [&](auto change) {
    for (float& value : n) value = change(value);
    return n;
  };
  if (leaf == "running_var") return each([](float v) { return 1 + std::abs(v) * .1f; });
  if (leaf == "running_mean") return each([](float v) { return v * .05f; });
  if (leaf == "logit_scale") return each([](float) { return 4.6052f; });
  if (contains("positional_embedding") || contains("token_embedding") || leaf == "class_embedding") {
    return each([](float v) { return v * .1f; });
  }
  if (name == "secondary.timestep_embed.weight") return n;
  if (shape.size() <= 1) {
    return leaf == "weight" ? each([](float v) { return 1 + v * .1f; }) : each([](float v) { return v * .05f; });
  }
  const std::size_t fan = leaf == "proj" || leaf == "text_projection" ? shape[0] : count / shape[0];
  const float scale = std::sqrt(static_cast<float>(fan));
  const bool head = name.starts_with("lpips.lin"), last = name.starts_with("unet.") && contains(".out.2.");
  return each([&](float v) {
    const float w = head ? std::abs(v / scale) : v / scale;
    return last ? w * .1f : w;
  });
}

/// Writes FOLDER/ref-NAME.safetensors and FOLDER/ref-NAME.model.json for a network of tests/golden/manifests
/// ("unet.adm256", "clip.vit32", "lpips", …).
inline void write_small_model(const fs::path& folder, const std::string& net) {
  using Json = nlohmann::ordered_json;
  const fs::path manifests = fs::path(DISCO_SOURCE_DIR) / "tests" / "golden" / "manifests";
  const Json manifest = Json::parse(read_file(manifests / ("small." + net + ".json")));
  Json header = Json::object();
  std::string data;
  for (const auto& [key, shape] : manifest["tensors"].items()) {
    if (key == "attn_mask") continue;
    const std::size_t begin = data.size();
    const bool counter = key.ends_with("num_batches_tracked");
    if (counter) {
      data.append(8, '\0');
    } else {
      // The LPIPS heads were drawn under their list's name.
      const bool head = net == "lpips" && key.starts_with("lin");
      const std::string source = head ? "lpips.lins." + key.substr(3, 1) + key.substr(4) : net + "." + key;
      const std::vector<float> values = weight(source, shape.get<std::vector<std::size_t>>());
      data.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    }
    header[key] = {{"dtype", counter ? "I64" : "F32"}, {"shape", shape}, {"data_offsets", {begin, data.size()}}};
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  std::string size(8, '\0');
  const std::uint64_t length = text.size();
  std::memcpy(size.data(), &length, 8);
  const std::string name = "ref-" + net.substr(net.rfind('.') + 1);
  write_file(folder / (name + ".safetensors"), size + text + data);

  static const std::map<std::string, std::string> roles = {
      {"unet", "diffusion"}, {"clip", "clip"}, {"secondary", "secondary"}, {"lpips", "lpips"}};
  static const std::vector<std::string> kept = {
      "image_size",           "num_channels",           "num_res_blocks",    "num_heads",
      "num_head_channels",    "attention_resolutions",  "channel_mult",      "learn_sigma",
      "class_cond",           "noise_schedule",         "rescale_timesteps", "resblock_updown",
      "use_scale_shift_norm", "use_new_attention_order"};
  Json config = Json::object();
  for (const std::string& key : kept) {
    if (manifest.contains("config") && manifest["config"].contains(key)) config[key] = manifest["config"][key];
  }
  if (net.starts_with("clip.")) config["activation"] = "quick_gelu";
  write_file(folder / (name + ".model.json"), Json{{"name", name},
                                                   {"role", roles.at(net.substr(0, net.find('.')))},
                                                   {"file", name + ".safetensors"},
                                                   {"config", config}}
                                                  .dump(1));
}

/// A folder with the networks that the whole runs of the golden numbers use, written once a build.
inline fs::path small_models() {
  const fs::path folder = fs::path(DISCO_BINARY_DIR) / "small-models";
  for (const char* net : {"unet.adm256", "secondary", "clip.vit32", "clip.vit16", "clip.rn50", "lpips"}) {
    const std::string name = net;
    if (!fs::exists(folder / ("ref-" + name.substr(name.rfind('.') + 1) + ".model.json")))
      write_small_model(folder, net);
  }
  return folder;
}

}  // namespace disco::program
