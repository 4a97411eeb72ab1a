// A small ViT CLIP (Radford 2021), trained on painted pictures as the guidance shows them: cut, greyed, noisy, and as
// the diffusion model guesses them from noise.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>
#include <set>

#include "core/error.h"
#include "core/hash.h"
#include "models/clip.h"
#include "models/tokenizer.h"
#include "models/unet.h"
#include "tensor/random.h"
#include "train/ahead.h"
#include "train/batches.h"
#include "train/contrast.h"
#include "train/noising.h"
#include "train/task.h"
#include "train/views.h"

namespace disco {
namespace {

constexpr const char* activation = "quick_gelu";
constexpr double largest_scale = 100;
/// Guesses from later times say nothing about their picture.
constexpr double latest_guess = 850;

ClipConfig config_from(const nlohmann::json& given) {
  ClipConfig config;
  config.input_size = given.value("input_size", 48);
  config.patch = given.value("patch", 8);
  config.embedding = given.value("embedding", 128);
  config.vision_width = given.value("vision_width", 192);
  config.vision_layers = given.value("vision_layers", 4);
  config.text_width = given.value("text_width", 128);
  config.text_layers = given.value("text_layers", 3);
  config.context = given.value("context", 77);
  for (const auto& [key, value] : given.items()) {
    static const std::set<std::string> known = {"input_size",    "patch",       "embedding",  "vision_width",
                                                "vision_layers", "text_layers", "text_width", "context"};
    if (!known.contains(key)) throw RequestError("a CLIP model has no such size: " + key, "config");
    if (!value.is_number_integer() || value < 1 || value > 4096)
      throw RequestError("it must be 1 to 4096", "config." + key);
  }
  if (config.input_size % config.patch != 0) throw RequestError("input_size must be a multiple of patch", "config");
  return config;
}

class ClipTask final : public Task {
 public:
  explicit ClipTask(const TrainRequest& request)
      : request_(request),
        config_(config_from(request.config)),
        tokenizer_(Tokenizer::find_vocabulary(request.model_folders)) {
    std::set<std::int64_t> ids = {tokenizer_.start_token(), tokenizer_.end_token()};
    for (const std::string& phrase : caption_phrases()) {
      for (const std::int64_t id : tokenizer_.encode(phrase)) ids.insert(id);
    }
    token_ids_.assign(1, 0);  // row 0: every other word
    token_ids_.insert(token_ids_.end(), ids.begin(), ids.end());
    config_.vocabulary = std::ssize(token_ids_);
    if (!request.diffusion_model.empty() && request.guess_share > 0) {
      StateDict tensors = load_weights(request.diffusion_model);
      for (auto& [name, tensor] : tensors) tensor = tensor.to(at::kFloat);
      unet_.emplace(UNet::recognise(tensors, {{"image_size", request.picture_size}, {"prediction", "v"}}), tensors);
    }
  }

  StateDict initial() const override {
    StateDict tensors = initial_clip(config_, request_.seed);
    tensors["token_ids"] = at::tensor(token_ids_, at::kLong);
    return tensors;
  }

  nlohmann::json config() const override {
    return {{"activation", activation},
            {"input_size", config_.input_size},
            {"patch", config_.patch},
            {"embedding", config_.embedding},
            {"vision_width", config_.vision_width},
            {"vision_layers", config_.vision_layers},
            {"text_width", config_.text_width},
            {"text_layers", config_.text_layers},
            {"context", config_.context},
            {"vocabulary", config_.vocabulary}};
  }

  void start(const StateDict& tensors, std::int64_t first) override {
    clip_.emplace(tensors, activation);
    logit_scale_ = tensors.at("logit_scale");
    batches_ = std::make_unique<Ahead<CaptionedBatch>>(
        [seed = request_.seed, variety = request_.variety, count = request_.batch,
         side = static_cast<int>(request_.picture_size)](std::uint64_t index) {
          return captioned_batch(seed, index * static_cast<std::uint64_t>(count), count, side, variety);
        },
        static_cast<std::uint64_t>(first), 4, request_.painters);
  }

  at::Tensor loss(std::int64_t step) override {
    const CaptionedBatch batch = batches_->take();
    RandomStream draws(step_seed(request_.seed, step));
    const at::Tensor views = random_views(shown_pictures(batch.pictures, draws), config_.input_size, {}, draws);
    const at::Tensor images = clip_->encode_image(clip_input(views));
    const at::Tensor texts = clip_->encode_text(tokens(batch.captions, draws));
    return contrastive_loss(images, texts, logit_scale_.exp(), agreement(batch));
  }

