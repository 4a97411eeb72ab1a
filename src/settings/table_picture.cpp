// The settings of a picture, in the order of the manual.
#include "settings/table_parts.h"

namespace disco {
namespace {

constexpr double most_steps = 100'000;

std::vector<SettingSpec> prompt_settings() {
  const std::string group = "What to draw";
  return {
      {.key = "text_prompts",
       .member = &Settings::text_prompts,
       .default_text = "{}",
       .group = group,
       .help = "What the picture shows. Each prompt may end in a weight (\"a castle:2\"); a negative weight pushes "
               "away from its words.",
       .live = true,
       .aliases = {"prompt", "prompts", "text_prompt"}},
      {.key = "image_prompts",
       .member = &Settings::image_prompts,
       .default_text = "{}",
       .group = group,
       .help = "Pictures whose content the new picture is drawn towards, as paths with an optional weight "
               "(\"face.png:0.5\").",
       .live = true,
       .is_path = true,
       .aliases = {"image_prompt"}},
      {.key = "fuzzy_prompt",
       .member = &Settings::fuzzy_prompt,
       .default_text = "false",
       .group = group,
       .help =
           "Aim at 25 noisy copies of each prompt instead of the prompt itself, which loosens the picture's subject."},
      {.key = "rand_mag",
       .member = &Settings::rand_mag,
       .default_text = "0.05",
       .group = group,
       .help = "How far the noisy copies of fuzzy_prompt stray from the prompt.",
       .minimum = 0,
       .maximum = 1000},
  };
}

std::vector<SettingSpec> network_settings() {
  const std::string group = "Networks";
  return {
      {.key = "diffusion_model",
       .member = &Settings::diffusion_model,
       .default_text = "512x512_diffusion_uncond_finetune_008100",
       .group = group,
       .help = "The network that draws. It sets the style that shows through where the guidance is weak."},
      {.key = "use_secondary_model",
       .member = &Settings::use_secondary_model,
       .default_text = "true",
       .group = group,
       .help = "Let a small second network guess the finished picture for the guidance: faster, less memory, bolder "
               "and busier pictures."},
      {.key = "secondary_model",
       .member = &Settings::secondary_model,
       .default_text = "secondary_model_imagenet_2",
       .group = group,
       .help = "The small second network."},
      {.key = "clip_models",
       .member = &Settings::clip_models,
       .default_text = "[\"ViT-B/32\", \"ViT-B/16\", \"RN50\"]",
       .group = group,
       .help = "The networks that compare the picture with the prompts. More of them agree on richer detail, at a cost "
               "in time and memory. A weight, or a schedule, scales one's pull."},
      {.key = "lpips_model",
       .member = &Settings::lpips_model,
       .default_text = "vgg16",
       .group = group,
       .help = "The network that measures likeness to the init image and between mirrored halves."},
  };
}

std::vector<SettingSpec> size_settings() {
  const std::string group = "The picture";
  return {
      {.key = "width",
       .member = &Settings::width,
       .default_text = "1280",
       .group = group,
       .help = "Width, rounded down to a multiple of 64. Wide pictures favour landscapes.",
       .unit = "pixels",
       .minimum = 64,
       .maximum = 16384},
      {.key = "height",
       .member = &Settings::height,
       .default_text = "768",
       .group = group,
       .help = "Height, rounded down to a multiple of 64. Tall pictures favour figures and portraits.",
       .unit = "pixels",
       .minimum = 64,
       .maximum = 16384},
      {.key = "seed",
       .member = &Settings::seed,
       .default_text = "-1",
       .group = group,
       .help = "The number that all chance is drawn from: the same seed and settings give the same picture. -1, or "
               "\"random\", picks a new one and writes it down.",
       .minimum = -1,
       .aliases = {"set_seed"}},
      {.key = "n_batches",
       .member = &Settings::n_batches,
       .default_text = "1",
       .group = group,
       .help = "How many pictures to draw, each from the next seed.",
       .unit = "pictures",
       .minimum = 1,
       .maximum = 1'000'000},
      {.key = "batch_name",
       .member = &Settings::batch_name,
       .default_text = "TimeToDisco",
       .group = group,
       .help = "The name of the output folder and of the picture files."},
  };
}

std::vector<SettingSpec> step_settings() {
  const std::string group = "From noise to picture";
  return {
      {.key = "steps",
       .member = &Settings::steps,
       .default_text = "250",
       .group = group,
       .help = "Steps from noise to picture. More steps give finer detail and more time for the guidance to act.",
       .unit = "steps",
       .minimum = 1,
       .maximum = most_steps},
      {.key = "skip_steps",
       .member = &Settings::skip_steps,
       .default_text = "10",
       .group = group,
       .help = "Steps left out at the start. With an init image this decides how much of it stays (about half); "
               "without one a few skipped steps cost colour.",
       .unit = "steps",
       .minimum = 0,
       .maximum = most_steps},
      {.key = "skip_end_steps",
       .member = &Settings::skip_end_steps,
       .default_text = "0",
       .group = group,
       .help = "Steps left out at the end: quicker and a little softer.",
       .unit = "steps",
       .minimum = 0,
       .maximum = most_steps},
      {.key = "diffusion_sampling_mode",
       .member = &Settings::diffusion_sampling_mode,
       .default_text = "ddim",
       .group = group,
       .help = "The sampler: ddim gives the most detail, plms good composition in few steps but grain.",
       .choices = {"ddim", "plms"}},
      {.key = "plms_order",
       .member = &Settings::plms_order,
       .default_text = "2",
       .group = group,
       .help = "How many earlier steps plms learns from.",
       .minimum = 1,
       .maximum = 4},
      {.key = "plms_share",
       .member = &Settings::plms_share,
       .default_text = "0",
       .group = group,
       .help = "Draw this first share of the steps with plms and the rest with ddim: the composition of plms without "
               "its grain (0.5 is good). 0 leaves the sampler alone.",
       .minimum = 0,
       .maximum = 1},
      {.key = "eta",
       .member = &Settings::eta,
       .default_text = "0.8",
       .group = group,
       .help = "Fresh noise mixed in at every ddim step: 0 is smooth and sparse, 1 is textured. No effect under plms.",
       .minimum = -1,
       .maximum = 1},
      {.key = "clip_denoised",
       .member = &Settings::clip_denoised,
       .default_text = "false",
       .group = group,
       .help = "Cut the predicted picture to legal brightness at every step: tamer contrast."},
      {.key = "randomize_class",
       .member = &Settings::randomize_class,
       .default_text = "true",
       .group = group,
       .help = "Give diffusion models that know classes a random one at every step. No effect on the usual models."},
  };
}

std::vector<SettingSpec> guidance_settings() {
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
       .help = "A picture to start from instead of plain noise; skip about half of the steps with it.",
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

std::vector<SettingSpec> picture_settings() {
  std::vector<SettingSpec> table;
  for (const auto& part : {prompt_settings(), network_settings(), size_settings(), step_settings(), guidance_settings(),
                           cut_settings(), start_settings(), symmetry_settings(), file_settings()}) {
    table.insert(table.end(), part.begin(), part.end());
  }
  return table;
}

}  // namespace disco
