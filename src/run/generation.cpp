#include "run/generation.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/part_clock.h"
#include "guidance/noise.h"
#include "picture/picture.h"
#include "run/init.h"
#include "settings/prompt.h"

namespace disco {
namespace {

/// Guidance strengths of a step's tries: as set, then ever more careful, at last without CLIP.
constexpr std::array<double, 4> cautions = {1, 0.5, 0.25, 0};

at::Tensor mean_square(const at::Tensor& x) { return x.square().mean(); }

/// What a guidance's evaluation says of itself, still on the device.
struct Evaluated {
  GuidanceNumbers numbers;
  double reach = 0;
  at::Tensor sizes;  ///< Mean squares of the gradient and of x.
};

void read(const Evaluated& evaluated, StepOutcome& outcome) {
  const GuidanceReport report = evaluated.numbers.read();
  outcome.losses.insert(outcome.losses.end(), report.losses.begin(), report.losses.end());
  outcome.clamped = outcome.clamped || report.clamped;
  outcome.not_finite = outcome.not_finite || report.not_finite;
  const at::Tensor sizes = evaluated.sizes.to(at::kCPU, at::kDouble).sqrt();
  const double push = evaluated.reach * sizes[0].item<double>();
  outcome.push = std::max(outcome.push, push / sizes[1].item<double>());
}

bool is_half(const UNet& unet) { return unet.parameters().at("out.2.weight").scalar_type() == at::kHalf; }

at::Tensor first_three(const at::Tensor& output) { return output.narrow(1, 0, 3); }

}  // namespace

bool needs_lpips(const Settings& settings) {
  const bool has_init = settings.perlin_init || !settings.init_image.empty();
  return (has_init && settings.init_scale.maximum() != 0) ||
         (settings.symmetry_loss != "none" && settings.symmetry_loss_scale.maximum() != 0);
}

std::vector<std::pair<std::string, std::string>> models_of(const Settings& settings) {
  std::vector<std::pair<std::string, std::string>> models = {{settings.diffusion_model, "diffusion"}};
  if (settings.use_secondary_model) models.emplace_back(settings.secondary_model, "secondary");
  for (const ClipChoice& choice : settings.clip_models) models.emplace_back(choice.name, "clip");
  if (!settings.upscaler.empty()) models.emplace_back(settings.upscaler, "upscaler");
  if (needs_lpips(settings)) models.emplace_back(settings.lpips_model, "lpips");
  return models;
}

void require_models(const Settings& settings, const ModelStore& store) {
  for (const auto& [name, role] : models_of(settings)) store.require(name, role);
}

RunModels load_models(const Settings& settings, Session& session) {
  RunModels models;
  models.unet = session.diffusion(settings.diffusion_model);
  if (settings.use_secondary_model) models.secondary = session.secondary(settings.secondary_model);
  for (const ClipChoice& choice : settings.clip_models) {
    models.clip.push_back({choice.name, session.clip(choice.name), choice.weight, {}});
  }
  if (needs_lpips(settings)) models.lpips = session.lpips(settings.lpips_model);
  if (!settings.upscaler.empty()) models.upscaler = session.upscaler(settings.upscaler);
  return models;
}

void embed_prompts(const Settings& settings, Session& session, RandomStreams& streams, RunModels& models,
                   std::vector<std::string>* warnings) {
  TargetRequest request{settings, prompts_at(settings.text_prompts, 0), {}};
  for (const Prompt& prompt : prompts_at(settings.image_prompts, 0)) {
    request.images.push_back({prompt, read_picture(prompt.text)});
  }
  for (GuidanceModel& model : models.clip) {
    const Clip clip = model.clip->on(session.device());
    model.targets = make_targets(request, clip, model.name, session.tokenizer(), streams, warnings);
  }
}

void give_up_text(Session& session, RunModels& models) {
  for (GuidanceModel& model : models.clip) {
    model.clip.reset();
    model.clip = session.give_up_text(model.name);
  }
}

Generation::Generation(const Settings& settings, const RunModels& models, RandomStreams& streams, at::Device device,
                       const MemoryPlan& plan)
    : settings_(settings),
      models_(models),
      streams_(streams),
      device_(device),
      plan_(plan),
      schedule_(NoiseSchedule::linear(settings.steps)) {
  const at::NoGradGuard no_gradient;
  const int steps = schedule_.steps();
  const int skipped = settings_.skip_steps.of(static_cast<int>(settings_.steps));
  first_ = steps - skipped - 1;
  last_ = settings_.skip_end_steps.of(static_cast<int>(settings_.steps));
  if (first_ < last_) throw RequestError("no step is left to do", "skip_steps", "skip fewer steps");

  const std::int64_t width = settings_.drawn_width(), height = settings_.drawn_height();
  init_ = make_init(settings_, streams_);
  if (init_.defined()) init_ = init_.to(device_);
  if (!settings_.inpaint_mask.empty()) {
    inpaint_mask_ = read_mask(settings_.inpaint_mask, width, height, settings_.init_fit).to(device_);
  }
  at::Tensor x = streams_.get({.purpose = Purpose::start_noise}).randn({1, 3, height, width}).to(device_);
  if (init_.defined() || skipped > 0) {
    x = add_noise(schedule_, init_.defined() ? init_ : at::zeros_like(x), x, first_);
  }
  state_.sampler = {x, first_, {}};

  guidance_ = std::make_unique<Guidance>(
      settings_,
      Guidance::Parts{.schedule = &schedule_,
                      .predict = [this](const at::Tensor& noisy, int cur) { return predict_clean(noisy, cur); },
                      .models = models_.clip,
                      .lpips = models_.lpips,
                      .init = init_,
                      .streams = &streams_,
                      .first_step = first_,
                      .cuts_at_once = plan_.cuts_at_once,
                      .half = is_half(*models_.unet),
                      .recordings = plan_.weights_on_host ? nullptr : models_.recordings});
}

at::Tensor Generation::network(const at::Tensor& x, int i) const {
  std::vector<at::Tensor> inputs = {x, at::full({x.size(0)}, schedule_.model_time(i), x.options())};
  if (class_label_.defined()) inputs.push_back(class_label_);
  const auto evaluate = [unet = models_.unet, activations = plan_.recompute ? Activations::recomputed
                                                                            : Activations::kept](const auto& given) {
    const UNet here = unet->on(given[0].device());
    return std::vector{here.forward(given[0], given[1], given.size() > 2 ? given[2] : at::Tensor(), activations)};
  };
  const bool for_gradient = at::GradMode::is_enabled() && x.requires_grad();
  const auto output = [&] {
    // What is recorded for a gradient keeps its activations, which a plan that recomputes them has no room for.
    if (plan_.weights_on_host || (for_gradient && plan_.recompute)) return evaluate(inputs)[0];
    if (!for_gradient) return models_.recordings->run("diffusion", inputs, evaluate)[0];
    return models_.recordings->run_with_gradient("diffusion with gradient", inputs, evaluate);
  };
  return first_three(output());
}

at::Tensor Generation::noise(const StreamKey& key) {
  RandomStream stream = streams_.get(key);
  return draw_noise(stream, 0, state_.sampler.x.sizes(), device_, settings_.faithful());
}

at::Tensor Generation::epsilon(const at::Tensor& x, int i) {
  const at::NoGradGuard no_gradient;
  const TimedPart timed("diffusion");
  const Evaluation evaluated = std::exchange(evaluated_, {});
  const bool known = evaluated.i == i && evaluated.x.is_same_size(x) && evaluated.x.is_alias_of(x);
  at::Tensor output = known ? evaluated.output : network(x, i);
  if (models_.unet->config().prediction != "v") return output;
  const double alpha_cumprod = schedule_.alphas_cumprod[static_cast<std::size_t>(i)];
  return x * std::sqrt(1 - alpha_cumprod) + output * std::sqrt(alpha_cumprod);
}

at::Tensor Generation::predict_clean(const at::Tensor& x, int cur) {
  if (models_.secondary) {
    const at::Tensor t = at::full({x.size(0)}, schedule_.secondary_time(cur), x.options());
    const Recordable predict = [model = models_.secondary](const auto& given) {
      return std::vector{model->forward(given[0], given[1]).pred};
    };
    if (plan_.weights_on_host) return predict({x, t})[0];  // Little memory: nothing is kept for a recording.
    return models_.recordings->run_with_gradient("secondary with gradient", {x, t}, predict);
  }
  const at::Tensor output = network(x, cur);
  evaluated_ = {x.detach(), output.detach(), cur};
  if (models_.unet->config().prediction != "v") return predict_x0(schedule_, x, output, cur);
  const double alpha_cumprod = schedule_.alphas_cumprod[static_cast<std::size_t>(cur)];
  return x * std::sqrt(alpha_cumprod) - output * std::sqrt(1 - alpha_cumprod);
}

void Generation::prepare_x() {
  SamplerState& sampler = state_.sampler;
  const bool mirrors = (settings_.use_horizontal_symmetry || settings_.use_vertical_symmetry) && !uses_plms();
  if (mirrors) {
    const int run_steps = first_ + 1;
    const bool now = std::any_of(settings_.transformation_percent.begin(), settings_.transformation_percent.end(),
                                 [&](double share) { return sampler.i == static_cast<int>(run_steps * (1 - share)); });
    if (now) sampler.x = mirrored(sampler.x, settings_.use_horizontal_symmetry, settings_.use_vertical_symmetry);
  }
  if (inpaint_mask_.defined() && init_.defined()) {
    const StreamKey key{.purpose = Purpose::init_noise, .step = sampler.i, .model = {}, .batch = 1};
    const at::Tensor kept = add_noise(schedule_, init_, noise(key), sampler.i);
    sampler.x = sampler.x * inpaint_mask_ + kept * (1 - inpaint_mask_);
  }
  if (const std::int64_t classes = models_.unet->config().class_count; classes > 0) {
    const StreamKey key{.purpose = Purpose::sampler_noise, .step = sampler.i, .model = {}, .batch = 1};
    const std::int64_t label = settings_.randomize_class ? streams_.get(key).randint(0, classes) : 0;
    class_label_ = at::full({1}, label, at::TensorOptions().dtype(at::kLong).device(device_));
  }
}

bool Generation::uses_plms() const {
  if (settings_.plms_share > 0) return steps_done() < static_cast<int>(std::lround(settings_.plms_share * steps()));
  return settings_.diffusion_sampling_mode == "plms";
}

at::Tensor Generation::advance(StepOutcome& outcome) {
  outcome.losses.clear();
  outcome.clamped = outcome.not_finite = false;
  outcome.push = 0;
  std::vector<Evaluated> evaluations;
  const auto guide = [&](const at::Tensor& x, int i, int cur) {
    at::Tensor gradient = guidance_->gradient(x, i, cur);
    evaluations.push_back(
        {guidance_->numbers(), guidance_reach(schedule_, i), at::stack({mean_square(gradient), mean_square(x)})});
    return gradient;
  };
  const SamplerProblem problem{.schedule = schedule_,
                               .epsilon = [this](const at::Tensor& x, int i) { return epsilon(x, i); },
                               .guidance = guide,
                               .clip_denoised = settings_.clip_denoised};
  const TimedPart timed("sampler");
  at::Tensor shown;
  if (uses_plms()) {
    shown = plms_step(problem, state_.sampler, static_cast<int>(settings_.plms_order));
  } else {
    state_.sampler.old_eps.clear();
    shown = ddim_step(problem, state_.sampler, settings_.eta,
                      [this](int i) { return noise({.purpose = Purpose::sampler_noise, .step = i}); });
  }
  // Only now, with all of the step's work handed out, does anything wait for a GPU.
  for (const Evaluated& evaluated : evaluations) read(evaluated, outcome);
  return shown;
}

StepOutcome Generation::step() {
  const at::NoGradGuard no_gradient;
  const auto start = std::chrono::steady_clock::now();
  StepOutcome outcome;
  prepare_x();
  const SamplerState before = state_.sampler;
  at::Tensor shown;
  std::optional<std::string> fault;
  for (const double caution : cautions) {
    state_.sampler = before;
    guidance_->set_caution(caution);
    shown = advance(outcome);
    fault = outcome.not_finite ? "the guidance's gradient holds numbers that are not finite"
                               : watchdog_.judge({state_.sampler.x, shown, state_.shown, outcome.push});
    if (!fault) break;
    const bool retry = !settings_.faithful() && caution != cautions.back();
    outcome.incidents.push_back(fmt::format("step {}: {}{}", steps_done() + 1, *fault,
                                            retry ? "; the step is done again with less guidance" : ""));
    if (!retry) break;
    guidance_->keep_gradient({});
  }
  if (!at::isfinite(state_.sampler.x).all().item<bool>()) {
    throw Error(fmt::format("the picture is lost: {}", outcome.incidents.back()), "",
                "lower clip_guidance_scale or clamp_max, or take more steps");
  }
  watchdog_.accept(shown, state_.shown);
  state_.shown = shown;
  outcome.shown = shown;
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  state_.losses.insert(state_.losses.end(), outcome.losses.begin(), outcome.losses.end());
  state_.step_seconds.push_back(outcome.seconds);
  state_.clamped_steps += outcome.clamped ? 1 : 0;
  state_.incidents.insert(state_.incidents.end(), outcome.incidents.begin(), outcome.incidents.end());
  return outcome;
}

PictureState Generation::state() const {
  PictureState state = state_;
  state.first = first_;
  state.kept_gradient = guidance_->kept_gradient();
  state.stream = streams_.state();
  state.watchdog = watchdog_.memory();
  return state;
}

void Generation::restore(PictureState state) {
  const auto on_device = [&](at::Tensor& tensor) {
    if (tensor.defined()) tensor = tensor.to(device_);
  };
  on_device(state.sampler.x);
  on_device(state.shown);
  on_device(state.kept_gradient);
  for (at::Tensor& eps : state.sampler.old_eps) on_device(eps);
  guidance_->keep_gradient(state.kept_gradient);
  watchdog_.restore(state.watchdog);
  first_ = state.first;
  if (state.stream.defined()) streams_.set_state(state.stream);
  state_ = std::move(state);
}

void Generation::carry_on(const at::Tensor& x, double alpha_cumprod) {
  int start = first_;
  while (start > last_ && schedule_.alphas_cumprod[static_cast<std::size_t>(start - 1)] <= alpha_cumprod) --start;
  state_.sampler = {x.to(device_), start, {}};
  first_ = start;
}

double Generation::alpha_cumprod() const {
  return done() && state_.sampler.i < 0 ? 1 : schedule_.alphas_cumprod[static_cast<std::size_t>(state_.sampler.i)];
}

}  // namespace disco
