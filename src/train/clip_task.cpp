// A small CLIP (Radford 2021), a ViT or a ResNet, trained on painted pictures as the guidance shows them: cut, greyed,
// noisy, and as the diffusion model guesses them from noise.
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/error.h"
#include "core/hash.h"
#include "core/text.h"
#include "models/clip.h"
#include "models/tokenizer.h"
#include "models/unet.h"
#include "tensor/random.h"
#include "train/batches.h"
#include "train/contrast.h"
#include "train/device_of.h"
#include "train/judge.h"
#include "train/noising.h"
#include "train/start_model.h"
#include "train/task.h"
#include "train/unseen.h"
#include "train/views.h"

namespace disco {
namespace {

constexpr const char* own_activation = "quick_gelu";
constexpr double largest_scale = 100;
/// The id of the first row of our models' embeddings, which stands for every word that they do not know.
constexpr std::int64_t strange_word = 0;
/// Guesses from later times say nothing about their picture.
constexpr double latest_guess = 850;
/// Of a folder, to see whether the model finds their captions.
constexpr std::int64_t pictures_looked_at = 64;
/// Tokens of a text: its start, its end and some words, and no more than the tokenizer's callers give.
constexpr std::int64_t least_context = 8, most_context = 77;

/// The keys that a kind of network has, with their defaults; stage_blocks stands apart.
std::map<std::string, std::int64_t> sizes_of(bool is_vit) {
  std::map<std::string, std::int64_t> sizes = {
      {"embedding", 128}, {"text_width", 128}, {"text_layers", 3}, {"context", most_context}};
  if (is_vit) {
    sizes.insert({{"input_size", 48}, {"patch", 8}, {"vision_width", 192}, {"vision_layers", 4}});
  } else {
    sizes.insert({{"input_size", 64}, {"vision_width", 16}});
  }
  return sizes;
}

std::vector<std::int64_t> stage_blocks_from(const nlohmann::json& value) {
  const auto good = [](const nlohmann::json& n) { return n.is_number_integer() && n >= 1 && n <= 64; };
  if (!value.is_array() || value.size() != 4 || !std::ranges::all_of(value, good)) {
    throw RequestError("it must be a list of four numbers from 1 to 64", "config.stage_blocks");
  }
  return value.get<std::vector<std::int64_t>>();
}

/// Attention has a head for every 64 channels, as Clip::recognise() counts them.
void demand_whole_heads(std::int64_t width, const char* key) {
  if (width > 64 && width % 64 != 0) throw RequestError("it must be a multiple of 64, or less than it", key);
}

ClipConfig config_from(const nlohmann::json& given) {
  const nlohmann::json kind = given.value("kind", nlohmann::json("vit"));
  if (kind != "vit" && kind != "resnet") throw RequestError("it must be \"vit\" or \"resnet\"", "config.kind");
  ClipConfig config;
  config.is_vit = kind == "vit";
  if (!config.is_vit) config.stage_blocks = {1, 1, 1, 1};
  std::map<std::string, std::int64_t> sizes = sizes_of(config.is_vit);
  for (const auto& [key, value] : given.items()) {
    if (key == "kind") continue;
    if (key == "stage_blocks" && !config.is_vit) {
      config.stage_blocks = stage_blocks_from(value);
      continue;
    }
    const auto found = sizes.find(key);
    if (found == sizes.end()) {
      throw RequestError(fmt::format("a CLIP {} has no such size: {}", config.is_vit ? "ViT" : "ResNet", key),
                         "config");
    }
    if (!value.is_number_integer() || value < 1 || value > 4096) {
      throw RequestError("it must be 1 to 4096", "config." + key);
    }
    found->second = value.get<std::int64_t>();
  }
  config.input_size = sizes.at("input_size");
  config.embedding = sizes.at("embedding");
  config.vision_width = sizes.at("vision_width");
  config.text_width = sizes.at("text_width");
  config.text_layers = sizes.at("text_layers");
  config.context = sizes.at("context");
  config.patch = config.is_vit ? sizes.at("patch") : 32;
  if (config.is_vit) config.vision_layers = sizes.at("vision_layers");
  if (config.input_size % config.patch != 0) {
    throw RequestError(config.is_vit ? "input_size must be a multiple of patch" : "input_size must be a multiple of 32",
                       "config");
  }
  if (config.context < least_context || config.context > most_context) {
    throw RequestError(fmt::format("it must be {} to {}", least_context, most_context), "config.context");
  }
  demand_whole_heads(config.text_width, "config.text_width");
  if (config.is_vit) {
    demand_whole_heads(config.vision_width, "config.vision_width");
  } else if (config.vision_width % 2 != 0) {
    throw RequestError("it must be even", "config.vision_width");
  }
  return config;
}

/// The sizes of the model that the training starts from, as start_model() gives them.
ClipConfig known_sizes(const nlohmann::json& given) {
  ClipConfig config;
  config.is_vit = given.at("kind") == "vit";
  config.input_size = given.at("input_size");
  config.embedding = given.at("embedding");
  config.vision_width = given.at("vision_width");
  config.text_width = given.at("text_width");
  config.text_layers = given.at("text_layers");
  config.context = given.at("context");
  config.vocabulary = given.at("vocabulary");
  config.patch = given.value("patch", std::int64_t{32});
  config.vision_layers = given.value("vision_layers", std::int64_t{0});
  config.stage_blocks = given.value("stage_blocks", std::vector<std::int64_t>());
  return config;
}

/// A batch and what its captions say of its pictures (agreement()).
struct Lesson {
  CaptionedBatch batch;
  at::Tensor agreement;
};

class ClipTask final : public Task {
 public:
  explicit ClipTask(const TrainRequest& request)
      : request_(request),
        config_(request.from.empty() ? config_from(request.config) : known_sizes(request.config)),
        activation_(request.from.empty() ? own_activation : request.config.at("activation").get<std::string>()),
        tokenizer_(Tokenizer::find_vocabulary(request.model_folders)) {
    if (request.from.empty()) {
      const std::set<std::int64_t> ids = taught_tokens(picture_source(request_)->texts());
      token_ids_.assign(1, strange_word);
      token_ids_.insert(token_ids_.end(), ids.begin(), ids.end());
      config_.vocabulary = std::ssize(token_ids_);
    }
    if (!request.diffusion_model.empty() && request.guess_share > 0) {
      StateDict tensors = load_weights(request.diffusion_model);
      for (auto& [name, tensor] : tensors) tensor = tensor.to(at::kFloat);
      // The prediction, above all, is what no tensor tells.
      unet_.emplace(UNet::recognise(tensors, described_weights(request.diffusion_model).config), tensors);
    }
  }

