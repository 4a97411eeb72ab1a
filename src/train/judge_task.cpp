// The judge, trained on the painter's own labels, with pictures changed so that shapes decide.
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/error.h"
#include "tensor/random.h"
#include "train/batches.h"
#include "train/decoys.h"
#include "train/degrade.h"
#include "train/device_noise.h"
#include "train/device_of.h"
#include "train/judge.h"
#include "train/task.h"
#include "train/unseen.h"
#include "train/views.h"

namespace disco {
namespace {

constexpr double label_smoothing = 0.1;
/// Of all pictures.
constexpr double decoy_share = 0.15;
/// Of a Gaussian blur, in pixels of the judge's; more leaves nothing to tell brush strokes from dots by.
constexpr double most_blur = 3, most_blur_for_detail = 1;
/// at::cross_entropy_loss() passes labels of this value over.
constexpr std::int64_t not_asked = -100;
/// Views from which shapes are learned: any colours.
constexpr ViewSettings recoloured = {
    .whole = 0.4, .smallest = 0.65, .turn = 12, .shift = 0.06, .grey = 0.2, .jitter = 0.3, .hue = 0.5, .noise = 0};
/// Views from which colours are learned, with which the hour and the palette stay what they are.
constexpr ViewSettings light = {
    .whole = 0.5, .smallest = 0.75, .turn = 6, .shift = 0.03, .grey = 0, .jitter = 0.05, .hue = 0.015, .noise = 0};

JudgeConfig config_from(const nlohmann::json& given) {
  JudgeConfig config;
  for (const auto& [key, value] : given.items()) {
    const auto read = [&, &name = key, &list = value](std::vector<std::int64_t>& field) {
      const auto good = [](const nlohmann::json& n) { return n.is_number_integer() && n >= 1 && n <= 1024; };
      if (!list.is_array() || list.empty() || list.size() > 4 || !std::ranges::all_of(list, good)) {
        throw RequestError("it must be a list of one to four numbers from 1 to 1024", "config." + name);
      }
      field = list.get<std::vector<std::int64_t>>();
    };
    if (key == "widths") {
      read(config.widths);
    } else if (key == "blocks") {
      read(config.blocks);
    } else {
      throw RequestError("a judge has no such size: " + key, "config", "give widths or blocks");
    }
  }
  if (config.widths.size() != config.blocks.size()) {
    throw RequestError("widths and blocks must have one number for each stage", "config");
  }
  return config;
}

/// Pictures in [-1,1], and the scenes that they are labelled with.
struct Exam {
  at::Tensor pictures;
  std::vector<Scene> scenes;
};

/// (N) of the attribute's values.
at::Tensor labels(const Attribute& attribute, std::span<const Scene> scenes) {
  std::vector<std::int64_t> values;
  for (const Scene& scene : scenes) values.push_back(attribute.of(scene));
  return at::tensor(values, at::kLong);
}

class JudgeTask final : public Task {
 public:
  explicit JudgeTask(const TrainRequest& request)
      : request_(request), config_(config_from(request.config)), source_(picture_source(request)) {
    if (source_->batch(0, 1, 16).scenes.empty()) {
      throw RequestError("the judge is trained on painted pictures alone", "role", "leave the folder of images out");
    }
  }

  StateDict initial() const override { return initial_judge(config_, request_.seed); }
  nlohmann::json config() const override {
    nlohmann::json values = nlohmann::json::object();
    for (const Attribute& attribute : judged_attributes()) {
      for (std::int64_t value = 0; value < attribute.count; ++value) {
        values[attribute.name].push_back(attribute.value_name(value));
      }
    }
    return {{"widths", config_.widths}, {"blocks", config_.blocks}, {"input_size", Judge::side}, {"values", values}};
  }

  void start(const StateDict& tensors, std::int64_t first) override {
    judge_.emplace(tensors);
    exams_ = batches_ahead<Exam>(request_, first, request_.batch, request_.picture_size, 4,
                                 [seed = request_.seed](const CaptionedBatch& batch, std::uint64_t index) {
                                   RandomStream draws(~step_seed(seed, static_cast<std::int64_t>(index)));
                                   return with_decoys(batch, draws);
                                 });
  }

  at::Tensor loss(std::int64_t step) override {
    const Exam exam = exams_->take();
    RandomStream draws(step_seed(request_.seed, step));
    // Every other half of the pictures, so that each has its share of the decoys.
    const std::int64_t n = exam.pictures.size(0), shapes = n / 2;
    const at::Tensor pictures = exam.pictures.to(device_of(*judge_)).add(1).div_(2);
    std::vector<at::Tensor> views;
    if (shapes > 0) views.push_back(random_views(pictures.narrow(0, 0, shapes), Judge::side, recoloured, draws));
    views.push_back(random_views(pictures.narrow(0, shapes, n - shapes), Judge::side, light, draws));
    const at::Tensor deviations = some_blur(n, draws);
    const at::Tensor shown = disturbed(at::cat(views).mul_(2).sub_(1), deviations, draws);
    const std::vector<at::Tensor> logits = judge_->logits(shown);
    at::Tensor sum = at::zeros({}, pictures.options());
    for (std::size_t i = 0; i < logits.size(); ++i) {
      const Attribute& attribute = judged_attributes()[i];
      const std::int64_t from = attribute.needs_colour ? shapes : 0;
      at::Tensor wanted = labels(attribute, exam.scenes);
      if (attribute.needs_detail) wanted.masked_fill_(deviations > most_blur_for_detail, not_asked);
      wanted = wanted.narrow(0, from, n - from);
      if ((wanted == not_asked).all().item<bool>()) continue;  // Their mean would be 0/0.
      sum = sum + at::cross_entropy_loss(logits[i].narrow(0, from, n - from), wanted.to(pictures.device()), {},
                                         at::Reduction::Mean, not_asked, label_smoothing);
    }
    return sum / static_cast<double>(logits.size());
  }

