#include "guidance/guidance.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>

#include "core/part_clock.h"
#include "guidance/losses.h"
#include "kernels/choice.h"
#include "kernels/deterministic.h"
#include "kernels/side_by_side.h"

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

/// The looking as one function of its tensors: {cutouts, targets' embeddings, targets' weights, seed} to {distances,
/// gradients}.
std::vector<at::Tensor> look_through(const Clip& clip, const std::vector<at::Tensor>& inputs) {
  const at::AutoGradMode recording(true);
  const at::Tensor seen = inputs[0].detach().requires_grad_(true);
  const at::Tensor embeddings = clip.encode_image(seen).to(at::kFloat);
  const at::Tensor towards = spherical_distance(embeddings.unsqueeze(1), inputs[1].unsqueeze(0));
  const at::Tensor each = (towards * inputs[2]).sum(1);
  const at::Tensor by_each = inputs[3].expand_as(each);
  return {each.detach(), torch::autograd::grad({each}, {seen}, {by_each})[0]};
}

at::Tensor size_of(const at::Tensor& x) { return x.square().mean().sqrt(); }

/// Whether each of the processor's threads is to look at cutouts of its own. Products of fewer are not worth a thread.
bool looks_side_by_side(const at::Tensor& cutouts) {
  constexpr std::int64_t least = 4;
  const std::int64_t threads = at::get_num_threads();
  return chosen_kernels() == Kernels::fast && cutouts.is_cpu() && threads > 1 && cutouts.size(0) >= least * threads;
}

bool has_symmetry(const Settings& settings, const char* direction) {
  return settings.symmetry_loss == direction || settings.symmetry_loss == "both";
}

}  // namespace

int schedule_entry(const NoiseSchedule& schedule, int i) {
  return 1000 - (static_cast<int>(std::floor(schedule.model_time(i))) + 1);
}

GuidanceReport GuidanceNumbers::read() const {
  GuidanceReport report;
  if (!values.defined()) return report;
  const at::Tensor here = values.to(at::kCPU, at::kFloat).contiguous();
  const float* number = here.const_data_ptr<float>();
  const std::int64_t losses = here.numel() - 2;
  report.losses.assign(number, number + losses);
  report.not_finite = number[losses] != 0;
  report.magnitude = number[losses + 1];
  report.clamped = report.magnitude > limit;
  return report;
}

Guidance::Guidance(const Settings& settings, Parts parts) : settings_(settings), parts_(std::move(parts)) {}

at::Tensor Guidance::gradient(const at::Tensor& x_in_state, int i, int cur) {
  numbers_ = {};
  losses_.clear();
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
  at::Tensor bad;
  for (const at::Tensor& gradient : gradients) {
    // 5.7 looks for NaN alone.
    const at::Tensor here = (settings_.faithful() ? at::isnan(gradient) : at::isfinite(gradient).logical_not()).any();
    bad = bad.defined() ? bad.logical_or(here) : here;
  }
  // Then there is no guidance. That is decided on the device, so that nothing waits for it here.
  for (at::Tensor& gradient : gradients) gradient = gradient.masked_fill(bad, 0);
  const TimedPart part("prediction backward");
  const at::Tensor by_x = -through_prediction(outputs, x, std::move(gradients));
  const at::Tensor magnitude = size_of(by_x);
  kept_ = clamped(by_x, magnitude, entry).detach();
  losses_.push_back(bad.to(at::kFloat).view({1}));
  losses_.push_back(magnitude.view({1}));
  if (settings_.clamp_grad) numbers_.limit = settings_.clamp_max.at(entry) * (settings_.faithful() ? 1 : caution_);
  numbers_.values = at::cat(losses_);
  return kept_;
}

at::Tensor Guidance::through_prediction(const std::vector<at::Tensor>& outputs, const at::Tensor& x,
                                        std::vector<at::Tensor> gradients) const {
  std::optional<StrictlyDeterministic> strict;
  if (x.is_cuda()) strict.emplace();
  if (!parts_.half) return torch::autograd::grad(outputs, {x}, gradients)[0];
  // Numbers around 1, which a half holds best, whatever the scales are.
  const at::Tensor size = size_of(gradients.front()), divisor = at::where(size > 0, size, at::ones_like(size));
  for (at::Tensor& gradient : gradients) gradient = gradient / divisor;
  return torch::autograd::grad(outputs, {x}, gradients)[0] * divisor;
}

