#include "bench/examiner.h"

#include <fmt/format.h>

#include "core/error.h"

namespace disco {

Examiner::Examiner(const BenchRequest& request, BenchEvents& events)
    : request_(request),
      events_(events),
      store_(request.engine.model_folders),
      judge_(load_judge(store_.require(request.judge, "judge").weights)),
      engine_(disco_create_engine(DISCO_VERSION, request.engine)) {
  const std::vector<EvaluationPrompt> all = evaluation_prompts();
  const int total = static_cast<int>(all.size());
  if (request.prompts < 1 || request.prompts > total) {
    throw RequestError(fmt::format("there are 1 to {} prompts", total), "prompts");
  }
  for (int k = 0; k < request.prompts; ++k) {
    numbers_.push_back(k * total / request.prompts);
    prompts_.push_back(all[static_cast<std::size_t>(numbers_.back())]);
  }
  if (request.shares < 1 || request.share < 0 || request.share >= request.shares) {
    throw RequestError("a share is one of 1/N to N/N", "share");
  }
}

std::vector<Picture> Examiner::draw(const DrawnPictures& drawn, const std::string& of) {
  std::vector<Picture> pictures;
  const int count = request_.prompts;
  for (int k = request_.share; k < count; k += request_.shares) {
    const auto at = static_cast<std::size_t>(k);
    pictures.push_back(drawn.get(*engine_, prompts_[at].text, numbers_[at], request_.interrupt));
    events_.drawn(of, k + 1, count);
  }
  return pictures;
}

}  // namespace disco
