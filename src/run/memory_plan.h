// What a run gives up to fit into memory. Only half_weights may change the picture. No torch in this header.
#pragma once

#include <string>

namespace disco {

struct MemoryPlan {
  /// How many cutouts a CLIP model looks at together; 0: all of a batch. Fewer take less memory, and now and then a
  /// little more time.
  int cuts_at_once = 0;
  /// Gradient checkpointing through the diffusion UNet, where it is what the guidance looks through (primary mode):
  /// about half of the memory of its gradient, and one more evaluation's time a step.
  bool recompute = false;
  /// On a GPU: the weights of the UNet and of the CLIP models lie in the processor's memory, and each network's are
  /// copied to the GPU for its turn, at the cost of these copies in every step.
  bool weights_on_host = false;
  /// The weights of the UNet's and the CLIP ViTs' large layers in half precision, widened one layer at a time. The
  /// picture is another one, if hardly to be seen, where the files hold float32.
  bool half_weights = false;

  bool operator==(const MemoryPlan&) const = default;
};

/// "4 cuts at a time, the UNet's activations computed twice"; empty for the plan that gives up nothing.
inline std::string plan_text(const MemoryPlan& plan) {
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (plan.cuts_at_once > 0)
    add(std::to_string(plan.cuts_at_once) + (plan.cuts_at_once == 1 ? " cut at a time" : " cuts at a time"));
  if (plan.recompute) add("the UNet's activations computed twice");
  if (plan.weights_on_host) add("weights in the processor's memory between uses");
  if (plan.half_weights) add("large layers' weights in half precision");
  return text;
}

}  // namespace disco
