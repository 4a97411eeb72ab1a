// DiscoArt: YAML or JSON, prompts with schedules, CLIP models named NAME::weights, thirteen schedulable settings.
#include <fmt/format.h>
#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "settings/importers/conversion.h"
#include "settings/importers/importers.h"
#include "settings/resolve.h"

namespace disco {
namespace {

using Json = nlohmann::ordered_json;

std::span<const IgnoredKey> without_equivalent() {
  static const std::string progress = "display only: pictures of the progress are kept by intermediate_saves";
  static const std::string name = "no equivalent: output folders are named by batch_name";
  static const std::string memory = "memory only: where models lie is planned from the memory there is";
  static const std::vector<IgnoredKey> keys = {
      {"save_rate", progress},
      {"progress_rate", progress},
      {"gif_fps", progress},
      {"gif_size_ratio", progress},
      {"image_output", progress},
      {"visualize_cuts", "display only: the cuts are not shown"},
      {"name_docarray", name},
      {"init_document", "no equivalent: this program does not read DocArray documents"},
      {"on_misspelled_token", "no equivalent: there is no spelling check"},
      {"truncate_overlength_prompt",
       "no equivalent: prompts that are too long are always cut, and the lost words are told"},
      {"diffusion_model_config",
       "no equivalent: a model's shape is recognised from its file, or read from NAME.model.json"},
      {"text_clip_on_cpu", memory},
      {"clip_sequential_evaluate", memory},
      {"clip_sequential_evaluation", memory},
      {"skip_event", "bookkeeping of a run, not a setting"},
      {"stop_event", "bookkeeping of a run, not a setting"},
  };
  return keys;
}

double recognise(const Json& object) {
  double sure = count_keys(
      object, {"batch_size", "clip_models_schedules", "cut_schedules_group", "save_rate", "gif_fps", "gif_size_ratio",
               "image_output", "visualize_cuts", "name_docarray", "on_misspelled_token", "truncate_overlength_prompt",
               "diffusion_model_config", "text_clip_on_cpu", "clip_sequential_evaluate", "skip_event", "stop_event"});
  sure += 0.5 * static_cast<double>(object.contains("width_height"));
  if (object.contains("text_prompts"))
    sure += object.at("text_prompts").is_object() && object.at("text_prompts").contains("version");
  if (object.contains("clip_models") && object.at("clip_models").is_array()) {
    for (const Json& name : object.at("clip_models")) {
      sure += name.is_string() && name.get<std::string>().find("::openai") != std::string::npos;
    }
  }
  return sure;
}

/// The catalog's name of open_clip's NAME::weights.
std::string clip_name(const std::string& written) {
  const std::size_t colons = written.find("::");
  if (colons == std::string::npos) return written;
  std::string name = written.substr(0, colons);
  const std::string weights = written.substr(colons + 2);
  static const std::string quick = "-quickgelu";
  const bool quick_gelu =
      name.size() > quick.size() && name.compare(name.size() - quick.size(), quick.size(), quick) == 0;
  if (quick_gelu) name.resize(name.size() - quick.size());
  if (weights != "openai") return name + "::" + weights + (quick_gelu ? "::quickgelu" : "");
  if (name == "ViT-L-14-336") return "ViT-L/14@336px";
  // ViT-B-32 is ViT-B/32 in the catalog.
  if (name.rfind("ViT-", 0) == 0 && name.size() > 5 && name[5] == '-') name[5] = '/';
  return name;
}

/// The preset with the values of a group of cut schedules.
const Preset* cut_group(const std::string& name) {
  static const std::map<std::string, std::string> presets = {{"default", "cuts-default"},
                                                             {"pad_or_pulp", "cuts-pixelart"},
                                                             {"watercolor", "cuts-watercolor"},
                                                             {"han_fav", "han_fav"}};
  const auto found = presets.find(name);
  return found == presets.end() ? nullptr : &find_preset(found->second);
}

/// The group's values lie under the file's own.
void convert_cut_group(Conversion& conversion) {
  if (!conversion.has("cut_schedules_group")) return;
  const std::string name = text_of(conversion["cut_schedules_group"]);
  const Preset* group = cut_group(name);
  if (!group) {
    conversion.ignore("cut_schedules_group", "no equivalent: no group of this name is known");
    return;
  }
  conversion.used("cut_schedules_group");
  std::string kept;
  for (const auto& [key, value] : group->values.items()) {
    if (conversion.has(key)) {
      kept += (kept.empty() ? "" : ", ") + key;
    } else {
      conversion.set(key, value);
    }
  }
  conversion.note(fmt::format("the cut schedules are those of the group {}{}", name,
                              kept.empty() ? "" : "; the file's own " + kept + " stand above it"));
}

/// Reports a value that is no schedule, and gives nothing.
std::optional<Schedule> read_schedule(Conversion& conversion, const std::string& key, const Json& value) {
  try {
    return schedule_of(value);
  } catch (const RequestError& error) {
    conversion.ignore(key, "not a schedule: " + error.problem());
    return std::nullopt;
  }
}

void convert_schedules(Conversion& conversion) {
  for (const char* key : {"cut_overview", "cut_innercut", "cut_icgray_p", "cut_ic_pow", "clip_guidance_scale",
                          "tv_scale", "range_scale", "sat_scale", "init_scale", "clamp_max"}) {
    if (!conversion.has(key)) continue;
    const std::optional<Schedule> schedule = read_schedule(conversion, key, conversion[key]);
    if (schedule) conversion.take(key, key, schedule->is_constant() ? Json(schedule->at(0)) : Json(schedule->text()));
  }
}

/// Settings that have schedules there and single values here.
void convert_switches(Conversion& conversion) {
  for (const std::string key : {"use_secondary_model", "skip_augs"}) {
    if (!conversion.has(key)) continue;
    const std::optional<Schedule> schedule = read_schedule(conversion, key, conversion[key]);
    if (!schedule) continue;
    double on = 0;
    for (int entry = 0; entry < Schedule::entries; ++entry) on += schedule->at(entry) != 0;
    const bool mostly = 2 * on >= Schedule::entries;
    conversion.take(key, key, mostly);
    if (!schedule->is_constant()) {
      conversion.note(fmt::format("{} changes during the run there; here it is {} throughout, as for most of the run",
                                  key, mostly));
    }
  }
  if (conversion.has("cutn_batches")) {
    const std::optional<Schedule> schedule = read_schedule(conversion, "cutn_batches", conversion["cutn_batches"]);
    if (schedule) {
      conversion.take("cutn_batches", "cutn_batches", schedule->maximum());
      if (!schedule->is_constant()) {
        conversion.note(fmt::format(
            "cutn_batches changes during the run there; here it is the largest of its values, {}, throughout",
            schedule->maximum()));
      }
    }
  }
}

/// Where clamp_grad is off there, a clamp_max beyond any gradient lets everything through here.
void convert_clamp(Conversion& conversion) {
  if (!conversion.has("clamp_grad")) return;
  const std::optional<Schedule> on = read_schedule(conversion, "clamp_grad", conversion["clamp_grad"]);
  if (!on) return;
  if (on->is_constant()) {
    conversion.take("clamp_grad", "clamp_grad", on->at(0) != 0);
    return;
  }
  constexpr double open = 1e6;
  std::vector<double> limits;
  limits.reserve(Schedule::entries);
  for (int entry = 0; entry < Schedule::entries; ++entry) {
    limits.push_back(on->at(entry) != 0 ? conversion.so_far().clamp_max.at(entry) : open);
  }
  conversion.take("clamp_grad", "clamp_grad", true);
  conversion.set("clamp_max", Schedule::from_values(limits).text());
  conversion.note(
      "clamp_grad changes during the run there; here clamp_max is so high where it was off that nothing is clamped");
}

std::vector<std::string> names_in(const Json& list) {
  std::vector<std::string> names;
  if (list.is_string()) names.push_back(clip_name(list.get<std::string>()));
  if (list.is_array()) {
    for (const Json& name : list) {
      if (name.is_string()) names.push_back(clip_name(name.get<std::string>()));
    }
  }
  return names;
}

void convert_clip_models(Conversion& conversion) {
  const Json& schedules = conversion["clip_models_schedules"];
  std::map<std::string, Schedule> weights;
  if (schedules.is_object()) {
    for (const auto& [name, value] : schedules.items()) {
      const std::optional<Schedule> weight = read_schedule(conversion, "clip_models_schedules", value);
      if (weight) weights[clip_name(name)] = *weight;
    }
  }
  if (!conversion.has("clip_models")) {
    conversion.ignore("clip_models_schedules", schedules.is_null() ? "empty: all models act throughout"
                                                                   : "not in use: the file lists no clip_models");
    return;
  }
  const std::vector<std::string> known = catalog_names("clip");
  Json models = Json::array();
  for (const std::string& name : names_in(conversion["clip_models"])) {
    const auto weight = weights.find(name);
    models.push_back(clip_object(name, weight == weights.end() ? Schedule(1) : weight->second));
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      conversion.note(name + " is not in the catalog of models: put its file into the models folder under this name");
    }
  }
  conversion.take("clip_models", "clip_models", models);
  if (schedules.is_object()) conversion.used("clip_models_schedules");
  conversion.ignore("clip_models_schedules", "empty: all models act throughout");
}

/// {text, weight, schedule, clip_guidance, spellcheck}
Json convert_prompt(Conversion& conversion, const Json& prompt) {
  const Prompt parsed = parse_prompt(text_of(prompt.value("text", Json())));
  Schedule weight = parsed.weight;
  if (prompt.contains("weight") && prompt.at("weight").is_number()) weight = prompt.at("weight").get<double>();
  if (prompt.contains("schedule") && !prompt.at("schedule").is_null()) {
    const std::optional<Schedule> active = read_schedule(conversion, "text_prompts", prompt.at("schedule"));
    if (active) {
      std::vector<double> values;
      values.reserve(Schedule::entries);
      for (int entry = 0; entry < Schedule::entries; ++entry)
        values.push_back(active->at(entry) != 0 ? weight.at(entry) : 0);
      weight = Schedule::from_values(values);
    }
  }
  return prompt_object(
      parsed.text, weight,
      prompt.contains("clip_guidance") ? names_in(prompt.at("clip_guidance")) : std::vector<std::string>());
}

void convert_prompts(Conversion& conversion) {
  const Json& prompts = conversion["text_prompts"];
  if (prompts.is_string()) {
    conversion.take("text_prompts", "text_prompts", from_first_frame(Json::array({prompts})));
  } else if (prompts.is_array()) {
    conversion.take("text_prompts", "text_prompts", from_first_frame(prompts));
  } else if (prompts.is_object() && prompts.contains("prompts") && prompts.at("prompts").is_array()) {
    Json list = Json::array();
    for (const Json& prompt : prompts.at("prompts")) {
      list.push_back(prompt.is_object() ? convert_prompt(conversion, prompt) : prompt);
    }
    conversion.take("text_prompts", "text_prompts", from_first_frame(list));
  } else {
    return;
  }
  conversion.note(
      "prompt weights are divided by the sum of the weights here; DiscoArt divides by the root of their squares' sum");
}

/// Names of models may be shortened there.
void convert_diffusion_model(Conversion& conversion) {
  if (!conversion["diffusion_model"].is_string()) return;
  const std::string written = conversion["diffusion_model"].get<std::string>(), start = lower_case(trim(written));
  for (const std::string& name : catalog_names("diffusion")) {
    if (lower_case(name).rfind(start, 0) != 0) continue;
    conversion.take("diffusion_model", "diffusion_model", name);
    if (name != written) conversion.note(fmt::format("diffusion_model {} is short for {}", written, name));
    return;
  }
}

void convert_counts(Conversion& conversion) {
  const Json& size = conversion["width_height"];
  if (size.is_array() && size.size() == 2) {
    conversion.take("width_height", "width", size[0]);
    conversion.take("width_height", "height", size[1]);
  }
  const double together = conversion.number("batch_size", 1);
  if (together > 1) {
    const double pictures = together * conversion.number("n_batches", 4);
    conversion.take("batch_size", "n_batches", pictures);
    conversion.used("n_batches");
    conversion.note(
        fmt::format("batch_size {} drew that many pictures at once; they are drawn one after the other, {} in all",
                    together, pictures));
  }
  conversion.ignore("batch_size", "not in use: pictures are drawn one at a time, as with 1");
}

ImportedSettings convert(const Json& object) {
  Conversion conversion("DiscoArt", object);
  convert_cut_group(conversion);
  convert_prompts(conversion);
  convert_clip_models(conversion);
  convert_schedules(conversion);
  convert_switches(conversion);
  convert_clamp(conversion);
  convert_diffusion_model(conversion);
  convert_counts(conversion);
  conversion.ignore_all(without_equivalent());
  for (const auto& [key, value] : object.items()) {
    if (key.rfind('_', 0) == 0) conversion.ignore(key, "bookkeeping of a run, not a setting");
  }
  conversion.note("compat is none; set it to disco-5.7 to draw with the original's errors");
  return conversion.finish();
}

}  // namespace

Importer discoart_importer() { return {"DiscoArt", recognise, convert}; }

}  // namespace disco
