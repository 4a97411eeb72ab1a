#include "settings/coverage.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <utility>

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

constexpr int draws = 24;

/// The sizes of inner cuts for equally likely values of rand.
std::array<double, draws> cut_sizes(const Settings& settings, int cut_size, double ic_pow) {
  const CutRange range = cut_range(settings, cut_size);
  std::array<double, draws> sizes{};
  for (int k = 0; k < draws; ++k) {
    const double rand = (k + 0.5) / draws;
    sizes[static_cast<std::size_t>(k)] =
        std::floor(std::pow(rand, ic_pow) * (range.largest - range.smallest) + range.smallest);
  }
  return sizes;
}

/// For each size, the chance that a cut covers the point at `share` of a side of `length`, along that side.
std::array<double, draws> axis_coverages(const std::array<double, draws>& sizes, std::int64_t length, double share) {
  const auto side = static_cast<double>(length);
  std::array<double, draws> chances{};
  for (std::size_t k = 0; k < draws; ++k) chances[k] = axis_coverage(side, sizes[k], std::floor(share * (side - 1)));
  return chances;
}

double mean_product(const std::array<double, draws>& a, const std::array<double, draws>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0) / draws;
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
  const std::array<double, draws> sizes = cut_sizes(settings, cut_size, ic_pow);
  const double chance =
      mean_product(axis_coverages(sizes, settings.drawn_width(), x), axis_coverages(sizes, settings.drawn_height(), y));
  return 1 - std::pow(1 - chance, cuts);
}

InnerCoverage::InnerCoverage(const Settings& settings, int entry) {
  constexpr std::size_t points = 24;  // A quarter of the picture is enough: the rest is its mirror image.
  const double cuts = std::floor(settings.cut_innercut.at(entry));
  unseen_.assign(points * points, 1.0);
  for (const ClipChoice& clip : settings.clip_models) {
    if (clip.weight.at(entry) == 0) continue;
    const std::array<double, draws> sizes =
        cut_sizes(settings, clip_input_size(clip.name), settings.cut_ic_pow.at(entry));
    std::array<std::array<double, draws>, points> columns{}, rows{};
    for (std::size_t i = 0; i < points; ++i) {
      const double share = (static_cast<double>(i) + 0.5) / (2 * points);
      columns[i] = axis_coverages(sizes, settings.drawn_width(), share);
      rows[i] = axis_coverages(sizes, settings.drawn_height(), share);
    }
    for (std::size_t i = 0; i < points * points; ++i) {
      unseen_[i] *= std::pow(1 - mean_product(columns[i / points], rows[i % points]), cuts);
    }
  }
}

double InnerCoverage::share(double cutn_batches) const {
  double missed = 0;
  for (const double unseen : unseen_) missed += std::pow(unseen, cutn_batches);
  return 1 - missed / static_cast<double>(unseen_.size());
}

}  // namespace disco
