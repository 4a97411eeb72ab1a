#include "guidance/targets.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "guidance/cutouts.h"
#include "tensor/picture_tensor.h"
#include "tensor/upload.h"

namespace disco {
namespace {

constexpr int fuzzy_copies = 25;
constexpr int image_prompt_cuts = 16;

bool hears(const Prompt& prompt, const std::string& model) {
  return prompt.clip_models.empty() ||
         std::find(prompt.clip_models.begin(), prompt.clip_models.end(), model) != prompt.clip_models.end();
}

/// fuzzy_prompt: 25 noisy copies of (K,D) embeddings, (25·K,D).
at::Tensor blur(const at::Tensor& embedding, const Settings& settings, RandomStream& stream) {
  std::vector<at::Tensor> copies;
  for (int copy = 0; copy < fuzzy_copies; ++copy) {
    const at::Tensor noise = stream.randn(embedding.sizes()).to(embedding.device());
    const at::Tensor blurred = embedding + noise * settings.rand_mag;
    copies.push_back(settings.faithful() ? blurred.clamp(0, 1) : blurred);
  }
  return at::cat(copies, 0);
}

Schedule scaled(const Schedule& weight, double share) {
  if (weight.is_constant()) return weight.at(0) * share;
  std::vector<double> values;
  for (int entry = 0; entry < Schedule::entries; ++entry) values.push_back(weight.at(entry) * share);
  return Schedule::from_values(values);
}

at::Device device_of(const Clip& clip) { return clip.parameters().begin()->second.device(); }

at::Tensor embed_text(const Prompt& prompt, const Settings& settings, const Clip& clip, const Tokenizer& tokenizer,
                      std::vector<std::string>* warnings) {
  // 5.7 tokenises the whole string, its weight included.
  const std::string& text = settings.faithful() && !prompt.written.empty() ? prompt.written : prompt.text;
  const auto context = tokenizer.context(text, static_cast<std::size_t>(clip.config().context));
  if (!context.lost.empty()) {
    if (settings.faithful()) {
      throw RequestError(fmt::format("the prompt is longer than CLIP's {} tokens", clip.config().context - 2),
                         "text_prompts", fmt::format("shorten it, or set compat to none to drop \"{}\"", context.lost));
    }
    if (warnings)
      warnings->push_back(fmt::format("the prompt is too long for CLIP; these words are lost: {}", context.lost));
  }
  const at::Tensor ids = at::tensor(context.ids, at::kLong).unsqueeze(0).to(device_of(clip));
  return clip.encode_text(ids).to(at::kFloat);
}

at::Tensor embed_image(const ImagePrompt& image, const Settings& settings, const Clip& clip, RandomStream& stream) {
  const Picture& picture = image.picture;
  const int side = static_cast<int>(
      std::min<std::int64_t>({settings.drawn_width(), settings.drawn_height(), picture.width, picture.height}));
  // The short side becomes `side`, the long side int(side · long / short), as torchvision's resize has it.
  const int shorter = std::min(picture.width, picture.height), longer = std::max(picture.width, picture.height);
  const int long_side = static_cast<int>(static_cast<std::int64_t>(side) * longer / shorter);
  const bool wide = picture.width > picture.height;
  const Picture resized = resize_lanczos(to_rgb(picture), wide ? long_side : side, wide ? side : long_side);
  at::Tensor cuts = make_image_prompt_cutouts(to_tensor(resized), clip.config().input_size, image_prompt_cuts,
                                              settings.skip_augs, stream, settings.faithful());
  // 5.7 forgets to map the cuts from [-1,1] back to [0,1] before it normalises them.
  if (!settings.faithful()) cuts = (cuts + 1) / 2;
  return clip.encode_image(clip_normalise(cuts.to(device_of(clip)))).to(at::kFloat);
}

}  // namespace

at::Tensor Targets::normalised_weights(int entry) const {
  std::vector<float> values;
  values.reserve(weights.size());
  for (const Schedule& weight : weights) values.push_back(static_cast<float>(weight.at(entry)));
  const at::Tensor raw = at::tensor(values, at::kFloat);
  const at::Tensor sum = raw.sum().abs();
  if (!(sum.item<float>() >= 1e-3f)) {
    throw RequestError("the weights of the prompts sum to nothing", "text_prompts",
                       "give the wanted prompts more weight than the unwanted ones");
  }
  return upload(raw / sum, embeddings.device());
}

Targets make_targets(const TargetRequest& request, const Clip& clip, const std::string& name,
                     const Tokenizer& tokenizer, RandomStreams& streams, std::vector<std::string>* warnings) {
  const at::NoGradGuard no_gradient;
  const Settings& settings = request.settings;
  Targets targets;
  std::vector<at::Tensor> embeddings;
  // Native draws are keyed by the prompt's place, so that adding a prompt leaves the noise of those before it alone.
  const auto add = [&](at::Tensor embedding, const Schedule& weight, double share) {
    if (settings.fuzzy_prompt) {
      const int place = static_cast<int>(embeddings.size());
      RandomStream stream = streams.get({.purpose = Purpose::fuzzy, .step = 0, .model = name, .batch = place});
      embedding = blur(embedding, settings, stream);
    }
    targets.weights.insert(targets.weights.end(), static_cast<std::size_t>(embedding.size(0)), scaled(weight, share));
    embeddings.push_back(std::move(embedding));
  };
  for (const Prompt& prompt : request.text) {
    if (hears(prompt, name)) add(embed_text(prompt, settings, clip, tokenizer, warnings), prompt.weight, 1);
  }
  for (std::size_t k = 0; k < request.images.size(); ++k) {
    const ImagePrompt& image = request.images[k];
    if (!hears(image.prompt, name)) continue;
    const StreamKey key{.purpose = Purpose::image_prompt, .step = 0, .model = name, .batch = static_cast<int>(k)};
    RandomStream stream = streams.get(key);
    add(embed_image(image, settings, clip, stream), image.prompt.weight, 1.0 / image_prompt_cuts);
  }
  if (!embeddings.empty()) targets.embeddings = at::cat(embeddings, 0);
  return targets;
}

at::Tensor clip_normalise(const at::Tensor& pictures) {
  const auto row = [&](const double(&values)[3]) {
    const at::Tensor numbers = at::tensor({values[0], values[1], values[2]}, at::kFloat).reshape({1, 3, 1, 1});
    return upload(numbers, pictures.device());
  };
  return (pictures - row(Clip::mean)) / row(Clip::std);
}

}  // namespace disco
