// From what a checkpoint's pickle holds to a state dict's names.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "models/weights/pickle.h"

namespace disco::weights {

struct Unwrapped {
  std::map<std::string, std::uint32_t> tensors;  ///< Name → index into Pickle::tensors().
  std::map<std::string, std::string>
      metadata;  ///< Plain values on the way ("epoch": "32") and "unwrapped": "state_dict".
};

/// Finds the state dict in `root`: under "params_ema", "state_dict", "model" and the like, or a module object's
/// parameters and buffers (pickled or TorchScript). Nested names are joined by dots, and the "module." and "_orig_mod."
/// that wrappers put before every name are removed. Throws FormatError when there is no tensor, or too much nesting.
Unwrapped unwrap(const Pickle& pickle, Ref root);

/// The tensors of `found` as a layout, their storages numbered in order of use; `read` gives a storage's bytes by its
/// index in the pickle. Throws FormatError where the bytes are fewer than the tensors need.
Layout make_layout(const Pickle& pickle, Unwrapped found, const std::string& where, std::uint64_t file_size,
                   const std::function<Storage(std::uint32_t)>& read);

}  // namespace disco::weights
