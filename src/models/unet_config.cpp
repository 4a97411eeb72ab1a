#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "models/parameters.h"
#include "models/unet.h"

namespace disco {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t imagenet_classes = 1000;

/// ADM's channel_mult by image size.
const std::vector<std::pair<std::int64_t, std::vector<double>>>& own_multipliers() {
  static const std::vector<std::pair<std::int64_t, std::vector<double>>> table = {
      {512, {.5, 1, 1, 2, 2, 4, 4}}, {256, {1, 1, 2, 2, 4, 4}}, {128, {1, 1, 2, 3, 4}}, {64, {1, 2, 3, 4}}};
  return table;
}

[[noreturn]] void refuse(const std::string& key, const Json& value, const std::string& expected) {
  throw FormatError(fmt::format("{} is {}, expected {}", key, value.dump(), expected), "UNet configuration");
}

template <class Number>
Number parse_number(const std::string& key, const Json& value, std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) refuse(key, value, "numbers separated by commas");
  return number;
}

template <class Number>
void read_list(const Json& config, const std::string& key, std::vector<Number>& list) {
  if (!config.contains(key) || config[key].is_null()) return;
  const Json& value = config[key];
  list.clear();
  if (value.is_string()) {
    const std::string text = value.get<std::string>();
    if (trim(text).empty()) return;
    for (const std::string& part : split(text, ',')) list.push_back(parse_number<Number>(key, value, trim(part)));
  } else if (value.is_number()) {
    list.push_back(value.get<Number>());
  } else if (value.is_array() && std::ranges::all_of(value, [](const Json& item) { return item.is_number(); })) {
    for (const Json& item : value) list.push_back(item.get<Number>());
  } else {
    refuse(key, value, "a list of numbers, or a text such as \"32,16,8\"");
  }
}

void read(const Json& config, const std::string& key, std::int64_t& field, std::int64_t least) {
  if (!config.contains(key) || config[key].is_null()) return;
  if (!config[key].is_number_integer()) refuse(key, config[key], "a whole number");
  field = config[key].get<std::int64_t>();
  if (field < least || field > (1 << 20)) refuse(key, config[key], fmt::format("a number of {} or more", least));
}

void read(const Json& config, const std::string& key, bool& field) {
  if (!config.contains(key) || config[key].is_null()) return;
  if (!config[key].is_boolean()) refuse(key, config[key], "true or false");
  field = config[key].get<bool>();
}

constexpr const char* network = "diffusion UNet";

/// The module of an output block that doubles the side, by its place in the block; 0 when there is none.
std::int64_t upsampler(const StateDict& tensors, const std::string& block) {
  for (const std::int64_t place : {1, 2}) {
    if (tensors.contains(fmt::format("{}{}.conv.weight", block, place)) ||
        tensors.contains(fmt::format("{}{}.in_layers.0.weight", block, place))) {
      return place;
    }
  }
  return 0;
}

/// The largest power of two up to 64 that divides every width that attention acts on.
std::int64_t common_head_width(const StateDict& tensors) {
  std::int64_t width = 64;
  for (const auto& [name, tensor] : tensors) {
    if (name.ends_with(".qkv.weight") && tensor.dim() >= 2) width = std::gcd(width, tensor.size(1));
  }
  return width;
}

}  // namespace

UNetConfig UNetConfig::from_json(const Json& config) {
  UNetConfig result;
  if (config.is_null()) return result;
  if (!config.is_object()) refuse("it", config, "an object");
  read(config, "image_size", result.image_size, 1);
  read(config, "num_channels", result.num_channels, 1);
  read(config, "num_res_blocks", result.num_res_blocks, 1);
  read(config, "num_heads", result.num_heads, -1);
  read(config, "num_heads_upsample", result.num_heads_upsample, -1);
  read(config, "num_head_channels", result.num_head_channels, -1);
  read_list(config, "attention_resolutions", result.attention_resolutions);
  read_list(config, "channel_mult", result.channel_mult);
  read(config, "learn_sigma", result.learn_sigma);
  bool conditional = false;
  read(config, "class_cond", conditional);
  if (conditional) result.class_count = imagenet_classes;
  read(config, "class_count", result.class_count, 0);
  read(config, "resblock_updown", result.resblock_updown);
  read(config, "use_scale_shift_norm", result.use_scale_shift_norm);
  read(config, "use_new_attention_order", result.use_new_attention_order);
  read(config, "rescale_timesteps", result.rescale_timesteps);
  read(config, "patch", result.patch, 1);
  if (config.contains("prediction")) {
    const Json& prediction = config["prediction"];
    if (prediction != "epsilon" && prediction != "v") refuse("prediction", prediction, "\"epsilon\" or \"v\"");
    result.prediction = prediction.get<std::string>();
  }
  return result;
}

