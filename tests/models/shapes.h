// Names and shapes without numbers, for questions about configurations.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>
#include <vector>

#include "models/weights/state_dict.h"

namespace disco {

using Shapes = std::map<std::string, std::vector<std::int64_t>>;

inline Shapes shapes_of(const std::vector<TensorInfo>& manifest) {
  Shapes shapes;
  for (const TensorInfo& info : manifest) shapes[info.name] = info.shape;
  return shapes;
}

/// Tensors without storage.
inline StateDict shapeless(const Shapes& shapes) {
  StateDict tensors;
  for (const auto& [name, shape] : shapes) tensors[name] = at::empty(shape, at::TensorOptions().device(at::kMeta));
  return tensors;
}

}  // namespace disco
