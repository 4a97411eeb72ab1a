// A small unconditional UNet on ADM's linear schedule: v prediction (Salimans & Ho 2022) or epsilon prediction, without
// or with a learned variance (Nichol & Dhariwal 2021).
#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/error.h"
#include "core/file.h"
#include "diffusion/noise_schedule.h"
#include "models/unet.h"
#include "tensor/picture_tensor.h"
#include "tensor/random.h"
#include "train/batches.h"
#include "train/device_of.h"
#include "train/noising.h"
#include "train/task.h"
#include "train/variational.h"

namespace disco {
namespace {

constexpr double diffusion_steps = 1000;
/// λ of L_hybrid = L_simple + λ·L_vlb (Nichol & Dhariwal 2021, eq. 16).
constexpr double bound_weight = 0.001;

class DiffusionTask final : public Task {
 public:
  explicit DiffusionTask(const TrainRequest& request) : request_(request) {
    nlohmann::json sizes = {{"image_size", request.picture_size},
                            {"num_channels", 64},
                            {"num_res_blocks", 1},
                            {"num_head_channels", 32},
                            {"learn_sigma", false},
                            {"channel_mult", {1, 1, 2, 4}},
                            {"attention_resolutions", "8,4"},
                            {"patch", 2},
                            {"prediction", "v"},
                            {"use_scale_shift_norm", true},
                            {"resblock_updown", false}};
    sizes.update(request.config);
    config_ = UNetConfig::from_json(sizes);
    if (config_.class_count != 0) throw RequestError("only unconditional networks are trained", "config");
  }

  StateDict initial() const override { return initial_unet(config_, request_.seed); }
  nlohmann::json config() const override { return config_.to_json(); }
  /// As found by trial at 64 pixels (docs/training.md): the secondary model and the community's CLIP models know
  /// nothing of the painted world, and one batch of 16 cuts of so small a picture is plenty.
  nlohmann::json recommended() const override {
    return {{"width", request_.picture_size},
            {"height", request_.picture_size},
            {"steps", 50},
            {"skip_steps", 0},
            {"use_secondary_model", false},
            {"clip_models", {"pocket-clip", "pocket-clip-resnet"}},
            {"upscaler", "pocket-upscaler"},
            {"clip_guidance_scale", 3000},
            {"clamp_max", 0.15},
            {"cutn_batches", 1},
            {"cut_overview", 8},
            {"cut_innercut", 8},
            {"cut_ic_pow", 1},
            {"cut_icgray_p", 0.1},
            {"eta", 0.8},
            {"init_scale", 0}};
  }

  void start(const StateDict& tensors, std::int64_t first) override {
    unet_.emplace(config_, tensors);
    batches_ = pictures_ahead(request_, first, request_.batch, request_.picture_size, 8);
  }

  at::Tensor loss(std::int64_t step) override {
    RandomStream draws(step_seed(request_.seed, step));
    const at::Tensor x0 = to_signed(batches_->take().to(device_of(*unet_)));
    const Noised noised = add_random_noise(x0, 1000, draws);
    const at::Tensor output = unet_->forward(noised.x, noised.t), said = output.narrow(1, 0, 3);
    const at::Tensor truth =
        config_.prediction == "v" ? noised.v : noised.sigma * noised.x + noised.alpha * noised.v;  // = ε
    const at::Tensor simple = at::mse_loss(said, truth);
    return config_.learn_sigma ? simple + bound_weight * bound(x0, noised, output) : simple;
  }

  std::string look(const StateDict& tensors, std::int64_t step) const override {
    constexpr std::int64_t columns = 6, rows = 4;
    const UNet unet(config_, tensors);
    RandomStream draws(request_.seed);
    const at::Tensor noise = draws.randn({columns * rows, 3, request_.picture_size, request_.picture_size});
    const at::Tensor pictures = sample_pictures(unet, noise.to(device_of(unet)), 25);
    const fs::path path = request_.run_folder / fmt::format("samples-{:06}.png", step);
    write_picture(path, to_picture(contact_sheet(pictures, columns)));
    return "samples: " + path.string();
  }

 private:
  /// L_vlb as its terms at the batch's times estimate it, from a mean that it does not move (Nichol & Dhariwal 2021,
  /// section 3.1): only the variance learns from it.
  at::Tensor bound(const at::Tensor& x0, const Noised& noised, const at::Tensor& output) const {
    const at::Tensor v = v_of_output(*unet_, output.narrow(1, 0, 3).detach(), noised.x, noised.alpha, noised.sigma);
    const at::Tensor predicted = noised.alpha * noised.x - noised.sigma * v;
    return diffusion_steps * bound_terms(x0, noised.x, noised.t, predicted, output.narrow(1, 3, 3)).mean();
  }

  TrainRequest request_;
  UNetConfig config_;
  std::optional<UNet> unet_;
  std::unique_ptr<Ahead<at::Tensor>> batches_;
};

}  // namespace

std::unique_ptr<Task> diffusion_task(const TrainRequest& request) { return std::make_unique<DiffusionTask>(request); }

}  // namespace disco
