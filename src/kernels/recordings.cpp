#include "kernels/recordings.h"

#include <ATen/ATen.h>

#include <sstream>
#include <utility>

#include "core/part_clock.h"
#include "kernels/choice.h"
#include "kernels/deterministic.h"

namespace disco {
namespace {

bool can_record(const std::vector<at::Tensor>& inputs) {
  return gpu() && inputs.front().is_cuda() && chosen_kernels() == Kernels::fast;
}

}  // namespace

template <class Graph, class Record>
const Recordings::Entry<Graph>& Recordings::entry(Entries<Graph>& entries, const std::string& name,
                                                  const std::vector<at::Tensor>& inputs, const Recordable& work,
                                                  const Record& record) {
  std::ostringstream key;
  key << name;
  for (const at::Tensor& input : inputs) key << ' ' << input.sizes();
  const auto [found, is_new] = entries.try_emplace(key.str());
  Entry<Graph>& entry = found->second;
  if (!is_new) return entry;
  PartClock counting;
  PartClock* const before = std::exchange(PartClock::current(), nullptr);
  try {
    entry.recorded = record([&](const std::vector<at::Tensor>& given) {
      counting.clear();
      PartClock::current() = &counting;
      std::vector<at::Tensor> results = work(given);
      PartClock::current() = nullptr;
      return results;
    });
    for (const auto& [part, cost] : counting.parts()) entry.flops += cost.flops;
  } catch (const std::exception& error) {
    const std::string reason = error.what();  // LibTorch's go on with the stack.
    failures_[name] = reason.substr(0, reason.find('\n'));
  }
  PartClock::current() = before;
  return entry;
}

std::vector<at::Tensor> Recordings::run(const std::string& name, const std::vector<at::Tensor>& inputs,
                                        const Recordable& work) {
  if (!can_record(inputs)) return work(inputs);
  const auto& found =
      entry(entries_, name, inputs, work, [&](const Recordable& counted) { return gpu()->record(inputs, counted); });
  if (!found.recorded) return work(inputs);
  count_flops(found.flops);
  return found.recorded->replay(inputs);
}

at::Tensor Recordings::run_with_gradient(const std::string& name, const std::vector<at::Tensor>& inputs,
                                         const Recordable& work) {
  if (!can_record(inputs)) return work(inputs)[0];
  const StrictlyDeterministic strict;  // The gradient is recorded along with the rest.
  const auto& found = entry(with_gradient_, name, inputs, work,
                            [&](const Recordable& counted) { return gpu()->record_with_gradient(inputs, counted); });
  if (!found.recorded) return work(inputs)[0];
  count_flops(found.flops);
  return found.recorded->replay(inputs);
}

}  // namespace disco