std::vector<Guidance::Glance> Guidance::glances(bool all_batches_together, double scale, int entry) const {
  CutoutSettings cuts;
  cuts.overview = static_cast<int>(settings_.cut_overview.at(entry));
  cuts.inner = static_cast<int>(settings_.cut_innercut.at(entry));
  cuts.ic_pow = settings_.cut_ic_pow.at(entry);
  cuts.icgray_p = settings_.cut_icgray_p.at(entry);
  cuts.list = augmentation_list(settings_.animation_mode);
  cuts.skip_augs = settings_.skip_augs;
  cuts.faithful = settings_.faithful();
  std::vector<Glance> result;
  if (cuts.overview + cuts.inner == 0) return result;
  const auto batches = static_cast<int>(settings_.cutn_batches);
  const int together = all_batches_together ? batches : 1;
  for (const GuidanceModel& model : parts_.models) {
    const double model_weight = model.weight.at(entry);
    if (!model.targets.embeddings.defined() || model_weight == 0) continue;
    cuts.cut_size = model.clip->config().input_size;
    const double factor = scale * model_weight / static_cast<double>(batches);
    for (int first = 0; first < batches; first += together)
      result.push_back({&model, cuts, factor, first, together, {}, {}});
  }
  return result;
}

at::Tensor Guidance::clip_gradient(const at::Tensor& x_in, int i, int entry) {
  at::Tensor sum = at::zeros_like(x_in);
  const double scale = settings_.clip_guidance_scale.at(entry) * (settings_.faithful() ? 1 : caution_);
  // Faithful runs look all the same, because the looking draws from the one random stream.
  if (scale == 0 && !settings_.faithful()) return sum;
  // A GPU wants much at a time; the processor's caches do not.
  std::vector<Glance> glances = this->glances(x_in.is_cuda(), scale, entry);
  const bool cuts_first = cuts_side_by_side(x_in, glances);
  if (cuts_first) side_by_side(glances.size(), [&](std::size_t k) { cut(glances[k], x_in, i); });
  for (Glance& glance : glances) {
    if (!cuts_first) cut(glance, x_in, i);
    look(glance, entry);
    if (cuts_first) continue;
    sum += gradient_through_cutouts(glance, x_in);
    glance = {};
  }
  if (!cuts_first) return sum;
  std::vector<at::Tensor> gradients(glances.size());
  side_by_side(glances.size(), [&](std::size_t k) { gradients[k] = gradient_through_cutouts(glances[k], x_in); });
  for (const at::Tensor& gradient : gradients) sum += gradient;
  return sum;
}

bool Guidance::cuts_side_by_side(const at::Tensor& x_in, const std::vector<Glance>& glances) const {
  // Together they take memory that no plan counts with.
  constexpr std::int64_t most_values = 1 << 20;
  std::int64_t values = 0;
  for (const Glance& glance : glances)
    values += (glance.cuts.overview + glance.cuts.inner) * x_in.size(1) * glance.cuts.cut_size * glance.cuts.cut_size;
  const bool several = glances.size() > 1 && at::get_num_threads() > 1 && values <= most_values;
  // One stream for all gives its numbers in one order.
  return several && x_in.is_cpu() && chosen_kernels() == Kernels::fast && !parts_.streams->is_shared();
}

void Guidance::cut(Glance& glance, const at::Tensor& x_in, int i) const {
  for (int batch = glance.first; batch < glance.first + glance.batches; ++batch) {
    glance.pictures.push_back(
        timed("cutouts", "", [&] { return cutouts_for(*glance.model, x_in, glance.cuts, i, batch); }));
  }
}

void Guidance::look(Glance& glance, int entry) {
  std::vector<at::Tensor> seen;
  for (const at::Tensor& picture : glance.pictures) seen.push_back(picture.detach());
  const std::int64_t count = seen.front().size(0);
  // The loss is the mean over a batch, whichever are seen together. Through half precision goes a gradient that it
  // holds well; the more careful a try, the further from its end.
  const double share = glance.factor / static_cast<double>(count);
  const double seed = parts_.half ? 256 * caution_ * caution_ * caution_ : share;
  const Looked looked = look(*glance.model, seen.size() == 1 ? seen.front() : at::cat(seen),
                             glance.model->targets.normalised_weights(entry), seed);
  losses_.push_back(looked.distances.view({glance.batches, count}).mean(1));
  const at::Tensor by_seen = parts_.half ? looked.gradients * (seed == 0 ? 0 : share / seed) : looked.gradients;
  glance.by_pictures = by_seen.split(count);
}

