// What must hold between settings, and what is allowed but surely not meant.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "picture/picture.h"
#include "settings/prompt.h"
#include "settings/resolve.h"

namespace disco {
namespace {

/// Weights closer to a sum of nothing than this cannot be divided by it (5.7's limit).
constexpr double least_weight_sum = 1e-3;

bool is_zero(const Schedule& schedule) { return schedule.minimum() == 0 && schedule.maximum() == 0; }

bool is_plms(const Settings& s) { return s.diffusion_sampling_mode == "plms"; }

/// The frames at which the prompts change.
std::set<int> prompt_changes(const Settings& s) {
  std::set<int> frames = {0};
  for (const auto& [frame, prompts] : s.text_prompts) frames.insert(frame);
  for (const auto& [frame, prompts] : s.image_prompts) frames.insert(frame);
  return frames;
}

std::vector<Prompt> all_prompts_at(const Settings& s, int frame) {
  std::vector<Prompt> prompts = prompts_at(s.text_prompts, frame);
  const std::vector<Prompt>& pictures = prompts_at(s.image_prompts, frame);
  prompts.insert(prompts.end(), pictures.begin(), pictures.end());
  return prompts;
}

bool hears(const Prompt& prompt, const std::string& model) {
  return prompt.clip_models.empty() ||
         std::find(prompt.clip_models.begin(), prompt.clip_models.end(), model) != prompt.clip_models.end();
}

/// The entry at which the weights come closest to cancelling out, and their sum there.
struct WeightSum {
  int entry = 0;
  double sum = 0;
};
WeightSum smallest_sum(const std::vector<Prompt>& prompts) {
  const bool constant =
      std::all_of(prompts.begin(), prompts.end(), [](const Prompt& p) { return p.weight.is_constant(); });
  WeightSum smallest{0, INFINITY};
  for (int entry = 0; entry < (constant ? 1 : Schedule::entries); ++entry) {
    double sum = 0;
    for (const Prompt& prompt : prompts) sum += prompt.weight.at(entry);
    if (std::abs(sum) < std::abs(smallest.sum)) smallest = {entry, sum};
  }
  return smallest;
}

std::string model_words(const Settings& s, const std::string& model) {
  return s.clip_models.size() > 1 ? fmt::format(" for CLIP model {}", model) : std::string();
}

void check_prompts(const Settings& s) {
  if (is_zero(s.clip_guidance_scale)) return;
  if (s.clip_models.empty()) {
    throw RequestError("there is no CLIP model to compare the picture with the prompts", "clip_models",
                       "name at least one, or set clip_guidance_scale to 0");
  }
  for (const int frame : prompt_changes(s)) {
    const std::vector<Prompt> prompts = all_prompts_at(s, frame);
    if (prompts.empty()) {
      throw RequestError("there is no prompt", "text_prompts",
                         "say what to draw, for example \"a lighthouse in a storm\"");
    }
    for (const Prompt& prompt : prompts) {
      for (const std::string& model : prompt.clip_models) {
        const bool known = std::any_of(s.clip_models.begin(), s.clip_models.end(),
                                       [&](const ClipChoice& choice) { return choice.name == model; });
        if (!known) {
          throw RequestError(
              fmt::format("the prompt \"{}\" is for CLIP model {}, which is not used", prompt.text, model),
              "text_prompts", "add it to clip_models, or take it from the prompt");
        }
      }
    }
    for (const ClipChoice& choice : s.clip_models) {
      std::vector<Prompt> heard = prompts;
      std::erase_if(heard, [&](const Prompt& prompt) { return !hears(prompt, choice.name); });
      if (heard.empty()) {
        throw RequestError(fmt::format("no prompt is for CLIP model {}", choice.name), "text_prompts",
                           "leave the model out, or give it a prompt");
      }
      const WeightSum smallest = smallest_sum(heard);
      if (std::abs(smallest.sum) < least_weight_sum) {
        const bool constant =
            std::all_of(heard.begin(), heard.end(), [](const Prompt& p) { return p.weight.is_constant(); });
        throw RequestError(
            fmt::format(
                "the weights of the prompts sum to {:.4g}{}{}; they are divided by their sum, which must not be 0",
                smallest.sum, model_words(s, choice.name), constant ? "" : fmt::format(" at entry {}", smallest.entry)),
            "text_prompts", "make the positive weights outweigh the negative ones");
      }
    }
  }
}

void check_clip_models(const Settings& s) {
  std::set<std::string> names;
  for (const ClipChoice& choice : s.clip_models) {
    if (!names.insert(choice.name).second) {
      throw RequestError(fmt::format("{} is listed twice", choice.name), "clip_models",
                         fmt::format("list it once; \"{}:2\" doubles its pull", choice.name));
    }
  }
}

void check_steps(const Settings& s) {
  if (s.steps < 1) throw RequestError(fmt::format("{} steps draw nothing", s.steps), "steps", "steps is at least 1");
  const auto steps = static_cast<int>(s.steps);
  const int skipped = s.skip_steps.of(steps) + s.skip_end_steps.of(steps);
  if (skipped < steps) return;
  const bool end = s.skip_steps.of(steps) < steps;
  throw RequestError(fmt::format("{} of {} steps are skipped, which leaves none", skipped, steps),
                     end ? "skip_end_steps" : "skip_steps", "skip fewer steps, or raise steps");
}

void check_size(const Settings& s) {
  for (const auto& [key, side] : {std::pair{"width", s.width}, {"height", s.height}}) {
    if (side < 64) {
      throw RequestError(fmt::format("{} pixels are too few", side), key,
                         "sizes are rounded down to multiples of 64, at least 64");
    }
  }
}

void check_batch_name(const Settings& s) {
  const std::string& name = s.batch_name;
  if (name.empty() || name == "." || name == ".." ||
      name.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos) {
    throw RequestError(fmt::format("\"{}\" cannot name a folder", name), "batch_name",
                       "use letters, digits, spaces and dashes");
  }
  constexpr std::size_t longest = 200;  // Bytes: files' names are it, a number and an ending, and may have 255.
  if (name.size() > longest) {
    throw RequestError(fmt::format("the name is {} bytes long", name.size()), "batch_name",
                       fmt::format("use at most {}", longest));
  }
}

void check_file(const std::string& key, const std::string& path) {
  if (path.empty() || is_url(path)) return;
  std::error_code error;
  if (!fs::is_regular_file(path, error)) {
    throw RequestError(fmt::format("there is no file {}", path), key,
                       "relative paths start at the settings file, or at the current folder");
  }
  try {
    read_picture(path);
  } catch (const Error& unreadable) {
    throw RequestError(fmt::format("{} ({})", unreadable.problem(), path), key, "give a whole PNG, JPEG or WebP file");
  }
}

void check_files(const Settings& s) {
  check_file("init_image", s.init_image);
  check_file("inpaint_mask", s.inpaint_mask);
  if (s.init_noise_mask != "flat") check_file("init_noise_mask", s.init_noise_mask);
  for (const auto& [frame, prompts] : s.image_prompts) {
    for (const Prompt& prompt : prompts) {
      if (prompt.text.empty())
        throw RequestError("an image prompt has no path", "image_prompts", "give the path of a picture");
      check_file("image_prompts", prompt.text);
    }
  }
}

/// A mask is laid over its init pixel by pixel, so both have one size.
void check_mask(const Settings& s, const std::string& key, const std::string& mask) {
  if (mask.empty() || mask == "flat") return;
  if (s.init_image.empty()) {
    throw RequestError("the mask has no init image to act on", key, "give an init_image, or leave the mask out");
  }
  if (is_url(mask) || is_url(s.init_image)) return;
  const Picture init = read_picture(s.init_image);
  const Picture cover = read_picture(mask);
  if (init.width != cover.width || init.height != cover.height) {
    throw RequestError(fmt::format("the mask is {}x{} pixels, its init image {}x{}", cover.width, cover.height,
                                   init.width, init.height),
                       key, "give both the same size");
  }
}

void check_animation(const Settings& s) {
  if (s.animation_mode != "None") {
    throw RequestError(fmt::format("this version draws stills only, not animations (\"{}\")", s.animation_mode),
                       "animation_mode", "set it to \"None\"");
  }
  using Motion = std::pair<const char*, const std::string Settings::*>;
  for (const auto& [key, member] :
       {Motion{"angle", &Settings::angle}, Motion{"zoom", &Settings::zoom},
        Motion{"translation_x", &Settings::translation_x}, Motion{"translation_y", &Settings::translation_y},
        Motion{"translation_z", &Settings::translation_z}, Motion{"rotation_3d_x", &Settings::rotation_3d_x},
        Motion{"rotation_3d_y", &Settings::rotation_3d_y}, Motion{"rotation_3d_z", &Settings::rotation_3d_z}}) {
    try {
      parse_key_frames(s.*member, 1);
    } catch (const RequestError& error) {
      throw RequestError(error.problem(), key, "write a number, or key frames such as 0: (1), 10: (1.05)");
    }
  }
}

void warn_of_prompts(const Settings& s, std::vector<std::string>& warnings) {
  if (is_zero(s.clip_guidance_scale)) return;
  for (const int frame : prompt_changes(s)) {
    const WeightSum smallest = smallest_sum(all_prompts_at(s, frame));
    if (smallest.sum < 0) {
      warnings.push_back(
          fmt::format("text_prompts: the weights of the prompts sum to {:.4g}; the picture is pushed away from more "
                      "than it is drawn to",
                      smallest.sum));
      break;
    }
  }
  for (const auto& [frame, prompts] : s.text_prompts) {
    for (const Prompt& prompt : prompts) {
      if (trim(prompt.text).empty()) warnings.emplace_back("text_prompts: a prompt is empty");
    }
  }
}

}  // namespace

void validate(const Settings& s) {
  check_size(s);
  check_steps(s);
  check_batch_name(s);
  check_animation(s);
  check_clip_models(s);
  check_prompts(s);
  check_files(s);
  check_mask(s, "inpaint_mask", s.inpaint_mask);
  check_mask(s, "init_noise_mask", s.init_noise_mask);
}

std::vector<std::string> settings_warnings(const Settings& s) {
  std::vector<std::string> warnings;
  const auto warn = [&](bool holds, std::string message) {
    if (holds) warnings.push_back(std::move(message));
  };
  warn_of_prompts(s, warnings);
  const bool mirrors = s.use_horizontal_symmetry || s.use_vertical_symmetry;
  warn(mirrors && is_plms(s),
       "diffusion_sampling_mode: halves are mirrored under ddim only; plms ignores the symmetry settings");
  warn(mirrors && !is_plms(s) && s.plms_share > 0,
       "plms_share: halves are mirrored only after the steps drawn with plms");
  warn(is_plms(s) && s.plms_share > 0, "plms_share: it has no effect when plms draws all steps");
  warn(s.perlin_init && !s.init_image.empty(),
       "perlin_init: the Perlin noise takes the place of the init image, which is not used");
  warn(s.init_noise > 0 && s.init_image.empty(), "init_noise: there is no init image to add noise to");
  warn(!s.init_noise_mask.empty() && s.init_noise == 0, "init_noise_mask: it has no effect while init_noise is 0");
  warn(s.width != s.drawn_width() || s.height != s.drawn_height(),
       fmt::format("width: the picture is drawn at {}x{}; sizes are rounded down to multiples of 64", s.drawn_width(),
                   s.drawn_height()));
  warn(s.clamp_grad && is_zero(s.clamp_max), "clamp_max: at 0 the prompts have no effect");
  return warnings;
}

}  // namespace disco
