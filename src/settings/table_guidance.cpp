// How the picture is guided, what it starts from, and its files, in the order of the manual.
#include "settings/table_parts.h"

namespace disco {
namespace {

std::vector<SettingSpec> strength_settings() {
  const std::string group = "Guidance";
  return {
      {.key = "clip_guidance_scale",
       .member = &Settings::clip_guidance_scale,
       .default_text = "5000",
       .group = group,
       .help = "How hard the prompts pull. Too little ignores them, too much crowds the picture with motifs; larger "
               "pictures bear more.",
       .live = true},
      {.key = "tv_scale",
       .member = &Settings::tv_scale,
       .default_text = "0",
       .group = group,
       .help = "Smooths: a penalty on differences between neighbouring pixels.",
       .minimum = 0,
       .live = true},
      {.key = "range_scale",
       .member = &Settings::range_scale,
       .default_text = "150",
       .group = group,
       .help = "Keeps colours within range. It does nothing in 5.7 (compat) by an error of 5.7's.",
       .live = true},
      {.key = "sat_scale",
       .member = &Settings::sat_scale,
       .default_text = "0",
       .group = group,
       .help = "Holds back oversaturated colours.",
       .minimum = 0,
       .live = true},
      {.key = "clamp_grad",
       .member = &Settings::clamp_grad,
       .default_text = "true",
       .group = group,
       .help = "Limit the strength of each step's guidance to clamp_max. Off burns the picture."},
      {.key = "clamp_max",
       .member = &Settings::clamp_max,
       .default_text = "0.05",
       .group = group,
       .help = "The limit on each step's guidance: more gives detail and contrast, then overexposure and colour "
               "fringes. 0 guides nothing.",
       .minimum = 0,
       .live = true},
      {.key = "guidance_every",
       .member = &Settings::guidance_every,
       .default_text = "1",
       .group = group,
       .help = "Work the guidance out at every so many steps and use the last one again between: quicker, coarser.",
       .unit = "steps",
       .minimum = 1,
       .maximum = most_steps},
  };
}

std::vector<SettingSpec> cut_settings() {
  const std::string group = "What CLIP looks at";
  return {
      {.key = "cut_overview",
       .member = &Settings::cut_overview,
       .default_text = "[12]*400+[4]*600",
       .group = group,
       .help = "Looks at the whole picture in each batch. Many early ones settle the composition; they matter little "
               "after half the steps.",
       .unit = "cuts",
       .minimum = 0,
       .maximum = 10'000,
       .live = true},
      {.key = "cut_innercut",
       .member = &Settings::cut_innercut,
       .default_text = "[4]*400+[12]*600",
       .group = group,
       .help =
           "Looks at parts of the picture in each batch. Many late ones bring detail; early ones repeat the subject.",
       .unit = "cuts",
       .minimum = 0,
       .maximum = 10'000,
       .live = true},
      {.key = "cut_ic_pow",
       .member = &Settings::cut_ic_pow,
       .default_text = "[1]*1000",
       .group = group,
       .help = "How small the parts are: 0 the largest, 1 all sizes alike, 100 the smallest. High values fill the "
               "picture with motifs.",
       .minimum = 0,
       .maximum = 100,
       .live = true},
      {.key = "cut_icgray_p",
       .member = &Settings::cut_icgray_p,
       .default_text = "[0.2]*400+[0]*600",
       .group = group,
       .help = "The share of the parts that is looked at in grey, which helps shapes before colours.",
       .minimum = 0,
       .maximum = 1,
       .live = true},
      {.key = "cutn_batches",
       .member = &Settings::cutn_batches,
       .default_text = "4",
       .group = group,
       .help = "How many batches of cuts a step averages over: more is cleaner and proportionally slower, at the same "
               "memory.",
       .unit = "batches",
       .minimum = 1,
       .maximum = 10'000,
       .live = true},
      {.key = "skip_augs",
       .member = &Settings::skip_augs,
       .default_text = "false",
       .group = group,
       .help =
           "Leave out the small random changes of each cut (mirror, turn, noise, colour). The picture gets noisier."},
  };
}

std::vector<SettingSpec> start_settings() {
  const std::string group = "What it starts from";
  return {
      {.key = "init_image",
       .member = &Settings::init_image,
       .default_text = "",
       .group = group,
       .help = "A picture to start from instead of plain noise, a path or an http address; skip about half of the "
               "steps with it.",
       .is_path = true},
      {.key = "init_scale",
       .member = &Settings::init_scale,
       .default_text = "1000",
       .group = group,
       .help = "How hard the picture is held to the init image. skip_steps is the main knob, this the fine one; 0 for "
               "sketches.",
       .minimum = 0,
       .live = true},
      {.key = "init_fit",
       .member = &Settings::init_fit,
       .default_text = "stretch",
       .group = group,
       .help = "What to do with an init image of another shape: stretch it, crop its longer sides, or pad its shorter "
               "ones.",
       .choices = {"stretch", "crop", "pad"}},
      {.key = "init_noise",
       .member = &Settings::init_noise,
       .default_text = "0",
       .group = group,
       .help = "Noise added to the init image, so that flat areas give the model something to work with.",
       .minimum = 0,
       .maximum = 10},
      {.key = "init_noise_mask",
       .member = &Settings::init_noise_mask,
       .default_text = "",
       .group = group,
       .help = "Where init_noise goes: a picture (white takes the noise), or \"flat\" for the areas without detail. "
               "Empty: everywhere.",
       .is_path = true},
      {.key = "inpaint_mask",
       .member = &Settings::inpaint_mask,
       .default_text = "",
       .group = group,
       .help = "A picture of the init image's size: white is drawn anew, black is kept.",
       .is_path = true},
      {.key = "perlin_init",
       .member = &Settings::perlin_init,
       .default_text = "false",
       .group = group,
       .help = "Start from soft clouds of Perlin noise instead of an init image. Needs a few skipped steps (4 to 6 %) "
               "to show."},
      {.key = "perlin_mode",
       .member = &Settings::perlin_mode,
       .default_text = "mixed",
       .group = group,
       .help = "The colours of the Perlin noise.",
       .choices = {"mixed", "color", "gray"}},
  };
}

std::vector<SettingSpec> symmetry_settings() {
  const std::string group = "Symmetry";
  return {
      {.key = "use_horizontal_symmetry",
       .member = &Settings::use_horizontal_symmetry,
       .default_text = "false",
       .group = group,
       .help = "Copy the left half mirrored onto the right at the moments of transformation_percent (ddim only)."},
      {.key = "use_vertical_symmetry",
       .member = &Settings::use_vertical_symmetry,
       .default_text = "false",
       .group = group,
       .help = "Copy the top half mirrored onto the bottom at the moments of transformation_percent (ddim only)."},
      {.key = "transformation_percent",
       .member = &Settings::transformation_percent,
       .default_text = "[0.09]",
       .group = group,
       .help = "The shares of the run at which the halves are mirrored: early keeps only the layout alike, 0.3 to 0.4 "
               "mirrors outright.",
       .minimum = 0,
       .maximum = 1},
      {.key = "symmetry_loss",
       .member = &Settings::symmetry_loss,
       .default_text = "none",
       .group = group,
       .help = "Guide the picture gently towards halves that mirror each other, left and right (horizontal) or top and "
               "bottom (vertical).",
       .choices = {"none", "horizontal", "vertical", "both"}},
      {.key = "symmetry_loss_scale",
       .member = &Settings::symmetry_loss_scale,
       .default_text = "160000",
       .group = group,
       .help = "How hard symmetry_loss pulls.",
       .minimum = 0,
       .live = true,
       .aliases = {"symm_loss_scale"}},
      {.key = "symm_switch",
       .member = &Settings::symm_switch,
       .default_text = "69",
       .group = group,
       .help = "The number of first steps that symmetry_loss acts in.",
       .unit = "steps",
       .minimum = 0,
       .maximum = most_steps},
  };
}

std::vector<SettingSpec> file_settings() {
  const std::string group = "Files";
  return {
      {.key = "intermediate_saves",
       .member = &Settings::intermediate_saves,
       .default_text = "0",
       .group = group,
       .help = "Partial pictures to keep: a count, or the steps or shares at which to keep one.",
       .minimum = 0,
       .maximum = most_steps},
      {.key = "intermediates_in_subfolder",
       .member = &Settings::intermediates_in_subfolder,
       .default_text = "true",
       .group = group,
       .help = "Put partial pictures into a folder of their own, partials."},
      {.key = "image_format",
       .member = &Settings::image_format,
       .default_text = "png",
       .group = group,
       .help = "The format of the picture files.",
       .choices = {"png", "jpg", "webp"}},
      {.key = "display_rate",
       .member = &Settings::display_rate,
       .default_text = "20",
       .group = group,
       .help = "Show the picture so far at every so many steps.",
       .unit = "steps",
       .minimum = 1,
       .maximum = most_steps},
      {.key = "compat",
       .member = &Settings::compat,
       .default_text = "none",
       .group = group,
       .help = "disco-5.7 draws exactly as Disco Diffusion 5.7 does, errors included, to repeat old pictures.",
       .choices = {"none", "disco-5.7"}},
  };
}

}  // namespace

std::vector<SettingSpec> guidance_settings() {
  return joined({strength_settings(), cut_settings(), start_settings(), symmetry_settings(), file_settings()});
}

}  // namespace disco