  StateDict initial() const override {
    StateDict tensors = initial_clip(config_, request_.seed);
    tensors["token_ids"] = at::tensor(token_ids_, at::kLong);
    return tensors;
  }

  /// Words that the captions have and a vocabulary of its own lacks each get a row. They begin as what they were, the
  /// strange word, so that the model means at first what it meant.
  StateDict grown(StateDict tensors, std::vector<std::string>& notes) override {
    const auto known = tensors.find("token_ids");
    if (known == tensors.end()) return tensors;
    const std::vector<std::string> texts = picture_source(request_)->texts();
    std::set<std::int64_t> fresh = taught_tokens(texts);
    const at::Tensor rows = known->second.to(at::kLong).contiguous();
    for (std::int64_t row = 1; row < rows.numel(); ++row) fresh.erase(rows.const_data_ptr<std::int64_t>()[row]);
    if (fresh.empty()) return tensors;
    notes.push_back(told(fresh, texts));
    const std::vector<std::int64_t> ids(fresh.begin(), fresh.end());
    known->second = at::cat({rows, at::tensor(ids, at::kLong)});
    at::Tensor& embedding = tensors.at("token_embedding.weight");
    embedding = at::cat({embedding, embedding.narrow(0, strange_word, 1).expand({std::ssize(ids), -1})});
    config_.vocabulary = embedding.size(0);
    return tensors;
  }

  nlohmann::json config() const override {
    nlohmann::json config = config_.to_json();
    if (config_.is_vit) config.erase("kind");  // The usual kind is not named.
    config["activation"] = activation_;
    return config;
  }

  void start(const StateDict& tensors, std::int64_t first) override {
    clip_.emplace(tensors, activation_);
    meets_strange_words_ = tensors.contains("token_ids");
    logit_scale_ = tensors.at("logit_scale");
    if (unet_) unet_ = unet_->on(device_of(*clip_));
    lessons_ = batches_ahead<Lesson>(request_, first, request_.batch, request_.picture_size, 4,
                                     [](const CaptionedBatch& batch, std::uint64_t) {
                                       return Lesson{batch, agreement(batch)};
                                     });
  }

