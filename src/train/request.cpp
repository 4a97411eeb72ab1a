// What is asked of a training: completed with each role's own numbers, checked, and as JSON.
#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.h"
#include "train/task.h"

namespace disco {
namespace {

struct Role {
  const char* role;
  const char* name;
  std::int64_t batch;
  double learning_rate;
  std::int64_t side_multiple;  ///< What picture_size must be a multiple of.
  bool scenes_needed;          ///< Whether it can learn from painted pictures only.
};

/// A new role takes a row here, and one in train.cpp's make_task().
constexpr std::array<Role, 5> roles = {{
    {"diffusion", "pocket-diffusion", 16, 8e-4, 16, false},
    {"clip", "pocket-clip", 96, 6e-4, 16, false},
    {"secondary", "pocket-secondary", 16, 1e-3, 32, false},
    {"upscaler", "pocket-upscaler", 16, 1e-3, 16, false},
    {"judge", "pocket-judge", 64, 1e-3, 16, true},
}};

constexpr std::int64_t usual_side = 64;

void demand(bool good, const std::string& problem, const char* key) {
  if (!good) throw RequestError(problem, key);
}

void check_device(const TrainRequest& r) {
  const bool cuda = r.device == "cuda" ||
                    (r.device.starts_with("cuda:") && r.device.size() > 5 &&
                     std::all_of(r.device.begin() + 5, r.device.end(), [](char c) { return c >= '0' && c <= '9'; }));
  demand(cuda || r.device == "cpu", "the device is cpu or cuda", "device");
  if (!cuda) return;
  if (!at::hasCUDA()) {
    throw RequestError("this program has no CUDA, or there is no GPU", "device",
                       "leave --device out, or build with DISCO_CUDA");
  }
}

}  // namespace

TrainRequest completed(TrainRequest r) {
  const auto* role = std::find_if(roles.begin(), roles.end(), [&](const Role& known) { return known.role == r.role; });
  demand(role != roles.end(), "the role to train is diffusion, clip, secondary, upscaler, judge or pocket", "role");
  demand(!r.run_folder.empty(), "a training needs a folder for its checkpoint", "run_folder");
  if (r.name.empty()) r.name = role->name;
  if (r.batch == 0) r.batch = role->batch;
  if (r.picture_size == 0) r.picture_size = usual_side;
  if (r.learning_rate == 0) r.learning_rate = role->learning_rate;
  demand(r.name.find('/') == std::string::npos && !r.name.starts_with('.'),
         "a model's name has no slash and does not begin with a dot", "name");
  demand(r.steps >= 1, "steps must be 1 or more", "steps");
  demand(r.batch >= 1 && r.batch <= 4096, "the batch must be 1 to 4096", "batch");
  demand(r.accumulate >= 1 && r.accumulate <= 4096, "accumulate must be 1 to 4096", "accumulate");
  demand(r.learning_rate > 0 && r.learning_rate < 1, "the learning rate must be above 0 and below 1", "learning_rate");
  demand(r.decay >= 0 && r.decay <= 1, "decay is a share from 0 to 1", "decay");
  demand(r.ema >= 0 && r.ema < 1, "ema must be 0 or more and below 1", "ema");
  demand(r.guess_share >= 0 && r.guess_share <= 1, "guess_share is a share from 0 to 1", "guess_share");
  demand(r.variety >= 0 && r.variety <= 1, "variety is a share from 0 to 1", "variety");
  demand(r.styled >= 0 && r.styled <= 1, "styled is a share from 0 to 1", "styled");
  demand(r.coloured >= 0 && r.coloured <= 1, "coloured is a share from 0 to 1", "coloured");
  demand(r.near_misses >= 0 && r.near_misses <= 1, "near_misses is a share from 0 to 1", "near_misses");
  demand(r.painters >= 1 && r.painters <= 64, "painters must be 1 to 64", "painters");
  demand(r.reuse >= 1 && r.reuse <= 64, "reuse must be 1 to 64", "reuse");
  demand(r.reuse == 1 || r.data.empty(), "only painted pictures are reused: a folder's are read again at no cost",
         "reuse");
  demand(r.near_misses == 0 || r.data.empty(),
         "only painted pictures have near misses: nothing says what a folder's show", "near_misses");
  demand(r.precision == "float32" || r.precision == "bfloat16", "the precision is float32 or bfloat16", "precision");
  demand(
      r.picture_size >= 16 && r.picture_size <= 512 && r.picture_size % role->side_multiple == 0,
      fmt::format("the picture size must be a multiple of {} from {} to 512", role->side_multiple, role->side_multiple),
      "picture_size");
  demand(r.data.empty() || !role->scenes_needed,
         fmt::format("the {} model learns from painted pictures only: it must know what they show", r.role), "data");
  check_device(r);
  return r;
}

nlohmann::ordered_json to_json(const TrainRequest& r) {
  nlohmann::ordered_json folders = nlohmann::ordered_json::array();
  for (const std::filesystem::path& folder : r.model_folders) folders.push_back(folder.string());
  return {{"role", r.role},
          {"name", r.name},
          {"run_folder", r.run_folder.string()},
          {"export_folder", r.export_folder.string()},
          {"seed", r.seed},
          {"steps", r.steps},
          {"batch", r.batch},
          {"accumulate", r.accumulate},
          {"learning_rate", r.learning_rate},
          {"weight_decay", r.weight_decay},
          {"warmup", r.warmup},
          {"decay", r.decay},
          {"ema", r.ema},
          {"clip_gradient", r.clip_gradient},
          {"checkpoint_minutes", r.checkpoint_minutes},
          {"sheet_minutes", r.sheet_minutes},
          {"threads", r.threads},
          {"painters", r.painters},
          {"reuse", r.reuse},
          {"precision", r.precision},
          {"device", r.device},
          {"picture_size", r.picture_size},
          {"variety", r.variety},
          {"styled", r.styled},
          {"coloured", r.coloured},
          {"near_misses", r.near_misses},
          {"from", r.from},
          {"data", r.data.string()},
          {"mirror", r.mirror},
          {"config", nlohmann::ordered_json(r.config)},
          {"diffusion_model", r.diffusion_model.string()},
          {"guess_share", r.guess_share},
          {"model_folders", folders},
          {"minutes", r.minutes},
          {"scale", r.scale}};
}

}  // namespace disco
