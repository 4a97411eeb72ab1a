#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "models/clip.h"
#include "models/parameters.h"

namespace disco {
namespace {

constexpr const char* network = "CLIP model";
constexpr std::int64_t head_width = 64;

class Manifest {
 public:
  void tensor(const std::string& name, std::vector<std::int64_t> shape, at::ScalarType type = at::kFloat) {
    infos_.push_back({name, type, std::move(shape)});
  }
  void layer(const std::string& prefix, std::vector<std::int64_t> weight) {
    const std::int64_t out = weight[0];
    tensor(prefix + ".weight", std::move(weight));
    tensor(prefix + ".bias", {out});
  }
  void batch_norm(const std::string& prefix, std::int64_t width) {
    layer(prefix, {width});
    tensor(prefix + ".running_mean", {width});
    tensor(prefix + ".running_var", {width});
    tensor(prefix + ".num_batches_tracked", {}, at::kLong);
  }
  void transformer(const std::string& prefix, std::int64_t layers, std::int64_t width, std::int64_t mlp) {
    for (std::int64_t i = 0; i < layers; ++i) {
      const std::string block = fmt::format("{}.resblocks.{}.", prefix, i);
      tensor(block + "attn.in_proj_weight", {3 * width, width});
      tensor(block + "attn.in_proj_bias", {3 * width});
      layer(block + "attn.out_proj", {width, width});
      layer(block + "ln_1", {width});
      layer(block + "mlp.c_fc", {mlp, width});
      layer(block + "mlp.c_proj", {width, mlp});
      layer(block + "ln_2", {width});
    }
  }
  /// A convolution without bias and its batch norm, or with the bias that stands for it.
  void unit(const std::string& prefix, const char* convolution, const char* norm, std::int64_t out, std::int64_t in,
            std::int64_t kernel) {
    if (folded) return layer(prefix + convolution, {out, in, kernel, kernel});
    tensor(prefix + convolution + ".weight", {out, in, kernel, kernel});
    batch_norm(prefix + norm, out);
  }

  bool folded = false;

  std::vector<TensorInfo> take() { return std::move(infos_); }