  at::Tensor loss(std::int64_t step) override {
    const Lesson lesson = lessons_->take();
    const at::Device device = device_of(*clip_);
    RandomStream draws(step_seed(request_.seed, step));
    const at::Tensor shown = shown_pictures(lesson.batch.pictures.to(device), draws);
    const at::Tensor views = random_views(shown, config_.input_size, {}, draws);
    const at::Tensor images = clip_->encode_image_training(clip_input(views));
    const at::Tensor texts = clip_->encode_text(tokens(lesson.batch.captions, draws).to(device));
    return contrastive_loss(images, texts, logit_scale_.exp(), lesson.agreement.to(device));
  }

  void after_step() override {
    const at::NoGradGuard no_grad;
    logit_scale_.clamp_(0, std::log(largest_scale));
  }

  std::string look(const StateDict& tensors, std::int64_t step) const override {
    const Clip clip(tensors, activation_);
    if (request_.pictures) return found_captions(clip, step);
    std::vector<Scene> scenes;
    for (std::uint64_t i = 0; i < 160; ++i)
      scenes.push_back(random_scene(splitmix64(~request_.seed) + i, world_mix(request_)));
    const at::Tensor pictures = paint_batch(scenes, static_cast<int>(request_.picture_size));
    const at::Tensor x0 = to_signed(pictures.to(device_of(clip)));
    std::vector<std::string> names;
    for (const Attribute& attribute : judged_attributes()) names.emplace_back(attribute.name);
    std::string line = fmt::format("right at step {} ({}): {}", step, fmt::join(names, ", "), scores(clip, scenes, x0));
    if (unet_) {
      for (const double time : {300.0, 500.0, 700.0}) {
        RandomStream draws(request_.seed);
        const Noised noised = add_noise_at(x0, time, draws);
        const at::Tensor view = guidance_view(noised, predict_v(*unet_, noised));
        line += fmt::format("; from t = {}: ", time) + scores(clip, scenes, view);
      }
    }
    return line;
  }

 private:
  /// Ids of all that captions may say.
  std::set<std::int64_t> taught_tokens(const std::vector<std::string>& texts) const {
    std::set<std::int64_t> ids = {tokenizer_.start_token(), tokenizer_.end_token()};
    for (const std::string& text : texts) {
      for (const std::int64_t id : tokenizer_.encode(text)) ids.insert(id);
    }
    return ids;
  }

  /// Names the words of the texts that have these tokens.
  std::string told(const std::set<std::int64_t>& fresh, const std::vector<std::string>& texts) const {
    constexpr std::size_t most_named = 10;
    std::vector<std::string> words;
    for (const std::string& text : texts) {
      for (std::string& word : tokenizer_.words(text, [&](std::int64_t id) { return fresh.contains(id); })) {
        if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(std::move(word));
      }
      if (words.size() > most_named) break;
    }
    const bool all = words.size() <= most_named;
    words.resize(std::min(words.size(), most_named));
    return fmt::format("new to the model: {}{}", fmt::join(words, ", "), all ? "" : ", …");
  }

  /// (N,3,H,H) in [0,1]; the first ones are the diffusion model's guesses.
  at::Tensor shown_pictures(const at::Tensor& painted, RandomStream& draws) const {
    at::Tensor pictures = to_signed(painted);
    const auto guesses = static_cast<std::int64_t>(request_.guess_share * static_cast<double>(pictures.size(0)));
    if (unet_ && guesses > 0) {
      const at::NoGradGuard no_grad;
      at::Tensor first = pictures.narrow(0, 0, guesses);
      const Noised noised = add_random_noise(first, latest_guess, draws);
      first.copy_(guidance_view(noised, predict_v(*unet_, noised)));
    }
    return pictures.add_(1).div_(2);
  }