Json UNetConfig::to_json() const {
  return {{"image_size", image_size},
          {"num_channels", num_channels},
          {"num_res_blocks", num_res_blocks},
          {"num_heads", num_heads},
          {"num_heads_upsample", num_heads_upsample},
          {"num_head_channels", num_head_channels},
          {"attention_resolutions", attention_resolutions},
          {"channel_mult", multipliers()},
          {"learn_sigma", learn_sigma},
          {"class_count", class_count},
          {"resblock_updown", resblock_updown},
          {"use_scale_shift_norm", use_scale_shift_norm},
          {"use_new_attention_order", use_new_attention_order},
          {"rescale_timesteps", rescale_timesteps},
          {"patch", patch},
          {"prediction", prediction}};
}

std::vector<double> UNetConfig::multipliers() const {
  if (!channel_mult.empty()) return channel_mult;
  for (const auto& [size, multipliers] : own_multipliers()) {
    if (size == image_size) return multipliers;
  }
  throw FormatError(fmt::format("image_size {} has no channel_mult of its own", image_size), "UNet configuration",
                    "give channel_mult");
}

std::int64_t UNetConfig::side_multiple() const { return patch << (multipliers().size() - 1); }

UNetConfig UNet::recognise(const StateDict& tensors, const Json& given) {
  UNetConfig config = UNetConfig::from_json(given);
  const auto is_given = [&](const char* key) { return given.is_object() && given.contains(key); };
  const auto size = [&](const std::string& name, std::size_t axis) { return size_of(tensors, name, axis, network); };

  config.num_channels = size("time_embed.0.weight", 1);
  config.class_count = tensors.contains("label_emb.weight") ? size("label_emb.weight", 0) : 0;
  const std::int64_t first = size("input_blocks.0.0.weight", 1);
  config.patch = std::llround(std::sqrt(static_cast<double>(first) / 3));
  const std::int64_t folded = 3 * config.patch * config.patch, out = size("out.2.weight", 0);
  if (first != folded || (out != folded && out != 2 * folded)) {
    throw FormatError(
        fmt::format("it takes {} channels and gives {}; pictures have 3 (6 out with variance)", first, out), network,
        "super-resolution and latent models are of another kind");
  }
  config.learn_sigma = out == 2 * folded;

  // Levels show on the way up, where the last block of each but the first has an upsampler.
  std::int64_t blocks = 0, levels = 1;
  for (; tensors.contains(fmt::format("output_blocks.{}.0.in_layers.0.weight", blocks)); ++blocks) {
    const std::string block = fmt::format("output_blocks.{}.", blocks);
    const std::int64_t place = upsampler(tensors, block);
    if (place == 0) continue;
    ++levels;
    config.resblock_updown = tensors.contains(fmt::format("{}{}.in_layers.0.weight", block, place));
  }
  if (blocks % levels != 0 || blocks / levels < 2) {
    throw FormatError(fmt::format("{} output blocks over {} levels", blocks, levels), network,
                      "the file does not hold a diffusion model of the ADM kind");
  }
  config.num_res_blocks = blocks / levels - 1;

  std::vector<double> multipliers;
  std::vector<std::int64_t> attending;
  for (std::int64_t level = 0; level < levels; ++level) {
    const std::string block = fmt::format("input_blocks.{}.", 1 + level * (config.num_res_blocks + 1));
    const std::int64_t width = size(block + "0.out_layers.0.weight", 0);
    multipliers.push_back(static_cast<double>(width) / static_cast<double>(config.num_channels));
    if (tensors.contains(block + "1.qkv.weight")) attending.push_back(level);
    config.use_scale_shift_norm = size(block + "0.emb_layers.1.weight", 0) == 2 * width;
  }
  if (!is_given("image_size")) {
    for (const auto& [side, own] : own_multipliers()) {
      if (own == multipliers) config.image_size = side;
    }
  }
  config.channel_mult = multipliers;
  config.attention_resolutions.clear();
  for (const std::int64_t level : attending) {
    config.attention_resolutions.push_back(config.image_size / config.patch >> level);
  }
  if (!is_given("num_heads") && !is_given("num_head_channels")) config.num_head_channels = common_head_width(tensors);
  return config;
}

}  // namespace disco
