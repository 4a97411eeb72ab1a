// How much of the picture the inner cuts see: geometry of the overview + inner cutout maker.
#pragma once

#include <string_view>
#include <vector>

#include "settings/settings.h"

namespace disco {

/// The side of a CLIP model's input in pixels, from its name; 224 where the name says nothing else.
int clip_input_size(std::string_view name);

/// The expected side in pixels of an inner cut: min + (max − min)/(ic_pow + 1), where max is the picture's shorter
/// side and min the smaller of that and the cut size (size = rand^ic_pow·(max − min) + min).
double expected_inner_size(const Settings& settings, int cut_size, double ic_pow);

/// The chance, 0 … 1, that at least one of `cuts` inner cuts of a model with inputs of `cut_size` pixels covers a
/// point. x and y are shares of the width and height. Cuts lie anywhere within the picture with equal chance, so points
/// near the border are covered less often.
double inner_point_coverage(const Settings& settings, int cut_size, double ic_pow, double cuts, double x, double y);

/// How much of the picture the inner cuts of one step see at a schedule entry, all models together.
class InnerCoverage {
 public:
  InnerCoverage(const Settings& settings, int entry);

  /// The expected share, 0 … 1, of the picture that lies in at least one inner cut, with `cutn_batches` batches.
  double share(double cutn_batches) const;

 private:
  std::vector<double> unseen_;  ///< For points of a quarter of the picture: the chance that one batch misses the point.
};

}  // namespace disco
