#include "kernels/cut_colours.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include "kernels/share_out.h"

namespace disco {
namespace {

/// Calls work(cut, offset of its values) for each cut, shared among the threads.
template <typename Work>
void over_cuts(const at::Tensor& cuts, const Work& work) {
  const std::int64_t size = cuts.size(1) * cuts.size(2) * cuts.size(3);
  share_out(cuts.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t cut = begin; cut < end; ++cut) work(cut, cut * size);
  });
}

struct FusedCutColours : torch::autograd::Function<FusedCutColours> {
  struct Work {
    float strength;
    bool grey;
    std::optional<ColourSteps> steps;
  };

  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& cuts, const at::Tensor& first,
                            const at::Tensor& second, const Work& work) {
    const at::AutoDispatchBelowAutograd below;
    const at::Tensor x = cuts.contiguous(), one = first.contiguous(), two = second.contiguous();
    const std::int64_t plane = x.size(2) * x.size(3);
    at::Tensor noisy = at::empty_like(x), y = work.steps ? at::empty_like(x) : noisy;
    at::Tensor means = at::zeros({x.size(0)}, x.options());
    const float *from = x.const_data_ptr<float>(), *noise_one = one.const_data_ptr<float>(),
                *noise_two = two.const_data_ptr<float>();
    float *seen = noisy.mutable_data_ptr<float>(), *to = y.mutable_data_ptr<float>(),
          *mean = means.mutable_data_ptr<float>();
    over_cuts(x, [&](std::int64_t cut, std::int64_t at) {
      add_noises({from + at, plane}, noise_one + at, noise_two + at, work.strength, work.grey, seen + at);
      if (!work.steps) return;
      mean[cut] = mean_grey(*work.steps, {seen + at, plane});
      apply_steps(*work.steps, {seen + at, plane}, mean[cut], to + at);
    });
    context->saved_data["grey"] = work.grey;
    if (work.steps) {
      context->save_for_backward({noisy, means});
      std::vector<std::int64_t> kinds;
      std::vector<double> amounts;
      for (const ColourStep step : *work.steps) {
        kinds.push_back(step.kind);
        amounts.push_back(step.amount);
      }
      context->saved_data["kinds"] = kinds;
      context->saved_data["amounts"] = amounts;
    }
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const at::AutoDispatchBelowAutograd below;
    const at::Tensor by_y = gradients[0].contiguous();
    const bool grey = context->saved_data["grey"].toBool();
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const std::int64_t plane = by_y.size(2) * by_y.size(3);
    at::Tensor by_x = at::empty_like(by_y);
    const float* slopes = by_y.const_data_ptr<float>();
    float* to = by_x.mutable_data_ptr<float>();
    if (saved.empty()) {
      over_cuts(by_y, [&](std::int64_t, std::int64_t at) { add_noises_backward({slopes + at, plane}, grey, to + at); });
      return {by_x, {}, {}, {}};
    }
    ColourSteps steps;
    const std::vector<std::int64_t> kinds = context->saved_data["kinds"].toIntVector();
    const std::vector<double> amounts = context->saved_data["amounts"].toDoubleVector();
    for (std::size_t k = 0; k < steps.size(); ++k) {
      steps[k] = {static_cast<ColourStep::Kind>(kinds[k]), static_cast<float>(amounts[k])};
    }
    const float *seen = saved[0].const_data_ptr<float>(), *mean = saved[1].const_data_ptr<float>();
    over_cuts(by_y, [&](std::int64_t cut, std::int64_t at) {
      apply_steps_backward(steps, {seen + at, plane}, mean[cut], slopes + at, to + at);
      add_noises_backward({to + at, plane}, grey, to + at);
    });
    return {by_x, {}, {}, {}};
  }
};

}  // namespace

bool fused_cut_colours_applies(const at::Tensor& cuts) {
  return cuts.device().is_cpu() && cuts.scalar_type() == at::kFloat && cuts.dim() == 4 && cuts.size(1) == 3;
}

at::Tensor fused_cut_colours(const at::Tensor& cuts, const at::Tensor& first, const at::Tensor& second, double strength,
                             bool grey, const std::optional<ColourSteps>& steps) {
  return FusedCutColours::apply(cuts, first, second, FusedCutColours::Work{static_cast<float>(strength), grey, steps});
}

}  // namespace disco
