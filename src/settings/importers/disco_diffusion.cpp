// Disco Diffusion 5.0 to 5.7: BATCH(N)_settings.txt, one boolean a CLIP model, schedules as text.
#include <fmt/format.h>

#include "settings/importers/conversion.h"
#include "settings/importers/importers.h"

namespace disco {
namespace {

using Json = nlohmann::ordered_json;

std::span<const IgnoredKey> without_equivalent() {
  static const std::vector<IgnoredKey> keys = {
      {"diffusion_steps", "computed: the number of noise levels follows from steps"},
      {"steps_per_checkpoint", "computed: intermediate_saves says which partial pictures are kept"},
      {"cutn", "no equivalent: versions before 5 cut in another way; cut_overview and cut_innercut count the cuts now"},
      {"SLIPB16", "no equivalent: SLIP models are not supported"},
      {"SLIPL16", "no equivalent: SLIP models are not supported"},
      {"sharpen_preset", "no equivalent: sharpening by a second diffusion model"},
      {"keep_unsharp", "no equivalent: sharpening by a second diffusion model"},
      {"vr_mode", "animation: stereo pairs have no equivalent"},
      {"vr_eye_angle", "animation: stereo pairs have no equivalent"},
      {"vr_ipd", "animation: stereo pairs have no equivalent"},
      {"console_preview", "display only"},
      {"console_preview_width", "display only"},
      {"cuda_device", "no equivalent: the device is chosen on the command line"},
      {"resume_run", "no equivalent: `disco resume` continues a run"},
      {"run_to_resume", "no equivalent: `disco resume` continues a run"},
      {"resume_from_frame", "no equivalent: `disco resume` continues a run"},
      {"retain_overwritten_frames", "no equivalent: finished pictures are never overwritten"},
  };
  return keys;
}

int switches_in(const Json& object) {
  int count = 0;
  for (const auto& [key, name] : clip_switches()) count += object.contains(key);
  return count;
}

double recognise(const Json& object) {
  // ProgRockDiffusion has most of these keys too, so they weigh less than its own.
  return 0.01 * (switches_in(object) + count_keys(object, {"diffusion_steps", "SLIPB16", "SLIPL16", "cutn"}));
}

void convert_clip_models(Conversion& conversion) {
  Json models = Json::array();
  for (const auto& [key, name] : clip_switches()) {
    if (conversion.has(key) && conversion.boolean(key, false)) models.push_back(name);
  }
  bool any_switch = false;
  for (const auto& [key, name] : clip_switches()) {
    any_switch = any_switch || conversion.has(key);
    conversion.used(key);
  }
  if (!models.empty()) {
    conversion.set("clip_models", models);
  } else if (any_switch) {
    conversion.note("no CLIP model is switched on in the file; the default models are used");
  }
}

ImportedSettings convert(const Json& object) {
  const bool latest = object.contains("video_init_blend_mode") || object.contains("video_init_flow_warp");
  Conversion conversion(latest ? "Disco Diffusion 5.7" : "Disco Diffusion 5", object);
  conversion.set("compat", "disco-5.7");
  conversion.note(
      "compat is set to disco-5.7, so that old pictures come out as they did; set it to none for new work, where the "
      "original's errors are put right");
  conversion.note(
      "the pictures of a batch share one stream of chance: to draw the picture ..._0003.png again, the fourth of its "
      "batch, "
      "set n_batches to 4");
  convert_clip_models(conversion);
  if (conversion["diffusion_model"] == "custom") {
    conversion.ignore(
        "diffusion_model",
        "custom: the file does not say which model it was; its settings are those of the pixel-art models");
  }
  for (const char* key : {"init_image", "video_init_path"}) {
    const Json& path = conversion[key];
    if (path.is_string() && (text_of(path).empty() || path == "None")) conversion.take(key, key, "");
  }
  conversion.ignore_all(without_equivalent());
  if (!object.contains("animation_mode")) {
    conversion.note(
        "the file does not say whether it was an animation: set animation_mode to \"2D\", \"3D\" or \"Video Input\" if "
        "so");
  }
  return conversion.finish();
}

}  // namespace

Importer disco_diffusion_importer() { return {"Disco Diffusion", recognise, convert}; }

}  // namespace disco
