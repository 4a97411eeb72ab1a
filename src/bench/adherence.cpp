#include "bench/adherence.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>

#include "bench/examiner.h"
#include "core/file.h"
#include "run/contact_sheet.h"
#include "tensor/picture_tensor.h"

namespace disco {
namespace {

class Measurement {
 public:
  Measurement(const AdherenceRequest& request, BenchEvents& events) : request_(request), examiner_(request, events) {}

  AdherenceResult run() {
    AdherenceResult result;
    const std::vector<AdherenceArm> arms = adherence_arms(request_);
    std::vector<DrawnPictures> drawn;  // All folders are looked at before the first picture is drawn.
    for (const AdherenceArm& arm : arms) drawn.emplace_back(request_.out / file_spelling(arm.name), arm.settings);
    for (std::size_t i = 0; i < arms.size(); ++i) {
      if (request_.shares > 1) {
        examiner_.draw(drawn[i], arms[i].name);
        continue;
      }
      result.arms.push_back(measure(arms[i].name, drawn[i]));
      write_file(request_.out / "adherence.json", to_json(result).dump(1) + "\n");
    }
    return result;
  }

 private:
  AdherenceResult::Arm measure(const std::string& name, const DrawnPictures& drawn) {
    const std::vector<Picture> pictures = examiner_.draw(drawn, name);
    std::vector<std::string> labels;
    for (std::size_t k = 1; k <= pictures.size(); ++k) labels.push_back(std::to_string(k));
    const std::vector<AdherencePicture> judged = looked_at(pictures);
    AdherenceResult::Arm measured{name, scores(judged), judged, request_.out / (file_spelling(name) + ".png")};
    write_picture(measured.sheet, contact_sheet(pictures, labels, bench_cell));
    return measured;
  }

  std::vector<AdherencePicture> looked_at(const std::vector<Picture>& pictures) const {
    const at::NoGradGuard no_gradient;
    std::vector<AdherencePicture> result;
    for (std::size_t k = 0; k < pictures.size(); ++k) {
      const EvaluationPrompt& prompt = examiner_.prompts()[k];
      const Verdict verdict = examiner_.judge(to_tensor(pictures[k]));
      AdherencePicture& picture = result.emplace_back(AdherencePicture{prompt.text, {}, {}});
      for (std::size_t i = 0; i < verdict.parts.size(); ++i) {
        const Attribute& attribute = judged_attributes()[i];
        picture.asked.push_back(attribute.value_name(attribute.of(prompt.scene)));
        picture.seen.push_back(attribute.value_name(verdict.parts[i].value));
      }
    }
    return result;
  }

  static std::vector<AdherenceScore> scores(const std::vector<AdherencePicture>& pictures) {
    std::vector<AdherenceScore> result;
    for (const Attribute& attribute : judged_attributes()) {
      const std::size_t i = result.size();
      AdherenceScore& score = result.emplace_back(AdherenceScore{attribute.name});
      std::map<std::string, int> asked;
      for (const AdherencePicture& picture : pictures) {
        score.right += picture.seen[i] == picture.asked[i] ? 1 : 0;
        score.asked += 1;
        asked[picture.asked[i]] += 1;
      }
      int commonest = 0;
      for (const auto& [value, count] : asked) commonest = std::max(commonest, count);
      score.chance = static_cast<double>(commonest) / score.asked;
    }
    return result;
  }

  const AdherenceRequest& request_;
  Examiner examiner_;
};

}  // namespace

std::vector<AdherenceArm> adherence_arms(const AdherenceRequest& request) {
  std::vector<AdherenceArm> arms = {{"guided", request.settings}, {"unguided", request.settings}};
  arms[1].settings.clip_guidance_scale = 0;
  if (request.each_clip && request.settings.clip_models.size() > 1) {
    for (const ClipChoice& clip : request.settings.clip_models) {
      arms.push_back({clip.name + " alone", request.settings});
      arms.back().settings.clip_models = {clip};
    }
  }
  return arms;
}

AdherenceResult measure_adherence(const AdherenceRequest& request, BenchEvents& events) {
  return Measurement(request, events).run();
}

nlohmann::ordered_json to_json(const AdherenceResult& result) {
  nlohmann::ordered_json arms = nlohmann::ordered_json::array();
  for (const AdherenceResult::Arm& arm : result.arms) {
    nlohmann::ordered_json scores = nlohmann::ordered_json::object();
    for (const AdherenceScore& score : arm.scores) {
      scores[score.attribute] = {{"right", score.right}, {"asked", score.asked}, {"chance", score.chance}};
    }
    nlohmann::ordered_json pictures = nlohmann::ordered_json::array();
    for (const AdherencePicture& picture : arm.pictures) {
      nlohmann::ordered_json json = {{"prompt", picture.prompt}};
      for (std::size_t i = 0; i < picture.asked.size(); ++i) {
        json[arm.scores[i].attribute] = {{"asked", picture.asked[i]}, {"seen", picture.seen[i]}};
      }
      pictures.push_back(std::move(json));
    }
    arms.push_back(
        {{"name", arm.name}, {"scores", scores}, {"pictures", pictures}, {"sheet", arm.sheet.filename().string()}});
  }
  return {{"arms", arms}};
}

}  // namespace disco

extern "C" void disco_measure_adherence(const disco::AdherenceRequest& request, disco::BenchEvents& events,
                                        disco::AdherenceResult& result) {
  result = disco::measure_adherence(request, events);
}