  std::string look(const StateDict& tensors, std::int64_t step) const override {
    constexpr std::int64_t count = 160;
    constexpr double blur = 2.5;
    const Judge judge(tensors);
    const CaptionedBatch batch = source_->batch(first_unseen, count, static_cast<int>(request_.picture_size));
    const at::Tensor clean = to_signed(batch.pictures);
    const double deviation = blur * static_cast<double>(request_.picture_size) / Judge::side;
    RandomStream draws(request_.seed);
    const std::vector<Verdict> of_decoys = judge.judge(decoys(batch.scenes, clean, draws));
    const auto taken_for_nothing = std::ranges::count_if(of_decoys, [](const Verdict& verdict) {
      return verdict.of("subject").value == static_cast<std::int64_t>(Subject::nothing);
    });
    std::vector<std::string> names;
    for (const Attribute& attribute : judged_attributes()) names.emplace_back(attribute.name);
    return fmt::format("right at step {} ({}): {}; blurred: {}; {:.0f} % of the blobs taken for nothing", step,
                       fmt::join(names, ", "), scores(judge, clean, batch.scenes),
                       scores(judge, blurred(clean, at::full({count}, deviation)), batch.scenes),
                       100.0 * static_cast<double>(taken_for_nothing) / count);
  }

 private:
  static Exam with_decoys(const CaptionedBatch& batch, RandomStream& draws) {
    Exam exam{to_signed(batch.pictures), batch.scenes};
    std::vector<std::int64_t> chosen;
    std::vector<Scene> scenes;
    for (std::size_t k = 0; k < exam.scenes.size(); ++k) {
      if (draws.rand() >= decoy_share || exam.scenes[k].subject == Subject::nothing) continue;
      chosen.push_back(static_cast<std::int64_t>(k));
      scenes.push_back(exam.scenes[k]);
      exam.scenes[k].subject = Subject::nothing;
    }
    if (chosen.empty()) return exam;
    const at::Tensor places = at::tensor(chosen, at::kLong);
    exam.pictures.index_copy_(0, places, decoys(scenes, exam.pictures.index_select(0, places), draws));
    return exam;
  }

  /// (n) deviations of a Gaussian, 0 for some.
  static at::Tensor some_blur(std::int64_t n, RandomStream& draws) {
    std::vector<double> deviations;
    for (std::int64_t k = 0; k < n; ++k) {
      const double amount = draws.uniform(0, most_blur);
      deviations.push_back(draws.rand() < 0.6 ? amount : 0);
    }
    return at::tensor(deviations, at::kFloat);
  }

  /// Views (N,3,S,S) in [-1,1], blurred, and some of them blotched, noisy, with a half or a patch of them gone. Only
  /// left and right halves go: the other one shows half of the subject, and sky and ground.
  static at::Tensor disturbed(at::Tensor views, const at::Tensor& deviations, RandomStream& draws) {
    const std::int64_t n = views.size(0), side = views.size(2);
    std::vector<double> noise;
    for (std::int64_t k = 0; k < n; ++k) noise.push_back(draws.uniform(0, 0.12));
    views = blurred(views, deviations.to(views.device()));
    const at::Tensor strength = at::tensor(noise, at::kFloat).view({-1, 1, 1, 1}).to(views.device());
    views = views + strength * (noise_on(views.device(), views.sizes(), draws) + smooth_noise(views, 3, 4, draws));
    for (std::int64_t k = 0; k < n; ++k) {
      const double kind = draws.rand();
      std::int64_t top = 0, left = 0, height = side, width = side / 2;
      if (kind < 0.12) {
        left = draws.rand() < 0.5 ? 0 : side - width;
      } else if (kind < 0.3) {
        height = draws.randint(side / 8, side / 3);
        width = draws.randint(side / 8, side / 3);
        top = draws.randint(0, side - height);
        left = draws.randint(0, side - width);
      } else {
        continue;
      }
      for (std::int64_t channel = 0; channel < 3; ++channel) {
        views[k][channel].narrow(0, top, height).narrow(1, left, width).fill_(draws.uniform(-1, 1));
      }
    }
    return views;
  }

  static std::string scores(const Judge& judge, const at::Tensor& pictures, std::span<const Scene> scenes) {
    const std::vector<Verdict> verdicts = judge.judge(pictures);
    std::vector<std::string> shares;
    for (std::size_t i = 0; i < judged_attributes().size(); ++i) {
      double right = 0;
      for (std::size_t k = 0; k < scenes.size(); ++k) {
        right += verdicts[k].parts[i].value == judged_attributes()[i].of(scenes[k]) ? 1 : 0;
      }
      shares.push_back(fmt::format("{:.0f}", 100 * right / static_cast<double>(scenes.size())));
    }
    return fmt::format("{} %", fmt::join(shares, " "));
  }

  TrainRequest request_;
  JudgeConfig config_;
  std::shared_ptr<const PictureSource> source_;
  std::optional<Judge> judge_;
  std::unique_ptr<Ahead<Exam>> exams_;
};

}  // namespace

std::unique_ptr<Task> judge_task(const TrainRequest& request) { return std::make_unique<JudgeTask>(request); }

}  // namespace disco
