#include "settings/coverage.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

namespace disco {
namespace {

struct CutRange {
  double smallest, largest;
};

CutRange cut_range(const Settings& settings, int cut_size) {
  const auto side = static_cast<double>(std::min(settings.drawn_width(), settings.drawn_height()));
  return {std::min(side, static_cast<double>(cut_size)), side};
}

/// The share of the possible offsets of a cut of `size` pixels, along a side of `length`, that cover pixel `at`.
double axis_coverage(double length, double size, double at) {
  const double first = std::max(0.0, at - size + 1), last = std::min(at, length - size);
  return std::max(0.0, last - first + 1) / (length - size + 1);
}

/// The chance that a single inner cut covers the point, averaged over equally likely values of rand.
double single_cut_coverage(const Settings& settings, CutRange range, double ic_pow, double x, double y) {
  constexpr int draws = 24;
  const auto width = static_cast<double>(settings.drawn_width()), height = static_cast<double>(settings.drawn_height());
  const double column = std::floor(x * (width - 1)), row = std::floor(y * (height - 1));
  double sum = 0;
  for (int k = 0; k < draws; ++k) {
    const double rand = (k + 0.5) / draws;
    const double size = std::floor(std::pow(rand, ic_pow) * (range.largest - range.smallest) + range.smallest);
    sum += axis_coverage(width, size, column) * axis_coverage(height, size, row);
  }
  return sum / draws;
}

}  // namespace

int clip_input_size(std::string_view name) {
  // ResNets before their longer names, "RN50x16" before "RN50".
  static constexpr std::array<std::pair<std::string_view, int>, 5> sizes = {
      {{"336", 336}, {"RN50x64", 448}, {"RN50x16", 384}, {"RN50x4", 288}, {"plus-240", 240}}};
  for (const auto& [part, size] : sizes) {
    if (name.find(part) != std::string_view::npos) return size;
  }
  return 224;
}

double expected_inner_size(const Settings& settings, int cut_size, double ic_pow) {
  const CutRange range = cut_range(settings, cut_size);
  return range.smallest + (range.largest - range.smallest) / (ic_pow + 1);
}

double inner_point_coverage(const Settings& settings, int cut_size, double ic_pow, double cuts, double x, double y) {
  return 1 - std::pow(1 - single_cut_coverage(settings, cut_range(settings, cut_size), ic_pow, x, y), cuts);
}

double inner_coverage(const Settings& settings, int entry, double cutn_batches) {
  constexpr int points = 24;  // A quarter of the picture is enough: the rest is its mirror image.
  const double cuts = std::floor(settings.cut_innercut.at(entry)) * cutn_batches;
  if (cuts <= 0) return 0;
  std::vector<int> cut_sizes;
  for (const ClipChoice& clip : settings.clip_models) {
    if (clip.weight.at(entry) != 0) cut_sizes.push_back(clip_input_size(clip.name));
  }
  const double ic_pow = settings.cut_ic_pow.at(entry);
  double missed = 0;
  for (int i = 0; i < points; ++i) {
    for (int j = 0; j < points; ++j) {
      double unseen = 1;
      for (const int cut_size : cut_sizes) {
        const double x = (i + 0.5) / (2 * points), y = (j + 0.5) / (2 * points);
        unseen *= 1 - inner_point_coverage(settings, cut_size, ic_pow, cuts, x, y);
      }
      missed += unseen;
    }
  }
  return 1 - missed / (points * points);
}

}  // namespace disco
