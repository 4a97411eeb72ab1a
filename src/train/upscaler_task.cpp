// A small upscaler, trained on crops of pictures that were reduced and made worse as diffusion models leave them.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/file.h"
#include "models/upscaler.h"
#include "tensor/picture_tensor.h"
#include "tensor/random.h"
#include "train/batches.h"
#include "train/degrade.h"
#include "train/device_of.h"
#include "train/noising.h"
#include "train/task.h"
#include "train/unseen.h"

namespace disco {
namespace {

/// Side of a crop before enlargement.
constexpr std::int64_t largest_crop = 32;
/// Painting a picture costs more than learning from a crop of it.
constexpr std::int64_t crops_of_each = 2;
/// Of the differences between neighbours, beside those of the pixels themselves.
constexpr double edge_weight = 0.5;

UpscalerConfig config_from(const nlohmann::json& given) {
  UpscalerConfig config;
  for (const auto& [key, value] : given.items()) {
    const auto read = [&, &name = key, &number = value](std::int64_t& field, std::int64_t least, std::int64_t most) {
      if (!number.is_number_integer() || number < least || number > most) {
        throw RequestError(fmt::format("it must be {} to {}", least, most), "config." + name);
      }
      field = number.get<std::int64_t>();
    };
    if (key == "width") {
      read(config.width, 4, 512);
    } else if (key == "blocks") {
      read(config.blocks, 1, 64);
    } else if (key == "factor") {
      read(config.factor, 2, 4);
    } else {
      throw RequestError("an upscaler has no such size: " + key, "config", "give width, blocks or factor");
    }
  }
  return config;
}

/// mean sqrt(x² + ε²) (Charbonnier 1994): L1 with a round bottom.
at::Tensor charbonnier(const at::Tensor& x) { return (x.square() + 1e-6).sqrt().mean(); }

at::Tensor right_differences(const at::Tensor& x) { return x.slice(3, 1) - x.slice(3, 0, -1); }
at::Tensor down_differences(const at::Tensor& x) { return x.slice(2, 1) - x.slice(2, 0, -1); }

/// Decibels of two pictures in [-1,1].
double psnr(const at::Tensor& a, const at::Tensor& b) {
  return 10 * std::log10(4 / at::mse_loss(a.clamp(-1, 1), b).item<double>());
}

class UpscalerTask final : public Task {
 public:
  explicit UpscalerTask(const TrainRequest& request) : request_(request), config_(config_from(request.config)) {}

  StateDict initial() const override { return initial_upscaler(config_, request_.seed); }
  nlohmann::json config() const override {
    return {{"width", config_.width}, {"blocks", config_.blocks}, {"factor", config_.factor}};
  }

  void start(const StateDict& tensors, std::int64_t first) override {
    upscaler_.emplace(tensors);
    batches_ = pictures_ahead(request_, first, pictures_of_a_step(), large_side(), 4);
  }

  at::Tensor loss(std::int64_t step) override {
    RandomStream draws(step_seed(request_.seed, step));
    const at::Tensor truth = to_signed(crops(batches_->take(), draws).to(device_of(*upscaler_)));
    const at::Tensor y = upscaler_->forward(degraded(reduced(truth), draws));
    const at::Tensor off = y - truth;
    return charbonnier(off) + edge_weight * (charbonnier(right_differences(off)) + charbonnier(down_differences(off)));
  }

  std::string look(const StateDict& tensors, std::int64_t step) const override {
    constexpr std::int64_t shown = 6, judged = 12;
    const Upscaler upscaler(tensors);
    const at::Tensor pictures = picture_source(request_)->batch(first_unseen, judged, large_side()).pictures;
    const at::Tensor truth = to_signed(pictures.to(device_of(upscaler)));
    RandomStream draws(request_.seed);
    const at::Tensor clean = reduced(truth), worse = degraded(clean, draws);
    const auto line = [&](const char* name, const at::Tensor& small, const at::Tensor& large) {
      return fmt::format("{} {:.2f} dB (bicubic {:.2f})", name, psnr(large, truth),
                         psnr(Upscaler::bicubic(small, config_.factor), truth));
    };
    const at::Tensor from_clean = upscaler.forward(clean), from_worse = upscaler.forward(worse);
    std::vector<at::Tensor> cells;
    const auto add_row = [&](const at::Tensor& small, const at::Tensor& large, std::int64_t k) {
      cells.push_back(at::upsample_nearest2d(small.narrow(0, k, 1), {large_side(), large_side()}));
      cells.push_back(large.narrow(0, k, 1));
      cells.push_back(truth.narrow(0, k, 1));
    };
    for (std::int64_t k = 0; k < shown; ++k) {
      k % 2 == 0 ? add_row(clean, from_clean, k) : add_row(worse, from_worse, k);
    }
    const fs::path path = request_.run_folder / fmt::format("enlarged-{:06}.png", step);
    write_picture(path, to_picture(contact_sheet(at::cat(cells), 3)));
    return fmt::format("{}; {}; {}", line("clean", clean, from_clean), line("degraded", worse, from_worse),
                       path.string());
  }

 private:
  int large_side() const { return static_cast<int>(request_.picture_size * config_.factor); }
  std::int64_t pictures_of_a_step() const { return (request_.batch + crops_of_each - 1) / crops_of_each; }
  at::Tensor reduced(const at::Tensor& pictures) const { return at::avg_pool2d(pictures, config_.factor); }

  /// (batch,3,side,side) of (pictures_of_a_step,3,H,H).
  at::Tensor crops(const at::Tensor& pictures, RandomStream& draws) const {
    const std::int64_t side = std::min(largest_crop, request_.picture_size) * config_.factor;
    const std::int64_t room = pictures.size(2) - side + 1;
    std::vector<at::Tensor> cut;
    for (std::int64_t k = 0; k < request_.batch; ++k) {
      const std::int64_t top = draws.randint(0, room), left = draws.randint(0, room);
      at::Tensor crop = pictures[k / crops_of_each].narrow(1, top, side).narrow(2, left, side);
      cut.push_back(draws.rand() < 0.5 ? crop.flip({2}) : crop);
    }
    return at::stack(cut);
  }

  TrainRequest request_;
  UpscalerConfig config_;
  std::optional<Upscaler> upscaler_;
  std::unique_ptr<Ahead<at::Tensor>> batches_;
};

}  // namespace

std::unique_ptr<Task> upscaler_task(const TrainRequest& request) { return std::make_unique<UpscalerTask>(request); }

}  // namespace disco
