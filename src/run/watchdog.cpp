#include "run/watchdog.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

namespace disco {
namespace {

constexpr double lost_deviation = 0.02, had_deviation = 0.1;
constexpr double jump_least = 0.35, jump_factor = 6;
constexpr std::size_t jump_window = 8;
constexpr double extreme_value = 0.98, few_extremes = 0.4, many_extremes = 0.85;
constexpr double most_push = 1;

struct Look {
  double deviation, change, extremes;
};

Look look_at(const at::Tensor& x0, const at::Tensor& previous) {
  const at::Tensor change = previous.defined() ? (x0 - previous).abs().mean() : at::zeros({}, x0.options());
  // Read together: each reading waits for the device.
  const at::Tensor numbers =
      at::stack({x0.std(), change, x0.abs().ge(extreme_value).to(at::kFloat).mean()}).to(at::kCPU, at::kDouble);
  return {numbers[0].item<double>(), numbers[1].item<double>(), numbers[2].item<double>()};
}

double median_of_last(const std::vector<double>& values, std::size_t count) {
  std::vector<double> last(values.end() - static_cast<std::ptrdiff_t>(std::min(count, values.size())), values.end());
  std::nth_element(last.begin(), last.begin() + static_cast<std::ptrdiff_t>(last.size() / 2), last.end());
  return last[last.size() / 2];
}

at::Tensor finite(const at::Tensor& x) { return at::isfinite(x).all(); }

}  // namespace

std::optional<std::string> Watchdog::judge(const WatchedStep& step) const {
  if (!finite(step.x).logical_and(finite(step.x0)).item<bool>()) return "the picture holds numbers that are not finite";
  if (step.push > most_push) return fmt::format("the guidance moved the picture by {:.1f} times its size", step.push);
  if (memory_.deviations.empty()) return std::nullopt;
  const Look look = look_at(step.x0, step.previous_x0);
  if (look.deviation < lost_deviation && memory_.deviations.back() > had_deviation) {
    return fmt::format("the picture fell to a single colour (deviation {:.3f}, was {:.3f})", look.deviation,
                       memory_.deviations.back());
  }
  // The first changes are large by nature: a jump is only one against several steps before it.
  if (memory_.changes.size() > jump_window && look.change > jump_least) {
    const double usual = median_of_last(memory_.changes, jump_window);
    if (look.change > jump_factor * usual) {
      return fmt::format("the picture jumped (change {:.2f}, usually {:.2f})", look.change, usual);
    }
  }
  if (look.extremes > many_extremes && memory_.extremes.back() < few_extremes) {
    return fmt::format("the picture posterised ({:.0f} % of it at the extremes, was {:.0f} %)", 100 * look.extremes,
                       100 * memory_.extremes.back());
  }
  return std::nullopt;
}

void Watchdog::accept(const at::Tensor& x0, const at::Tensor& previous_x0) {
  const Look look = look_at(x0, previous_x0);
  memory_.deviations.push_back(look.deviation);
  memory_.changes.push_back(look.change);
  memory_.extremes.push_back(look.extremes);
}

}  // namespace disco
