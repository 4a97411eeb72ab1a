#include "kernels/recordings.h"

#include <ATen/ATen.h>

#include <sstream>
#include <utility>

#include "core/part_clock.h"
#include "kernels/choice.h"

namespace disco {

std::vector<at::Tensor> Recordings::run(const std::string& name, const std::vector<at::Tensor>& inputs,
                                        const Recordable& work) {
  if (!gpu() || !inputs.front().is_cuda() || chosen_kernels() == Kernels::plain) return work(inputs);
  std::ostringstream key;
  key << name;
  for (const at::Tensor& input : inputs) key << ' ' << input.sizes();
  auto found = entries_.find(key.str());
  if (found == entries_.end()) found = entries_.emplace(key.str(), record(name, inputs, work)).first;
  const Entry& entry = found->second;
  if (!entry.recorded) return work(inputs);
  count_flops(entry.flops);
  return entry.recorded->replay(inputs);
}

Recordings::Entry Recordings::record(const std::string& name, const std::vector<at::Tensor>& inputs,
                                     const Recordable& work) {
  Entry entry;
  PartClock counting;
  PartClock* const before = std::exchange(PartClock::current(), nullptr);
  try {
    entry.recorded = gpu()->record(inputs, [&](const std::vector<at::Tensor>& given) {
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

}  // namespace disco
