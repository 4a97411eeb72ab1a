// What a run gives up to fit into memory. Nothing of it changes the picture. No torch in this header.
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

  bool operator==(const MemoryPlan&) const = default;
};

/// "4 cuts at a time, the UNet's activations computed twice"; empty for the plan that gives up nothing.
inline std::string plan_text(const MemoryPlan& plan) {
  std::string text;
  if (plan.cuts_at_once > 0)
    text = std::to_string(plan.cuts_at_once) + (plan.cuts_at_once == 1 ? " cut at a time" : " cuts at a time");
  if (plan.recompute) text += std::string(text.empty() ? "" : ", ") + "the UNet's activations computed twice";
  return text;
}

}  // namespace disco
