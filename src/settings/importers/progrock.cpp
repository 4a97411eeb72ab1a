// ProgRockDiffusion: JSON5 files that it lays over each other, with "auto", "random" and "<a|b>" values.
#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "core/text.h"
#include "settings/importers/conversion.h"
#include "settings/importers/importers.h"
#include "settings/importers/progrock_values.h"
#include "settings/resolve.h"

namespace disco {
namespace {

using Json = nlohmann::ordered_json;

std::span<const IgnoredKey> without_equivalent() {
  static const std::string correction =
      "no equivalent: a watchdog recovers from pictures that go black or flat instead";
  static const std::string upscaling = "no equivalent: enlarging a picture is a run of its own";
  static const std::string sharpening = "no equivalent: sharpening by a second diffusion model";
  static const std::vector<IgnoredKey> keys = [] {
    std::vector<IgnoredKey> list = {
        {"diffusion_steps", "computed: the number of noise levels follows from steps"},
        {"add_metadata", "no equivalent: every picture carries its settings"},
        {"cut_heatmaps", "no equivalent: cuts are not drawn towards places that were seldom seen"},
        {"cool_down", "no equivalent: there is no pause between pictures"},
        {"simple_symmetry", "no equivalent: mirroring at given steps; use_horizontal_symmetry mirrors at given shares"},
        {"init_masked", "no equivalent: the init image is seen as it is; inpaint_mask says what is drawn anew"},
        {"perlin_contrast", "no equivalent: the Perlin picture is stretched to full contrast"},
        {"perlin_brightness", "no equivalent: the Perlin picture is stretched to full contrast"},
        {"rotation_per_frame", "animation: replaced by angle"},
        {"zoom_per_frame", "animation: replaced by zoom"},
        {"sharpen_preset", sharpening},
        {"keep_unsharp", sharpening},
        {"fix_brightness_contrast", correction},
        {"adjustment_interval", correction},
    };
    for (const char* what : {"high_contrast", "low_contrast", "high_brightness", "low_brightness"}) {
      for (const char* part : {"_threshold", "_adjust_amount", "_start", "_adjust"}) {
        list.push_back({std::string(what) + part, correction});
      }
    }
    for (const char* part : {"orientation", "scale", "skip_ratio", "overlap", "maximize", "init", "prescaled"}) {
      list.push_back({std::string("gobig_") + part, upscaling});
    }
    return list;
  }();
  return keys;
}

double recognise(const Json& object) {
  static const std::vector<std::string> own = [] {
    std::vector<std::string> keys = {
        "width_height_scale", "set_seed",           "skip_steps_ratio", "stop_early",  "render_mask",
        "symmetry_loss_v",    "symmetry_loss_h",    "symm_loss_scale",  "sloss_scale", "smooth_schedules",
        "cut_ic_pow_final",   "cutn_batches_final", "use_jpg",          "ViTL14_336",  "add_metadata"};
    for (const IgnoredKey& ignored : without_equivalent()) {
      if (ignored.key != "diffusion_steps" && ignored.key.find("_per_frame") == std::string::npos)
        keys.push_back(ignored.key);
    }
    return keys;
  }();
  double sure = count_keys(object, own);
  for (const char* key : {"clip_guidance_scale", "clamp_max", "eta"}) {
    sure += object.contains(key) && (object.at(key) == "auto" || object.at(key) == "random");
  }
  if (object.contains("sampling_mode"))
    sure += object.at("sampling_mode") == "ddim" || object.at("sampling_mode") == "plms";
  if (object.contains("symmetry_loss")) sure += object.at("symmetry_loss").is_boolean();
  // sharpen_preset and keep_unsharp are in the first files of Disco Diffusion 5 as well.
  return sure - count_keys(object, {"sharpen_preset", "keep_unsharp"});
}

void convert_size(Conversion& conversion) {
  const double scale = conversion.number("width_height_scale", 1);
  const Json& pair = conversion["width_height"];
  if (pair.is_array() && pair.size() == 2 && pair[0].is_number() && pair[1].is_number()) {
    conversion.take("width_height", "width", std::floor(pair[0].get<double>() * scale));
    conversion.take("width_height", "height", std::floor(pair[1].get<double>() * scale));
  }
  for (const char* key : {"width", "height"}) {
    if (conversion[key].is_number()) conversion.take(key, key, std::floor(conversion[key].get<double>() * scale));
  }
  if (conversion.values().contains("width")) {
    conversion.used("width_height_scale");
    if (scale != 1) conversion.note(fmt::format("width and height are multiplied by width_height_scale, {}", scale));
  }
  conversion.ignore("width_height_scale",
                    "no equivalent: there is no width or height in the file that it could multiply");
}

void convert_clip_models(Conversion& conversion) {
  Json models = Json::array();
  bool any_switch = false;
  const auto convert = [&](const std::string& key, const std::string& name) {
    if (!conversion.has(key)) return;
    any_switch = true;
    conversion.used(key);
    const double share = conversion.number(key, 0);
    if (share <= 0) return;
    models.push_back(clip_object(name, share));
    if (share != 1) {
      conversion.note(
          fmt::format("{} has weight {}: it scales how hard the model pulls; in ProgRockDiffusion it scaled how "
                      "many cuts the model was shown",
                      name, share));
    }
  };
  for (const auto& [key, name] : clip_switches()) {
    convert(key, name);
    if (key == "ViTL14_336px") convert("ViTL14_336", name);
  }
  if (!models.empty()) conversion.set("clip_models", models);
  if (any_switch && models.empty())
    conversion.note("no CLIP model is switched on in the file; the default models are used");
}

/// The first schedule entry that step `step` (from 0, skipped ones counted) or a later one reads.
int entry_of_step(int step, int steps) {
  return std::clamp(999 - static_cast<int>(std::floor((steps - 1 - step) * 1000.0 / steps)), 0, Schedule::entries);
}

/// `weight` from entry `first` up to but not including `end`, and 0 elsewhere.
Schedule weight_between(const Schedule& weight, int first, int end) {
  std::vector<double> values;
  values.reserve(Schedule::entries);
  for (int entry = 0; entry < Schedule::entries; ++entry)
    values.push_back(entry >= first && entry < end ? weight.at(entry) : 0);
  return Schedule::from_values(values);
}

/// {step: [prompts]}: each list holds until the next one's step.
Json prompts_by_step(const Json& by_step, int steps) {
  std::map<int, const Json*> lists;
  for (const auto& [step, list] : by_step.items()) lists[std::atoi(step.c_str())] = &list;
  Json prompts = Json::array();
  for (auto it = lists.begin(); it != lists.end(); ++it) {
    const int first = it == lists.begin() ? 0 : entry_of_step(it->first, steps);
    const int end = std::next(it) == lists.end() ? Schedule::entries : entry_of_step(std::next(it)->first, steps);
    for (const Json& written : *it->second) {
      if (!written.is_string() || first >= end) continue;
      const Prompt prompt = parse_prompt(written.get<std::string>());
      prompts.push_back(prompt_object(prompt.text, weight_between(prompt.weight, first, end)));
    }
  }
  return prompts;
}

/// Whether the text holds `open`, then at least one other character, then `close`, with `between` among them when
/// given.
bool encloses(const std::string& text, char open, char close, const std::string& between) {
  const std::size_t start = text.find(open);
  const std::size_t end = start == std::string::npos ? start : text.find(close, start + 2);
  return end != std::string::npos && text.substr(start + 1, end - start - 1).find(between) != std::string::npos;
}

void note_prompt_draws(Conversion& conversion, const std::string& key, const Json& prompts) {
  bool words = false, draws = false;
  for (const Json& prompt : prompts) {
    const std::string text = text_of(prompt.is_object() ? prompt.value("text", Json()) : prompt);
    words = words || encloses(text, '_', '_', "");
    draws = draws || encloses(text, '<', '>', "|");
  }
  if (words) {
    conversion.note(key +
                    ": words such as _artist_ are left as they are; ProgRockDiffusion puts in a line of the file "
                    "artist.txt, so put in one of your choice");
  }
  if (draws) {
    conversion.note(key +
                    ": draws such as <a|b> are left as they are; ProgRockDiffusion puts in one of the words, so put in "
                    "one of your choice");
  }
}

/// {picture: [prompts]} or {picture: {step: [prompts]}}. The prompts of the first picture are taken.
void convert_prompts(Conversion& conversion, const std::string& key) {
  const Json& by_picture = conversion[key];
  if (!by_picture.is_object() || by_picture.empty()) return;
  std::map<int, const Json*> pictures;
  for (const auto& [picture, prompts] : by_picture.items()) pictures[std::atoi(picture.c_str())] = &prompts;
  const Json& first = *pictures.begin()->second;
  Json prompts = first;
  if (first.is_object()) {
    prompts = prompts_by_step(first, static_cast<int>(conversion.so_far().steps));
    conversion.note(key + ": prompts that change at given steps have become weights that change at these steps");
  }
  note_prompt_draws(conversion, key, prompts);
  conversion.take(key, key, from_first_frame(prompts));
  if (pictures.size() > 1) {
    conversion.note(
        fmt::format("{}: of {} lists only the first is taken: the others are for later pictures of the batch, and "
                    "here all pictures of a batch have the same prompts",
                    key, pictures.size()));
  }
}

void convert_steps(Conversion& conversion) {
  conversion.take("sampling_mode", "diffusion_sampling_mode");
  const bool starts = !text_of(conversion["init_image"]).empty() || conversion.boolean("perlin_init", false);
  const double ratio = conversion.number("skip_steps_ratio", 0), skip = conversion.number("skip_steps", 0);
  const auto steps = static_cast<double>(conversion.so_far().steps);
  if (skip == 0 && starts) {
    const double share = ratio > 0 && ratio <= 1 ? ratio : 0.33;
    conversion.set("skip_steps", std::floor(steps * share));
    conversion.used("skip_steps");
    conversion.used("skip_steps_ratio");
    conversion.note(
        fmt::format("skip_steps is {}, which is {} of the steps (skip_steps_ratio), as there is a start picture",
                    std::floor(steps * share), share));
  } else {
    conversion.take("skip_steps", "skip_steps");
    conversion.ignore("skip_steps_ratio", skip != 0 ? "not in use: skip_steps is given"
                                                    : "not in use: it is for init images and Perlin noise only");
  }
  conversion.take("stop_early", "skip_end_steps");
}

/// A value with a key KEY_final beside it: a linear ramp from one to the other.
void convert_final(Conversion& conversion, const std::string& key) {
  const std::string last = key + "_final";
  const Json& start = conversion[key];
  if (!conversion.has(last) || conversion[last] == "None") {
    conversion.ignore(last, "not in use");
  } else if (start.is_number() && conversion[last].is_number()) {
    conversion.take(key, key, fmt::format("{} -> {}", start.get<double>(), conversion[last].get<double>()));
    conversion.used(last);
  } else {
    conversion.ignore(last, "not in use: " + key + " is a schedule of its own");
  }
}

void convert_batches(Conversion& conversion) {
  conversion.ignore("cutn_batches_final", conversion.has("cutn_batches_final")
                                              ? "no equivalent: the number of batches is the same at all steps"
                                              : "not in use");
  if (!conversion["cutn_batches"].is_string()) return;
  try {
    const double most = schedule_of(conversion["cutn_batches"]).maximum();
    conversion.take("cutn_batches", "cutn_batches", std::floor(most));
    conversion.note(fmt::format(
        "cutn_batches changes during the run there; here it is the largest of its values, {}, throughout", most));
  } catch (const RequestError& error) {
    conversion.ignore("cutn_batches", "not a schedule: " + error.problem());
  }
}

void convert_symmetry(Conversion& conversion) {
  // Its v mirrors left and right, across a vertical axis; here that is the horizontal symmetry.
  const bool sides = conversion.boolean("symmetry_loss_v", conversion.boolean("symmetry_loss", false));
  const bool ends = conversion.boolean("symmetry_loss_h", false);
  if (conversion.has("symmetry_loss") || conversion.has("symmetry_loss_v") || conversion.has("symmetry_loss_h")) {
    conversion.set("symmetry_loss", sides && ends ? "both" : sides ? "horizontal" : ends ? "vertical" : "none");
  }
  for (const char* key : {"symmetry_loss", "symmetry_loss_v", "symmetry_loss_h"}) conversion.used(key);
  if (sides || ends)
    conversion.note("symmetry_loss_v mirrors left and right: symmetry_loss horizontal here; _h is vertical");
  conversion.take("sloss_scale", "symmetry_loss_scale");
  conversion.take("symm_loss_scale", "symmetry_loss_scale");
  if (!conversion.has("symm_switch")) return;
  const double skipped = conversion.so_far().skip_steps.of(static_cast<int>(conversion.so_far().steps));
  const double first_steps = std::max(0.0, conversion.number("symm_switch", 0) - skipped);
  conversion.take("symm_switch", "symm_switch", first_steps);
  if (skipped > 0 && (sides || ends)) {
    conversion.note(
        fmt::format("symm_switch counts the steps drawn, not the {} skipped ones: {}", skipped, first_steps));
  }
}

void convert_files(Conversion& conversion) {
  if (conversion.has("use_jpg"))
    conversion.take("use_jpg", "image_format", conversion.boolean("use_jpg", false) ? "jpg" : "png");
  if (conversion["set_seed"] == "random_seed") {
    conversion.take("set_seed", "seed", -1);
  } else {
    conversion.take("set_seed", "seed");
  }
  if (conversion.number("n_batches", 1) > 1)
    conversion.note("each picture of a batch has the seed after the one before it, there as here");
  if (conversion.has("render_mask")) {
    conversion.take("render_mask", "inpaint_mask");
    conversion.note("render_mask masked the guidance only; inpaint_mask keeps the init image outside the white parts");
  }
  const std::string init = text_of(conversion["init_image"]);
  if (init.size() > 2 && init.front() == '_' && init.back() == '_') {
    conversion.ignore("init_image", "random: a picture is drawn from a folder there; name one");
  }
  if (conversion.has("smooth_schedules") && conversion.boolean("smooth_schedules", false)) {
    conversion.ignore("smooth_schedules",
                      "no equivalent: schedules change at once; write ramps such as 4 -> 12 for soft changes");
  }
  conversion.ignore("smooth_schedules", "not in use");
}

ImportedSettings convert(const Json& original) {
  std::vector<std::string> draws;
  const Json object = settle_draws(original, draws);
  Conversion conversion("ProgRockDiffusion", object);
  for (const std::string& draw : draws) conversion.note(draw);
  ignore_random(conversion);
  conversion.take("steps", "steps");
  conversion.take("use_secondary_model", "use_secondary_model");
  convert_size(conversion);
  convert_clip_models(conversion);
  convert_steps(conversion);
  resolve_auto_values(conversion);
  convert_prompts(conversion, "text_prompts");
  convert_prompts(conversion, "image_prompts");
  convert_final(conversion, "cut_ic_pow");
  convert_batches(conversion);
  convert_symmetry(conversion);
  convert_files(conversion);
  conversion.ignore_all(without_equivalent());
  conversion.note(
      "ProgRockDiffusion lays this file over its own settings.json; what the file leaves out has this program's "
      "defaults");
  conversion.note("compat is none; set it to disco-5.7 to draw with the original's errors");
  return conversion.finish();
}

}  // namespace

Importer progrock_importer() { return {"ProgRockDiffusion", recognise, convert}; }

}  // namespace disco
