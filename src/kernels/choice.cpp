#include "kernels/choice.h"

#include <fmt/format.h>

#include <atomic>

#include "core/error.h"

namespace disco {
namespace {

std::atomic<Kernels> chosen = Kernels::fast;

}  // namespace

void choose_kernels(Kernels kernels) { chosen = kernels; }
Kernels chosen_kernels() { return chosen; }

Kernels kernels_by_name(const std::string& name) {
  if (name == "fast") return Kernels::fast;
  if (name == "plain") return Kernels::plain;
  throw RequestError(fmt::format("there are no kernels \"{}\"", name), "--kernels", "use fast or plain");
}

}  // namespace disco
