#include "models/recompute.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

namespace disco {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Recomputed : torch::autograd::Function<Recomputed> {
  /// A member of the node: the context holds nothing but tensors and plain values.
  struct Block : torch::CustomClassHolder {
    BlockFunction function;
    explicit Block(BlockFunction given) : function(std::move(given)) {}
  };

  static at::Tensor forward(AutogradContext* context, at::TensorList inputs, const c10::intrusive_ptr<Block>& block) {
    context->save_for_backward(inputs.vec());
    context->saved_data["block"] = c10::IValue::make_capsule(block);
    return block->function(inputs.vec());  // Functions run without recording.
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto capsule = context->saved_data["block"].toCapsule();
    const auto& block = static_cast<const Block&>(*capsule);
    variable_list inputs;
    for (const at::Tensor& saved : context->get_saved_variables()) {
      inputs.push_back(saved.detach().requires_grad_(saved.requires_grad()));
    }
    variable_list wanted;
    std::copy_if(inputs.begin(), inputs.end(), std::back_inserter(wanted),
                 [](const at::Tensor& input) { return input.requires_grad(); });
    at::Tensor result;
    {
      const at::AutoGradMode recording(true);
      result = block.function(inputs);
    }
    const variable_list found = torch::autograd::grad({result}, wanted, gradients);
    variable_list all;
    auto next = found.begin();
    for (const at::Tensor& input : inputs) all.push_back(input.requires_grad() ? *next++ : at::Tensor());
    all.emplace_back();  // For the block itself.
    return all;
  }
};

}  // namespace

at::Tensor recomputed(const BlockFunction& block, std::vector<at::Tensor> inputs) {
  const bool wanted = at::GradMode::is_enabled() &&
                      std::any_of(inputs.begin(), inputs.end(), [](const at::Tensor& t) { return t.requires_grad(); });
  if (!wanted) return block(std::move(inputs));
  return Recomputed::apply(at::TensorList(inputs), c10::make_intrusive<Recomputed::Block>(block));
}

}  // namespace disco
