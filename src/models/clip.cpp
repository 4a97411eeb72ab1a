#include "models/clip.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <variant>

#include "core/error.h"
#include "models/clip_towers.h"
#include "models/layers.h"
#include "models/parameters.h"

namespace disco {
namespace {

constexpr const char* network = "CLIP model";
constexpr std::int64_t largest_id = 1 << 20;

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

/// "text.X" becomes "X", as in OpenAI's files.
StateDict with_openai_names(const StateDict& tensors) {
  StateDict result;
  for (const auto& [name, tensor] : tensors) {
    result.emplace(name.starts_with("text.") ? name.substr(5) : name, tensor);
  }
  return result;
}

void check(const StateDict& tensors, const ClipConfig& config) {
  std::vector<TensorInfo> required = Clip::manifest(config);
  std::set<std::string> known;
  for (const TensorInfo& info : required) known.insert(info.name);
  std::erase_if(required, [](const TensorInfo& info) {
    return info.name == "logit_scale" || info.name.ends_with(".num_batches_tracked");
  });
  require_tensors(tensors, required, network);
  for (const auto& [name, tensor] : tensors) {
    if ((name.starts_with("visual.") || name.starts_with("transformer.")) && !known.contains(name)) {
      throw FormatError(fmt::format("tensor {} belongs to no layer of the CLIP models that are supported", name),
                        network, "use one of OpenAI's or OpenCLIP's ViT or ResNet models");
    }
  }
}

using VisionTower = std::variant<VisionTransformer, ModifiedResNet>;

VisionTower vision_tower(const StateDict& tensors, const ClipConfig& config, bool quick_gelu) {
  // Half weights are a plan for little memory.
  const bool roomy =
      tensors.at("visual." + std::string(config.is_vit ? "proj" : "conv1.weight")).scalar_type() == at::kFloat;
  const auto keeps = Clip::keeps_forms(config) ? std::optional(roomy) : std::nullopt;
  if (config.is_vit) return VisionTransformer(tensors, config, quick_gelu, keeps);
  return ModifiedResNet(tensors, config, keeps);
}

}  // namespace

bool Clip::keeps_forms(const ClipConfig& config) {
  constexpr std::int64_t most_weights = 4'000'000;  // The pocket models have up to 2.9 million, ViT-B/32 88 million.
  std::int64_t weights = 0;
  for (const TensorInfo& tensor : manifest(config)) {
    if (tensor.name.starts_with("visual.")) weights += c10::multiply_integers(tensor.shape);
  }
  return weights <= most_weights;
}

struct Clip::Towers {
  bool quick_gelu;
  VisionTower vision;
  std::optional<TextTransformer> text;
  std::set<std::int64_t> known;  ///< Empty: every id is its own row.
  at::Tensor rows;               ///< Vocabulary id → row; ids beyond its end have row 0. On the CPU.
};

Clip::Clip(const StateDict& tensors, const std::string& activation) : tensors_(with_openai_names(tensors)) {
  if (activation != "quick_gelu" && activation != "gelu") {
    throw FormatError(fmt::format("activation \"{}\" is unknown", activation), network, "give quick_gelu or gelu");
  }
  config_ = recognise(tensors_);
  check(tensors_, config_);
  const bool quick = activation == "quick_gelu";
  Towers towers{quick, vision_tower(tensors_, config_, quick), TextTransformer(tensors_, config_, quick), {}, {}};
  if (const auto found = tensors_.find("token_ids"); found != tensors_.end()) {
    const at::Tensor ids = found->second.to(at::kCPU, at::kLong).contiguous();
    if (ids.dim() != 1 || ids.numel() != config_.vocabulary) {
      throw FormatError(
          fmt::format("token_ids has shape {}, expected ({})", shape_text(ids.sizes()), config_.vocabulary), network);
    }
    towers.rows = at::zeros({largest_id}, at::kLong);
    for (std::int64_t row = 1; row < ids.numel(); ++row) {
      const std::int64_t id = ids.const_data_ptr<std::int64_t>()[row];
      if (id < 0 || id >= largest_id) throw FormatError(fmt::format("token_ids holds {}", id), network);
      towers.rows.data_ptr<std::int64_t>()[id] = row;
      towers.known.insert(id);
    }
    const std::int64_t size = towers.known.empty() ? 1 : *towers.known.rbegin() + 1;
    towers.rows = towers.rows.narrow(0, 0, size).clone();
  }
  towers_ = std::make_shared<const Towers>(std::move(towers));
}

Clip Clip::without_text() const {
  Clip image_side = *this;
  std::erase_if(image_side.tensors_, [](const auto& item) { return !item.first.starts_with("visual."); });
  Towers towers = *towers_;
  towers.text.reset();
  image_side.towers_ = std::make_shared<const Towers>(std::move(towers));
  return image_side;
}

Clip Clip::on(at::Device device) const {
  if (tensors_.begin()->second.device() == device) return *this;
  Clip there = *this;
  there.tensors_ = moved(tensors_, device);
  Towers towers = *towers_;
  towers.vision = vision_tower(there.tensors_, config_, towers.quick_gelu);
  if (towers.text) towers.text.emplace(there.tensors_, config_, towers.quick_gelu);
  there.towers_ = std::make_shared<const Towers>(std::move(towers));
  return there;
}

bool Clip::has_text() const { return towers_->text.has_value(); }

at::Tensor Clip::encode_image(const at::Tensor& x) const { return encode_image(x, false); }
at::Tensor Clip::encode_image_training(const at::Tensor& x) const { return encode_image(x, true); }

at::Tensor Clip::encode_image(const at::Tensor& x, bool training) const {
  if (training && config_.folded) throw Error("its batch norms are folded: it cannot be trained", network);
  if (x.dim() != 4 || x.size(1) != 3 || x.size(2) != config_.input_size || x.size(3) != config_.input_size) {
    throw Error(fmt::format("its input is {}, expected (N, 3, {}, {})", shape_text(x.sizes()), config_.input_size,
                            config_.input_size),
                network);
  }
  const auto* resnet = std::get_if<ModifiedResNet>(&towers_->vision);
  const at::Tensor encoded =
      resnet != nullptr ? resnet->forward(x, training) : std::get<VisionTransformer>(towers_->vision).forward(x);
  return encoded.to(x.scalar_type());
}

at::Tensor Clip::encode_text(const at::Tensor& tokens) const {
  if (!has_text()) throw Error("its text side was given up", network);
  if (tokens.dim() != 2 || tokens.size(0) == 0 || tokens.size(1) == 0 || tokens.size(1) > config_.context) {
    throw Error(fmt::format("its text is {}, expected (N, {})", shape_text(tokens.sizes()), config_.context), network);
  }
  const at::Tensor ids = tokens.to(at::kCPU, at::kLong);
  const at::Tensor ends = ids.argmax(1);
  at::Tensor rows = ids.narrow(1, 0, ends.max().item<std::int64_t>() + 1);
  const std::int64_t known = towers_->rows.defined() ? largest_id : config_.vocabulary;
  if (rows.min().item<std::int64_t>() < 0 || rows.max().item<std::int64_t>() >= known) {
    throw Error("a token id is not of its vocabulary", network);
  }
  if (towers_->rows.defined()) {
    const std::int64_t size = towers_->rows.size(0);
    rows = at::where(rows < size, towers_->rows.take(rows.clamp_max(size - 1)), 0);
  }
  const at::Tensor& embedding = tensors_.at("token_embedding.weight");
  const at::Tensor encoded = towers_->text->forward(rows.to(embedding.device()), ends.to(embedding.device()));
  return encoded.to(at::promote_types(encoded.scalar_type(), at::kFloat));
}

bool Clip::knows_token(std::int64_t id) const { return !towers_->rows.defined() || towers_->known.contains(id); }

StateDict fold_batch_norms(StateDict tensors) {
  // The norm of PREFIX.convN is PREFIX.bnN, the one of PREFIX.downsample.0 is PREFIX.downsample.1.
  const auto norm_of = [](std::string convolution) -> std::string {
    if (const auto at = convolution.rfind("conv"); at != std::string::npos) return convolution.replace(at, 4, "bn");
    return convolution.ends_with("downsample.0") ? convolution.replace(convolution.size() - 1, 1, "1") : "";
  };
  if (tensors.contains("visual.proj")) return tensors;  // A ViT's.
  std::vector<std::pair<std::string, std::string>> units;
  for (const auto& [name, tensor] : tensors) {
    constexpr std::string_view suffix = ".weight";
    if (!name.starts_with("visual.") || !name.ends_with(suffix) || tensor.dim() != 4) continue;
    const std::string convolution = name.substr(0, name.size() - suffix.size()), norm = norm_of(convolution);
    if (!norm.empty()) units.emplace_back(convolution, norm);
  }
  for (const auto& [convolution, norm] : units) {
    const std::int64_t channels = tensors.at(convolution + ".weight").size(0);
    std::vector<TensorInfo> required;
    for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) {
      required.push_back({norm + part, at::kFloat, {channels}});
    }
    require_tensors(tensors, required, network);
    Affine layer = folded(tensors.at(convolution + ".weight"), batch_norm(tensors, norm));
    tensors[convolution + ".weight"] = std::move(layer.weight);
    tensors[convolution + ".bias"] = std::move(layer.bias);
    for (const TensorInfo& part : required) tensors.erase(part.name);
    tensors.erase(norm + ".num_batches_tracked");
  }
  return tensors;
}