  /// (N, length of the longest) ids, with strange words here and there, so that words the model does not know leave the
  /// others their meaning.
  at::Tensor tokens(const std::vector<Caption>& captions, RandomStream& draws) const {
    std::vector<std::vector<std::int64_t>> rows;
    std::size_t longest = 0;
    for (const Caption& caption : captions) {
      std::vector<std::int64_t> row = tokenizer_.encode(caption.text);
      if (meets_strange_words_ && draws.rand() < 0.2) {
        const std::int64_t count = draws.randint(1, 4), place = draws.randint(0, std::ssize(row) + 1);
        row.insert(row.begin() + place, static_cast<std::size_t>(count), strange_word);
      }
      row.insert(row.begin(), tokenizer_.start_token());
      row.resize(std::min(row.size(), static_cast<std::size_t>(config_.context) - 1));
      row.push_back(tokenizer_.end_token());
      longest = std::max(longest, row.size());
      rows.push_back(std::move(row));
    }
    at::Tensor ids = at::zeros({std::ssize(rows), static_cast<std::int64_t>(longest)}, at::kLong);
    auto cells = ids.accessor<std::int64_t, 2>();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (std::size_t j = 0; j < rows[i].size(); ++j) {
        cells[static_cast<std::int64_t>(i)][static_cast<std::int64_t>(j)] = rows[i][j];
      }
    }
    return ids;
  }

  at::Tensor embed(const Clip& clip, const std::vector<std::string>& texts) const {
    std::vector<at::Tensor> rows;
    for (const std::string& text : texts) {
      rows.push_back(at::tensor(tokenizer_.context(text, static_cast<std::size_t>(config_.context)).ids, at::kLong));
    }
    const at::Tensor embedded = clip.encode_text(at::stack(rows).to(device_of(clip)));
    return embedded / embedded.norm(2, {1}, true);
  }

  /// How many of the folder's pictures are nearest to their own caption.
  std::string found_captions(const Clip& clip, std::int64_t step) const {
    const CaptionedBatch batch =
        request_.pictures->batch(first_unseen, pictures_looked_at, static_cast<int>(request_.picture_size));
    std::set<std::string> different;
    for (const Caption& caption : batch.captions) different.insert(caption.text);
    const std::vector<std::string> texts(different.begin(), different.end());
    const at::Tensor images = encode_pictures(clip, to_signed(batch.pictures.to(device_of(clip))));
    const at::Tensor nearest = images.matmul(embed(clip, texts).t()).argmax(1).cpu();
    std::int64_t right = 0;
    for (std::size_t i = 0; i < batch.captions.size(); ++i) {
      const auto j = static_cast<std::size_t>(nearest[static_cast<std::int64_t>(i)].item<std::int64_t>());
      right += texts[j] == batch.captions[i].text ? 1 : 0;
    }
    return fmt::format("at step {}, {} of {} pictures are nearest to their own of {} captions", step, right,
                       batch.captions.size(), texts.size());
  }

  /// pictures in [-1,1].
  at::Tensor encode_pictures(const Clip& clip, const at::Tensor& pictures) const {
    const at::Tensor small =
        at::_upsample_bilinear2d_aa((pictures + 1) / 2, {config_.input_size, config_.input_size}, false);
    return clip.encode_image(clip_input(small));
  }

  /// Of each judged attribute, the share of pictures that are nearest to the plain name of their own value. pictures in
  /// [-1,1].
  std::string scores(const Clip& clip, const std::vector<Scene>& scenes, const at::Tensor& pictures) const {
    const at::Tensor images = encode_pictures(clip, pictures);
    std::vector<std::string> shares;
    for (const Attribute& attribute : judged_attributes()) {
      std::vector<std::string> names;
      for (std::int64_t value = 0; value < attribute.count; ++value) names.push_back(attribute.value_name(value));
      const at::Tensor nearest = images.matmul(embed(clip, names).t()).argmax(1).cpu();
      int right = 0;
      for (std::size_t i = 0; i < scenes.size(); ++i) {
        right += nearest[static_cast<std::int64_t>(i)].item<std::int64_t>() == attribute.of(scenes[i]) ? 1 : 0;
      }
      shares.push_back(fmt::format("{:.0f}", 100.0 * right / static_cast<double>(scenes.size())));
    }
    return fmt::format("{} %", fmt::join(shares, " "));
  }

  TrainRequest request_;
  ClipConfig config_;
  std::string activation_;
  bool meets_strange_words_ = true;
  Tokenizer tokenizer_;
  std::vector<std::int64_t> token_ids_;
  std::optional<UNet> unet_;
  std::optional<Clip> clip_;
  at::Tensor logit_scale_;
  std::unique_ptr<Ahead<Lesson>> lessons_;
};

}  // namespace

std::unique_ptr<Task> clip_task(const TrainRequest& request) { return std::make_unique<ClipTask>(request); }

}  // namespace disco
