#include "guidance/guidance.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>

#include "core/part_clock.h"
#include "guidance/cutouts.h"
#include "guidance/losses.h"

namespace disco {
namespace {

/// d(loss)/d(input), shaped like `input`; zeros when the loss does not depend on it.
at::Tensor gradient_of(const at::Tensor& loss, const at::Tensor& input) {
  const at::Tensor gradient = torch::autograd::grad({loss}, {input}, /*grad_outputs=*/{}, /*retain_graph=*/std::nullopt,
                                                    /*create_graph=*/false, /*allow_unused=*/true)[0];
  return gradient.defined() ? gradient : at::zeros_like(input);
}

/// x's first half along an axis, and the second half mirrored onto it.
std::pair<at::Tensor, at::Tensor> mirrored_halves(const at::Tensor& x, std::int64_t axis) {
  const std::int64_t half = x.size(axis) / 2;
  return {x.narrow(axis, 0, half), x.narrow(axis, x.size(axis) - half, half).flip({axis})};
}

bool has_symmetry(const Settings& settings, const char* direction) {
  return settings.symmetry_loss == direction || settings.symmetry_loss == "both";
}

}  // namespace

int schedule_entry(const NoiseSchedule& schedule, int i) {
  return 1000 - (static_cast<int>(std::floor(schedule.model_time(i))) + 1);
}

Guidance::Guidance(const Settings& settings, Parts parts) : settings_(settings), parts_(std::move(parts)) {}

at::Tensor Guidance::gradient(const at::Tensor& x_in_state, int i, int cur) {
  report_ = {};
  const int entry = schedule_entry(*parts_.schedule, i);
  const bool reuse = settings_.guidance_every > 1 && (parts_.first_step - i) % settings_.guidance_every != 0;
  if (reuse && kept_.defined()) return kept_;

  at::AutoGradMode with_gradient(true);
  const at::Tensor x = x_in_state.detach().requires_grad_(true);
  const at::Tensor pred = timed("prediction", "", [&] { return parts_.predict(x, cur); });
  const double fac = std::sqrt(1 - parts_.schedule->alphas_cumprod[static_cast<std::size_t>(cur)]);
  const at::Tensor x_in = pred * fac + x * (1 - fac);

  // The gradient by x_in is gathered on a leaf of its own, model by model, so that each model's graph is freed before
  // the next is built.
  const at::Tensor leaf = x_in.detach().requires_grad_(true);
  at::Tensor x_in_gradient = clip_gradient(leaf, i, entry);
  {
    const TimedPart part("losses");
    if (const at::Tensor loss = picture_loss(leaf, i, entry); loss.defined()) x_in_gradient += gradient_of(loss, leaf);
  }

  std::vector<at::Tensor> outputs = {x_in}, gradients = {x_in_gradient};
  const double range_scale = settings_.range_scale.at(entry);
  if (!settings_.faithful() && range_scale != 0) {
    // 5.7 asks for this gradient by x_in, on which pred does not depend, so there it is zero.
    const at::Tensor pred_leaf = pred.detach().requires_grad_(true);
    outputs.push_back(pred);
    gradients.push_back(gradient_of(range_loss(pred_leaf).sum() * range_scale, pred_leaf));
  }
  for (const at::Tensor& gradient : gradients) {
    // 5.7 looks for NaN alone.
    const at::Tensor bad = settings_.faithful() ? at::isnan(gradient) : at::logical_not(at::isfinite(gradient));
    if (bad.any().item<bool>()) {
      report_.not_finite = true;
      kept_ = at::zeros_like(x_in_state);
      return kept_;
    }
  }
  const TimedPart part("prediction backward");
  const at::Tensor by_x = -torch::autograd::grad(outputs, {x}, gradients)[0];
  kept_ = clamped(by_x, entry).detach();
  return kept_;
}

at::Tensor Guidance::clip_gradient(const at::Tensor& x_in, int i, int entry) {
  at::Tensor sum = at::zeros_like(x_in);
  const double scale = settings_.clip_guidance_scale.at(entry) * (settings_.faithful() ? 1 : caution_);
  // Faithful runs look all the same, because the looking draws from the one random stream.
  if (scale == 0 && !settings_.faithful()) return sum;
  for (const GuidanceModel& model : parts_.models) {
    const double model_weight = model.weight.at(entry);
    if (!model.targets.embeddings.defined() || model_weight == 0) continue;
    CutoutSettings cuts;
    cuts.cut_size = model.clip->config().input_size;
    cuts.overview = static_cast<int>(settings_.cut_overview.at(entry));
    cuts.inner = static_cast<int>(settings_.cut_innercut.at(entry));
    cuts.ic_pow = settings_.cut_ic_pow.at(entry);
    cuts.icgray_p = settings_.cut_icgray_p.at(entry);
    cuts.list = augmentation_list(settings_.animation_mode);
    cuts.skip_augs = settings_.skip_augs;
    cuts.faithful = settings_.faithful();
    if (cuts.overview + cuts.inner == 0) continue;
    const at::Tensor weights = model.targets.normalised_weights(entry);
    for (int batch = 0; batch < settings_.cutn_batches; ++batch) {
      const StreamKey key{.purpose = Purpose::cutouts, .step = i, .model = model.name, .batch = batch};
      StreamKey augmentation_key = key;
      augmentation_key.purpose = Purpose::augmentation;
      const at::Tensor pictures = timed("cutouts", "", [&] {
        if (parts_.streams->is_shared()) {
          RandomStream& stream = parts_.streams->get(key);
          return clip_normalise(make_cutouts((x_in + 1) / 2, cuts, stream, stream));
        }
        RandomStream places(parts_.streams->get(key));
        return clip_normalise(make_cutouts((x_in + 1) / 2, cuts, places, parts_.streams->get(augmentation_key)));
      });
      const double factor = scale * model_weight / static_cast<double>(settings_.cutn_batches);
      const at::Tensor by_pictures = look(model, pictures.detach(), weights, factor);
      const TimedPart part("cutouts backward");
      sum += torch::autograd::grad({pictures}, {x_in}, {by_pictures})[0];
    }
  }
  return sum;
}

at::Tensor Guidance::look(const GuidanceModel& model, const at::Tensor& pictures, const at::Tensor& weights,
                          double factor) {
  const std::int64_t count = pictures.size(0);
  const std::int64_t together = parts_.cuts_at_once > 0 ? parts_.cuts_at_once : count;
  std::vector<at::Tensor> distances, gradients;
  for (std::int64_t first = 0; first < count; first += together) {
    // On a leaf of their own, so that the network's graph is gone before the next ones' is built.
    const at::Tensor seen = pictures.narrow(0, first, std::min(together, count - first)).requires_grad_(true);
    const at::Tensor each = timed(model.name, "", [&] {
      const at::Tensor embeddings = model.clip->encode_image(seen).to(at::kFloat);
      const at::Tensor towards = spherical_distance(embeddings.unsqueeze(1), model.targets.embeddings.unsqueeze(0));
      return (towards * weights).sum(1);
    });
    distances.push_back(each.detach());
    // The loss is the mean over all cutouts, whichever are seen together.
    const at::Tensor by_each = at::full_like(distances.back(), factor).div_(static_cast<double>(count));
    gradients.push_back(
        timed(model.name, "backward", [&] { return torch::autograd::grad({each}, {seen}, {by_each})[0]; }));
  }
  report_.losses.push_back(at::cat(distances).mean().item<double>());
  return at::cat(gradients);
}

at::Tensor Guidance::picture_loss(const at::Tensor& x_in, int i, int entry) const {
  at::Tensor loss;
  const auto add = [&](double scale, const std::function<at::Tensor()>& term) {
    if (scale == 0) return;
    const at::Tensor scaled = term().sum() * scale;
    loss = loss.defined() ? loss + scaled : scaled;
  };
  add(settings_.tv_scale.at(entry), [&] { return tv_loss(x_in); });
  add(settings_.sat_scale.at(entry), [&] { return saturation_loss(x_in); });
  if (parts_.lpips && parts_.init.defined()) {
    add(settings_.init_scale.at(entry), [&] { return parts_.lpips->distance(x_in, parts_.init); });
  }
  const bool symmetric = parts_.first_step - i < settings_.symm_switch.of(static_cast<int>(settings_.steps));
  if (parts_.lpips && symmetric) {
    const double scale = settings_.symmetry_loss_scale.at(entry);
    for (const auto& [direction, axis] : {std::pair{"horizontal", 3}, std::pair{"vertical", 2}}) {
      if (!has_symmetry(settings_, direction)) continue;
      const auto [first, second] = mirrored_halves(x_in, axis);
      add(scale, [&, a = first, b = second] { return parts_.lpips->distance(a, b); });
    }
  }
  return loss;
}

at::Tensor Guidance::clamped(const at::Tensor& gradient, int entry) {
  const at::Tensor magnitude = gradient.square().mean().sqrt();
  report_.magnitude = magnitude.item<double>();
  // Without any guidance the quotient below would be 0/0, and the picture black.
  if (report_.magnitude == 0) return gradient;
  if (!settings_.clamp_grad) return gradient;
  const double limit = settings_.clamp_max.at(entry) * (settings_.faithful() ? 1 : caution_);
  report_.clamped = report_.magnitude > limit;
  return gradient * magnitude.clamp_max(limit) / magnitude;
}

}  // namespace disco