at::Tensor Guidance::gradient_through_cutouts(Glance& glance, const at::Tensor& x_in) {
  const TimedPart part("cutouts backward");
  return torch::autograd::grad(glance.pictures, {x_in}, glance.by_pictures)[0];
}

at::Tensor Guidance::cutouts_for(const GuidanceModel& model, const at::Tensor& x_in, const CutoutSettings& cuts, int i,
                                 int batch) const {
  StreamKey key{.purpose = Purpose::cutouts, .step = i, .model = model.name, .batch = batch};
  RandomStream places = parts_.streams->get(key);
  key.purpose = Purpose::augmentation;
  RandomStream augmentation = parts_.streams->get(key);  // The same one where there is one for all.
  return clip_normalise(make_cutouts((x_in + 1) / 2, cuts, places, augmentation));
}

Guidance::Looked Guidance::look(const GuidanceModel& model, const at::Tensor& pictures, const at::Tensor& weights,
                                double seed) {
  const std::int64_t count = pictures.size(0);
  const std::int64_t together = parts_.cuts_at_once > 0 ? parts_.cuts_at_once : count;
  std::vector<at::Tensor> distances, gradients;
  for (std::int64_t first = 0; first < count; first += together) {
    // On a leaf of their own, so that the network's graph is gone before the next ones' is built.
    const at::Tensor seen = pictures.narrow(0, first, std::min(together, count - first)).detach();
    const Looked looked = look_at(model, seen, weights, seed);
    distances.push_back(looked.distances);
    gradients.push_back(looked.gradients);
  }
  return {at::cat(distances), at::cat(gradients)};
}

Guidance::Looked Guidance::look_at(const GuidanceModel& model, const at::Tensor& seen, const at::Tensor& weights,
                                   double seed) {
  const at::Tensor& targets = model.targets.embeddings;
  if (seen.is_cuda() && parts_.recordings) {
    const TimedPart part(model.name);
    const StrictlyDeterministic strict;
    const std::vector<at::Tensor> inputs = {seen, targets, weights, at::full({1}, seed, weights.options())};
    const std::vector<at::Tensor> results = parts_.recordings->run(
        model.name, inputs, [clip = model.clip](const auto& given) { return look_through(*clip, given); });
    // The next replay overwrites them.
    return {results[0].clone(), results[1].clone()};
  }
  if (!looks_side_by_side(seen)) return look_alone(model, seen, weights, seed);
  // Each thread takes some of the cutouts through all of the network: there is nothing to wait for at every layer.
  const std::vector<at::Tensor> shares = seen.tensor_split(at::get_num_threads());
  std::vector<at::Tensor> distances(shares.size()), gradients(shares.size());
  side_by_side(shares.size(), [&](std::size_t k) {
    Looked looked = look_alone(model, shares[k].detach(), weights, seed);
    distances[k] = std::move(looked.distances);
    gradients[k] = std::move(looked.gradients);
  });
  return {at::cat(distances), at::cat(gradients)};
}

Guidance::Looked Guidance::look_alone(const GuidanceModel& model, const at::Tensor& seen, const at::Tensor& weights,
                                      double seed) {
  seen.requires_grad_(true);
  const at::Tensor each = timed(model.name, "", [&] {
    const at::Tensor embeddings = model.clip->on(seen.device()).encode_image(seen).to(at::kFloat);
    const at::Tensor towards = spherical_distance(embeddings.unsqueeze(1), model.targets.embeddings.unsqueeze(0));
    return (towards * weights).sum(1);
  });
  const at::Tensor by_each = at::full_like(each.detach(), seed);
  return {each.detach(),
          timed(model.name, "backward", [&] { return torch::autograd::grad({each}, {seen}, {by_each})[0]; })};
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

at::Tensor Guidance::clamped(const at::Tensor& gradient, const at::Tensor& magnitude, int entry) const {
  if (!settings_.clamp_grad) return gradient;
  const double limit = settings_.clamp_max.at(entry) * (settings_.faithful() ? 1 : caution_);
  // Without any guidance the quotient would be 0/0, and the picture black.
  const at::Tensor divisor = magnitude.masked_fill(magnitude == 0, 1);
  return gradient * magnitude.clamp_max(limit) / divisor;
}

}  // namespace disco
