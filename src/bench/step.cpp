#include "bench/step.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include "core/error.h"
#include "core/part_clock.h"
#include "kernels/choice.h"
#include "kernels/gpu.h"
#include "run/generation.h"
#include "run/memory_estimate.h"
#include "run/outputs.h"
#include "settings/prompt.h"

namespace disco {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Waits for the device's work; empty for the processor, which never runs ahead.
std::function<void()> synchroniser(at::Device device) {
  if (!device.is_cuda() || !gpu()) return {};
  return [device] { gpu()->synchronise(device); };
}

double peak_flops(at::Device device, bool half) {
  const std::int64_t side = device.is_cpu() ? 2048 : 8192;
  const double flops = 2 * std::pow(static_cast<double>(side), 3);
  const at::NoGradGuard no_gradient;
  const at::Tensor a = at::ones({side, side}, at::TensorOptions().device(device).dtype(half ? at::kHalf : at::kFloat)),
                   b = at::ones_like(a);
  double best = 0;
  for (int k = 0; k < 4; ++k) {
    const auto start = Clock::now();
    at::mm(a, b)[0][0].item<float>();
    best = std::max(best, flops / seconds_since(start));
  }
  return best;
}

Settings with_prompt(Settings settings) {
  if (settings.text_prompts.empty()) {
    settings.text_prompts = {{0, {parse_prompt("a lighthouse at sunset")}}};
  }
  settings.seed = std::max<std::int64_t>(settings.seed, 0);
  return settings;
}

/// A backward pass by the input alone takes the products of its forward pass once more.
void give_backward_its_flops(std::vector<StepCost>& parts) {
  constexpr std::string_view suffix = " backward";
  for (StepCost& part : parts) {
    if (!part.part.ends_with(suffix)) continue;
    const std::string forward = part.part.substr(0, part.part.size() - suffix.size());
    for (const StepCost& other : parts) {
      if (other.part == forward) part.flops = other.flops;
    }
  }
}

}  // namespace

StepResult measure_step(const StepRequest& request) {
  choose_kernels(kernels_by_name(request.engine.kernels));
  const Settings settings = with_prompt(request.settings);
  Session session(request.engine.model_folders, request.engine.device, request.engine.threads,
                  request.engine.precision);
  session.make_up_missing_models();
  StepResult result;
  result.device = session.device_name();
  const auto limit = static_cast<std::uint64_t>(request.engine.memory_limit_gib * 1024 * 1024 * 1024);
  const MemoryEstimate estimate = estimate_memory(settings, session.store(), session.memory(limit));
  session.hold_to(limit);
  session.keep_weights(estimate.plan);
  const auto loading = Clock::now();
  RunModels models = load_models(settings, session);
  const auto seed = static_cast<std::uint64_t>(settings.seed);
  RandomStreams streams = settings.faithful() ? RandomStreams::shared(seed) : RandomStreams::independent(seed);
  embed_prompts(settings, session, streams, models, nullptr);
  give_up_text(session, models);
  Generation generation(settings, models, streams, session.device(), estimate.plan);
  result.loading_seconds = seconds_since(loading);
  result.made_up = session.made_up();

  PartClock clock(synchroniser(session.device()));
  std::vector<double> steps;
  std::map<std::string, std::vector<double>> seconds;
  std::map<std::string, double> flops;
  // The first one warms up.
  const int measured = std::min(request.steps, generation.steps() - 1);
  if (measured < 1) throw RequestError("a picture of one step leaves none to measure", "steps", "take at least two");
  const bool runs_ahead = !session.device().is_cpu();
  // Parts are told apart by waiting for the device after each, which a step by itself does not do: there, steps as they
  // are go before.
  for (int k = 0; runs_ahead && k <= measured && generation.steps() - generation.steps_done() > measured; ++k) {
    const double took = generation.step().seconds;
    if (k > 0) steps.push_back(took);
  }
  for (int k = 0; k <= measured && !generation.done(); ++k) {
    if (k > 0) PartClock::current() = &clock;
    const double took = generation.step().seconds;
    PartClock::current() = nullptr;
    if (k == 0) continue;
    if (!runs_ahead) steps.push_back(took);
    for (const auto& [name, part] : clock.parts()) {
      if (name.empty()) continue;
      seconds[name].push_back(part.seconds);
      flops[name] = part.flops;
    }
    clock.clear();
  }
  result.peak_memory = runs_ahead && gpu() ? gpu()->memory(session.device()).peak : peak_memory();
  result.predicted_memory = estimate.peak;
  result.plan = plan_text(estimate.plan);
  result.seconds = median(steps);
  for (const auto& [name, times] : seconds) result.parts.push_back({name, median(times), flops[name]});
  give_backward_its_flops(result.parts);
  result.peak_flops = peak_flops(session.device(), session.computes_in_half());
  result.unrecorded = models.recordings->failures();
  return result;
}

}  // namespace disco

void disco_measure_step(const disco::StepRequest& request, disco::StepResult& result) {
  result = disco::measure_step(request);
}
