// Draws the prompts that models are judged by, and asks the judge.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/drawn_pictures.h"
#include "bench/request.h"
#include "models/store.h"
#include "train/judge.h"
#include "train/world/evaluation.h"

namespace disco {

class Examiner {
 public:
  /// Both outlive it. Throws RequestError for a judge that is not there, or a number of prompts that there are not.
  Examiner(const BenchRequest& request, BenchEvents& events);

  /// A picture of each prompt, or of each in the request's share; those that `drawn` has already are not drawn again.
  /// `of` is what the events say.
  std::vector<Picture> draw(const DrawnPictures& drawn, const std::string& of);
  /// What the judge sees in a picture (1,3,H,W) in [-1,1].
  Verdict judge(const at::Tensor& picture) const { return judge_.judge(picture).front(); }

  const std::vector<EvaluationPrompt>& prompts() const { return prompts_; }
  const ModelStore& store() const { return store_; }

 private:
  const BenchRequest& request_;
  BenchEvents& events_;
  ModelStore store_;
  Judge judge_;
  std::unique_ptr<Engine> engine_;
  std::vector<EvaluationPrompt> prompts_;  ///< Spread evenly over evaluation_prompts().
  std::vector<int> numbers_;               ///< Theirs among these: of their pictures, too.
};

/// Width of a picture on the sheets of measurements, in pixels.
constexpr int bench_cell = 128;

}  // namespace disco