  void after_step() override {
    const at::NoGradGuard no_grad;
    logit_scale_.clamp_(0, std::log(largest_scale));
  }

  std::string look(const StateDict& tensors, std::int64_t step) const override {
    const Clip clip(tensors, activation);
    std::vector<Scene> scenes;
    for (std::uint64_t i = 0; i < 160; ++i)
      scenes.push_back(random_scene(splitmix64(~request_.seed) + i, request_.variety));
    const at::Tensor x0 = to_signed(paint_batch(scenes, static_cast<int>(request_.picture_size)));
    std::string line = fmt::format("right at step {} (subject, sky, ground): ", step) + scores(clip, scenes, x0);
    if (unet_) {
      for (const double time : {300.0, 500.0, 700.0}) {
        RandomStream draws(request_.seed);
        const Noised noised = add_noise_at(x0, time, draws);
        const at::Tensor view = guidance_view(noised, unet_->forward(noised.x, noised.t));
        line += fmt::format("; from t = {}: ", time) + scores(clip, scenes, view);
      }
    }
    return line;
  }

 private:
  /// (N,3,H,H) in [0,1]; the first ones are the diffusion model's guesses.
  at::Tensor shown_pictures(const at::Tensor& painted, RandomStream& draws) const {
    at::Tensor pictures = to_signed(painted);
    const auto guesses = static_cast<std::int64_t>(request_.guess_share * static_cast<double>(pictures.size(0)));
    if (unet_ && guesses > 0) {
      const at::NoGradGuard no_grad;
      at::Tensor first = pictures.narrow(0, 0, guesses);
      const Noised noised = add_random_noise(first, latest_guess, draws);
      first.copy_(guidance_view(noised, unet_->forward(noised.x, noised.t)));
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
      if (draws.rand() < 0.2) {
        const std::int64_t count = draws.randint(1, 4), place = draws.randint(0, std::ssize(row) + 1);
        row.insert(row.begin() + place, static_cast<std::size_t>(count), token_ids_[0]);
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
    const at::Tensor embedded = clip.encode_text(at::stack(rows));
    return embedded / embedded.norm(2, {1}, true);
  }

  /// The shares of subjects, skies and grounds that are nearest to their own plain name. pictures in [-1,1].
  std::string scores(const Clip& clip, const std::vector<Scene>& scenes, const at::Tensor& pictures) const {
    const at::Tensor small =
        at::_upsample_bilinear2d_aa((pictures + 1) / 2, {config_.input_size, config_.input_size}, false);
    const at::Tensor images = clip.encode_image(clip_input(small));
    const auto share = [&](std::size_t count, const auto& name, const auto& truth) {
      std::vector<std::string> names;
      for (std::size_t i = 0; i < count; ++i) names.push_back(name(i));
      const at::Tensor nearest = images.matmul(embed(clip, names).t()).argmax(1);
      double right = 0;
      for (std::size_t i = 0; i < scenes.size(); ++i) {
        right += nearest[static_cast<std::int64_t>(i)].template item<std::int64_t>() ==
                 static_cast<std::int64_t>(truth(scenes[i]));
      }
      return 100 * right / static_cast<double>(scenes.size());
    };
    return fmt::format("{:.0f} {:.0f} {:.0f} %",
                       share(
                           subject_count, [](std::size_t i) { return subject_name(static_cast<Subject>(i)); },
                           [](const Scene& s) { return s.subject; }),
                       share(
                           sky_count, [](std::size_t i) { return sky_name(static_cast<Sky>(i)); },
                           [](const Scene& s) { return s.sky; }),
                       share(
                           ground_count, [](std::size_t i) { return ground_name(static_cast<Ground>(i)); },
                           [](const Scene& s) { return s.ground; }));
  }

  TrainRequest request_;
  ClipConfig config_;
  Tokenizer tokenizer_;
  std::vector<std::int64_t> token_ids_;
  std::optional<UNet> unet_;
  std::optional<Clip> clip_;
  at::Tensor logit_scale_;
  std::unique_ptr<Ahead<CaptionedBatch>> batches_;
};

}  // namespace

std::unique_ptr<Task> clip_task(const TrainRequest& request) { return std::make_unique<ClipTask>(request); }

}  // namespace disco
