// What is drawn, by which networks, how large and in how many steps, in the order of the manual.
#include "settings/table_parts.h"

namespace disco {
namespace {

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
       .help = "Pictures whose content the new picture is drawn towards, as paths or http addresses with an "
               "optional weight (\"face.png:0.5\"). What is downloaded is kept in inputs, beside the outputs.",
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
      {.key = "upscaler",
       .member = &Settings::upscaler,
       .default_text = "",
       .group = group,
       .help = "A network that enlarges the finished picture, one that disco train upscaler makes; empty saves the "
               "picture as it was drawn. Previews and partial pictures are not enlarged."},
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
       .default_text = "4%",
       .group = group,
       .help =
           "Steps left out at the start, as a number or a share. With an init image this decides how much of it stays "
           "(about half); without one a few skipped steps cost colour. 5.7 skips 10 steps of any number.",
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

}  // namespace

std::vector<SettingSpec> picture_settings() {
  return joined({prompt_settings(), network_settings(), size_settings(), step_settings()});
}

}  // namespace disco
