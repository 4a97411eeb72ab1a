// The secondary model (Crowson 2021), small: it estimates the clean picture for the guidance in place of the UNet.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <numbers>

#include "core/error.h"
#include "core/file.h"
#include "models/secondary.h"
#include "tensor/picture_tensor.h"
#include "tensor/random.h"
#include "train/batches.h"
#include "train/device_of.h"
#include "train/noising.h"
#include "train/task.h"
#include "train/unseen.h"

namespace disco {
namespace {

constexpr std::int64_t default_width = 32;
constexpr std::int64_t side_multiple = 32;

std::int64_t width_from(const nlohmann::json& given) {
  std::int64_t width = default_width;
  for (const auto& [key, value] : given.items()) {
    if (key != "width") throw RequestError("a secondary model has no such size: " + key, "config", "give width");
    if (!value.is_number_integer() || value < 1 || value > 256)
      throw RequestError("it must be 1 to 256", "config.width");
    width = value.get<std::int64_t>();
  }
  return width;
}

/// t′ of each picture, as NoiseSchedule::secondary_time() gives it in a run.
at::Tensor secondary_time(const Noised& noised) {
  return at::atan2(noised.sigma, noised.alpha).flatten() * (2 / std::numbers::pi);
}

class SecondaryTask final : public Task {
 public:
  explicit SecondaryTask(const TrainRequest& request) : request_(request), width_(width_from(request.config)) {
    if (request.picture_size % side_multiple != 0) {
      throw RequestError("a secondary model takes pictures whose sides are multiples of 32", "picture_size");
    }
  }

  StateDict initial() const override { return initial_secondary(width_, request_.seed); }
  nlohmann::json config() const override { return {{"width", width_}}; }

  void start(const StateDict& tensors, std::int64_t first) override {
    model_.emplace(tensors);
    batches_ = pictures_ahead(request_, first, request_.batch, request_.picture_size, 8);
  }

  at::Tensor loss(std::int64_t step) override {
    RandomStream draws(step_seed(request_.seed, step));
    const Noised noised = add_random_noise(to_signed(batches_->take().to(device_of(*model_))), 1000, draws);
    return at::mse_loss(model_->forward(noised.x, secondary_time(noised)).v, noised.v);
  }

  std::string look(const StateDict& tensors, std::int64_t step) const override {
    constexpr std::int64_t count = 24, shown = 6;
    const SecondaryModel model(tensors);
    const at::Tensor pictures =
        picture_source(request_)->batch(first_unseen, count, static_cast<int>(request_.picture_size)).pictures;
    const at::Tensor x0 = to_signed(pictures.to(device_of(model)));
    std::vector<at::Tensor> rows = {x0.narrow(0, 0, shown)};
    std::string line = fmt::format("RMSE of the guess at step {}:", step);
    for (const double time : {100.0, 300.0, 500.0, 700.0}) {
      RandomStream draws(request_.seed);
      const Noised noised = add_noise_at(x0, time, draws);
      const at::Tensor guess = model.forward(noised.x, secondary_time(noised)).pred;
      line += fmt::format(" {:.3f} (t = {})", at::mse_loss(guess, x0).sqrt().item<double>(), time);
      rows.push_back(guess.narrow(0, 0, shown));
    }
    const fs::path path = request_.run_folder / fmt::format("guesses-{:06}.png", step);
    write_picture(path, to_picture(contact_sheet(at::cat(rows), shown)));
    return line + "; " + path.string();
  }

 private:
  TrainRequest request_;
  std::int64_t width_;
  std::optional<SecondaryModel> model_;
  std::unique_ptr<Ahead<at::Tensor>> batches_;
};

}  // namespace

std::unique_ptr<Task> secondary_task(const TrainRequest& request) { return std::make_unique<SecondaryTask>(request); }

}  // namespace disco