StateDict initial_clip(const ClipConfig& config, std::uint64_t seed) {
  const auto root = [](std::int64_t n) { return std::sqrt(static_cast<double>(n)); };
  const double text_root = 1 / root(config.text_width), vision_root = 1 / root(config.vision_width);
  const double depth_root = 1 / root(2 * config.text_layers), pool_root = 1 / root(32 * config.vision_width);
  StateDict result;
  for (const TensorInfo& info : Clip::manifest(config)) {
    const std::string& name = info.name;
    const bool text = !name.starts_with("visual.");
    at::Tensor tensor = at::zeros(info.shape, info.dtype);
    const auto normal = [&](double deviation) { tensor.normal_(0, deviation, tensor_generator(seed, name)); };
    const auto uniform = [&](double bound) { tensor.uniform_(-bound, bound, tensor_generator(seed, name)); };
    if (name == "logit_scale") {
      tensor.fill_(std::log(1 / .07));
    } else if (name == "token_embedding.weight") {
      normal(.02);
    } else if (name == "positional_embedding") {
      normal(.01);
    } else if (name == "text_projection") {
      normal(text_root);
    } else if (name.starts_with("visual.attnpool.")) {
      if (name.ends_with(".weight")) normal(pool_root);
      if (name.ends_with("positional_embedding")) normal(pool_root);
    } else if (name == "visual.class_embedding" || name == "visual.positional_embedding" || name == "visual.proj") {
      normal(vision_root);
    } else if (name.ends_with(".running_var") || (info.shape.size() == 1 && name.ends_with(".weight"))) {
      // The last norm of a bottleneck begins at zero, so that a fresh bottleneck passes its input on.
      if (!(contains(name, "visual.layer") && name.ends_with(".bn3.weight"))) tensor.fill_(1);
    } else if (text && name.ends_with("attn.in_proj_weight")) {
      normal(text_root);
    } else if (text && (name.ends_with("attn.out_proj.weight") || name.ends_with("mlp.c_proj.weight"))) {
      normal(text_root * depth_root);
    } else if (text && name.ends_with("mlp.c_fc.weight")) {
      normal(text_root / std::sqrt(2.0));
    } else if (name.ends_with("attn.in_proj_weight")) {
      uniform(std::sqrt(6.0 / static_cast<double>(info.shape[0] + info.shape[1])));
    } else if (info.shape.size() > 1) {
      uniform(1 / root(tensor[0].numel()));
    }
    result.emplace(name, std::move(tensor));
  }
  return result;
}

}  // namespace disco
