// Gradient checkpointing: a block's activations are forgotten and computed again for its gradient.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

namespace disco {

/// A block of a network as a function of its inputs, which it may let go as soon as it has used them. What else it uses
/// must outlive the graph, and wants no gradient.
using BlockFunction = std::function<at::Tensor(std::vector<at::Tensor> inputs)>;

/// block(inputs), to the same bits, with the same gradients by the inputs; of the graph only the inputs are kept until
/// then. Takes the time of the block once more (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost").
at::Tensor recomputed(const BlockFunction& block, std::vector<at::Tensor> inputs);

}  // namespace disco