 private:
  std::vector<TensorInfo> infos_;
};

void add_vit(Manifest& manifest, const ClipConfig& config) {
  const std::int64_t width = config.vision_width, side = config.input_size / config.patch;
  manifest.tensor("visual.class_embedding", {width});
  manifest.tensor("visual.positional_embedding", {side * side + 1, width});
  manifest.tensor("visual.proj", {width, config.embedding});
  manifest.tensor("visual.conv1.weight", {width, 3, config.patch, config.patch});
  manifest.layer("visual.ln_pre", {width});
  manifest.transformer("visual.transformer", config.vision_layers, width,
                       config.vision_mlp > 0 ? config.vision_mlp : 4 * width);
  manifest.layer("visual.ln_post", {width});
}

void add_resnet(Manifest& manifest, const ClipConfig& config) {
  const std::int64_t width = config.vision_width, side = config.input_size / 32, pooled = 32 * width;
  manifest.unit("visual.", "conv1", "bn1", width / 2, 3, 3);
  manifest.unit("visual.", "conv2", "bn2", width / 2, width / 2, 3);
  manifest.unit("visual.", "conv3", "bn3", width, width / 2, 3);
  std::int64_t in = width;
  for (std::size_t stage = 0; stage < config.stage_blocks.size(); ++stage) {
    const std::int64_t inner = width << stage;
    for (std::int64_t i = 0; i < config.stage_blocks[stage]; ++i) {
      const std::string block = fmt::format("visual.layer{}.{}.", stage + 1, i);
      manifest.unit(block, "conv1", "bn1", inner, in, 1);
      manifest.unit(block, "conv2", "bn2", inner, inner, 3);
      manifest.unit(block, "conv3", "bn3", 4 * inner, inner, 1);
      if (i == 0) manifest.unit(block, "downsample.0", "downsample.1", 4 * inner, in, 1);
      in = 4 * inner;
    }
  }
  manifest.tensor("visual.attnpool.positional_embedding", {side * side + 1, pooled});
  for (const char* part : {"k_proj", "q_proj", "v_proj"}) {
    manifest.layer(std::string("visual.attnpool.") + part, {pooled, pooled});
  }
  manifest.layer("visual.attnpool.c_proj", {config.embedding, pooled});
}

std::int64_t count(const StateDict& tensors, const std::string& prefix, const std::string& suffix) {
  std::int64_t n = 0;
  while (tensors.contains(fmt::format("{}{}{}", prefix, n, suffix))) ++n;
  return n;
}

/// The side of a square of `positions` − 1 places.
std::int64_t square_side(std::int64_t positions) {
  const std::int64_t side = std::llround(std::sqrt(static_cast<double>(positions - 1)));
  if (side < 1 || side * side != positions - 1) {
    throw FormatError(fmt::format("{} positions are not a square and one", positions), network);
  }
  return side;
}

}  // namespace

nlohmann::json ClipConfig::to_json() const {
  nlohmann::json sizes = {{"kind", is_vit ? "vit" : "resnet"},
                          {"input_size", input_size},
                          {"embedding", embedding},
                          {"vision_width", vision_width},
                          {"text_width", text_width},
                          {"text_layers", text_layers},
                          {"context", context},
                          {"vocabulary", vocabulary}};
  if (is_vit) {
    sizes["patch"] = patch;
    sizes["vision_layers"] = vision_layers;
  } else {
    sizes["stage_blocks"] = stage_blocks;
  }
  return sizes;
}

ClipConfig Clip::recognise(const StateDict& tensors) {
  const std::string text = tensors.contains("text.token_embedding.weight") ? "text." : "";
  const auto size = [&](const std::string& name, std::size_t axis) { return size_of(tensors, name, axis, network); };
  ClipConfig config;
  config.is_vit = tensors.contains("visual.proj");
  if (config.is_vit) {
    config.vision_width = size("visual.conv1.weight", 0);
    config.patch = size("visual.conv1.weight", 2);
    config.embedding = size("visual.proj", 1);
    config.input_size = config.patch * square_side(size("visual.positional_embedding", 0));
    config.vision_layers = count(tensors, "visual.transformer.resblocks.", ".ln_1.weight");
    config.vision_mlp = size("visual.transformer.resblocks.0.mlp.c_fc.weight", 0);
    config.vision_heads = config.vision_width > 1024 ? 16 : std::max<std::int64_t>(config.vision_width / head_width, 1);
  } else {
    config.folded = tensors.contains("visual.conv1.bias");
    config.vision_width = size("visual.layer1.0.conv1.weight", 0);
    config.patch = 32;
    config.embedding = size("visual.attnpool.c_proj.weight", 0);
    config.input_size = 32 * square_side(size("visual.attnpool.positional_embedding", 0));
    config.vision_heads = std::max<std::int64_t>(config.vision_width * 32 / head_width, 1);
    config.vision_layers = 0;
    for (const int stage : {1, 2, 3, 4}) {
      config.stage_blocks.push_back(count(tensors, fmt::format("visual.layer{}.", stage), ".conv1.weight"));
      config.vision_layers += config.stage_blocks.back();
    }
  }
  config.context = size(text + "positional_embedding", 0);
  config.vocabulary = size(text + "token_embedding.weight", 0);
  config.text_width = size(text + "token_embedding.weight", 1);
  config.text_layers = count(tensors, text + "transformer.resblocks.", ".ln_1.weight");
  config.text_mlp = size(text + "transformer.resblocks.0.mlp.c_fc.weight", 0);
  config.text_heads = std::max<std::int64_t>(config.text_width / head_width, 1);
  return config;
}

std::vector<TensorInfo> Clip::manifest(const ClipConfig& config) {
  Manifest manifest;
  manifest.folded = config.folded;
  manifest.tensor("positional_embedding", {config.context, config.text_width});
  manifest.tensor("text_projection", {config.text_width, config.embedding});
  manifest.tensor("logit_scale", {});
  if (config.is_vit) {
    add_vit(manifest, config);
  } else {
    add_resnet(manifest, config);
  }
  manifest.transformer("transformer", config.text_layers, config.text_width,
                       config.text_mlp > 0 ? config.text_mlp : 4 * config.text_width);
  manifest.tensor("token_embedding.weight", {config.vocabulary, config.text_width});
  manifest.layer("ln_final", {config.text_width});
  return manifest.take();
}

}  // namespace disco
