// Whether the program's own kernels are used, or LibTorch's operators everywhere.
#pragma once

#include <string>

namespace disco {

enum class Kernels {
  fast,   ///< Our own where they apply.
  plain,  ///< Each kernel's plain twin: LibTorch's operators.
};

/// For the whole process, from the next operator on. Not to be called while another thread computes.
void choose_kernels(Kernels kernels);
Kernels chosen_kernels();

/// "fast" or "plain". Throws RequestError for anything else.
Kernels kernels_by_name(const std::string& name);

}  // namespace disco
