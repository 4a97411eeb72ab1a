// All settings of a generation, resolved: plain values, in the order of the manual. The table (table.h) names each
// member's key, default, range and help; nothing here has a default of its own but "empty".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "settings/schedule.h"

namespace disco {

/// One text prompt or one image prompt (then `text` is a path). 5.7's "text:weight" is split by parse_prompt().
struct Prompt {
  std::string text;
  Schedule weight{1.0};                  ///< Relative; a run divides by |sum of the weights|.
  std::vector<std::string> clip_models;  ///< Only these CLIP models hear it; empty: all.
  std::string written;                   ///< The whole string as written, weight suffix included (5.7 tokenises this).
  bool operator==(const Prompt&) const = default;
};

/// Prompts by the frame from which they hold; stills use the last entry at or before frame 0.
using PromptFrames = std::map<int, std::vector<Prompt>>;

/// A CLIP model of the mix.
struct ClipChoice {
  std::string name;
  Schedule weight{1.0};  ///< Multiplies this model's gradient; 0 rests the model for those entries.
  bool operator==(const ClipChoice&) const = default;
};

/// A number of steps, or a share of all steps ("50%").
struct StepCount {
  double value = 0;
  bool share = false;  ///< Then `value` is 0 … 1.
  /// The number of steps out of `steps`, rounded down as 5.7 does.
  int of(int steps) const { return share ? static_cast<int>(value * steps) : static_cast<int>(value); }
  bool operator==(const StepCount&) const = default;
};

/// Partial pictures to keep: evenly spread ones (a count), or given steps, or given shares of the steps.
struct IntermediateSaves {
  int count = 0;
  std::vector<int> steps;      ///< Steps done, from 1.
  std::vector<double> shares;  ///< 0 … 1.
  bool operator==(const IntermediateSaves&) const = default;
};

struct Settings {
  // What to draw
  PromptFrames text_prompts;
  PromptFrames image_prompts;
  bool fuzzy_prompt{};
  double rand_mag{};
  // Which networks draw and look
  std::string diffusion_model;
  bool use_secondary_model{};
  std::string secondary_model;
  std::string upscaler;
  std::vector<ClipChoice> clip_models;
  std::string lpips_model;
  // The picture
  std::int64_t width{};   ///< Pixels; rounded down to a multiple of 64.
  std::int64_t height{};  ///< Pixels; rounded down to a multiple of 64.
  std::int64_t seed{};    ///< −1: a new one, written down with the picture.
  std::int64_t n_batches{};
  std::string batch_name;
  // The walk from noise to picture
  std::int64_t steps{};
  StepCount skip_steps;
  StepCount skip_end_steps;
  std::string diffusion_sampling_mode;  ///< "ddim" or "plms".
  std::int64_t plms_order{};
  double plms_share{};  ///< PLMS for this first share of the steps, then DDIM; 0: diffusion_sampling_mode throughout.
  double eta{};
  bool clip_denoised{};
  bool randomize_class{};
  // How strongly it is guided
  Schedule clip_guidance_scale;
  Schedule tv_scale;
  Schedule range_scale;
  Schedule sat_scale;
  bool clamp_grad{};
  Schedule clamp_max;
  std::int64_t guidance_every{};
  // What CLIP looks at
  Schedule cut_overview;
  Schedule cut_innercut;
  Schedule cut_ic_pow;
  Schedule cut_icgray_p;
  std::int64_t cutn_batches{};
  bool skip_augs{};
  // What it starts from
  std::string init_image;
  Schedule init_scale;
  std::string init_fit;         ///< "stretch", "crop" or "pad".
  double init_noise{};          ///< Strength of noise added to the init.
  std::string init_noise_mask;  ///< A picture: white takes the noise; "flat": where the local variance is low.
  std::string inpaint_mask;     ///< A picture: white is drawn, black keeps the init.
  bool perlin_init{};
  std::string perlin_mode;  ///< "mixed", "color" or "gray".
  // Symmetry
  bool use_horizontal_symmetry{};
  bool use_vertical_symmetry{};
  std::vector<double> transformation_percent;
  std::string symmetry_loss;  ///< "none", "horizontal", "vertical" or "both".
  Schedule symmetry_loss_scale;
  StepCount symm_switch;
  // Files
  IntermediateSaves intermediate_saves;
  bool intermediates_in_subfolder{};
  std::string image_format;  ///< "png", "jpg" or "webp".
  std::int64_t display_rate{};
  // Faithfulness
  std::string compat;  ///< "none" (native) or "disco-5.7".
  // Animation: read, checked and kept for the verb that animates; drawing a still needs animation_mode "None".
  std::string animation_mode;
  std::int64_t max_frames{};
  std::string interp_spline;
  bool key_frames{};
  std::string angle, zoom, translation_x, translation_y, translation_z, rotation_3d_x, rotation_3d_y, rotation_3d_z;
  std::string midas_depth_model;
  double midas_weight{}, near_plane{}, far_plane{}, fov{};
  std::string padding_mode, sampling_mode;
  double frames_scale{};
  StepCount frames_skip_steps;
  std::string video_init_path;
  std::int64_t extract_nth_frame{};
  bool video_init_seed_continuity{};
  bool turbo_mode{};
  std::int64_t turbo_steps{}, turbo_preroll{};
  std::int64_t video_init_steps{};
  double video_init_clip_guidance_scale{}, video_init_tv_scale{}, video_init_range_scale{}, video_init_sat_scale{};
  std::int64_t video_init_cutn_batches{}, video_init_skip_steps{};
  double video_init_frames_scale{};
  StepCount video_init_frames_skip_steps;
  bool video_init_flow_warp{};
  double video_init_flow_blend{};
  bool video_init_check_consistency{};
  std::string video_init_blend_mode;

  bool operator==(const Settings&) const = default;

  /// Width and height rounded down to multiples of 64, as drawn.
  std::int64_t drawn_width() const { return width / 64 * 64; }
  std::int64_t drawn_height() const { return height / 64 * 64; }
  bool faithful() const { return compat == "disco-5.7"; }
};

}  // namespace disco
