#include "bench/effects.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <chrono>
#include <map>

#include "bench/examiner.h"
#include "core/error.h"
#include "core/file.h"
#include "run/contact_sheet.h"
#include "settings/table.h"
#include "tensor/picture_tensor.h"

namespace disco {
namespace {

using Json = nlohmann::ordered_json;

/// One row a value of one setting.
void one_setting(std::vector<Variant>& variants, const std::string& key, const std::vector<Json>& values,
                 const Json& besides = Json::object(), const std::string& group = {}) {
  for (const Json& value : values) {
    Json changed = besides;
    changed[key] = value;
    variants.push_back({group.empty() ? key : group, fmt::format("{} {}", key, value.dump()), changed});
  }
}

Settings with_values(Settings settings, const Json& values) {
  for (const auto& [key, value] : values.items()) set_value(settings, require_setting(key, "effects"), value, key);
  return settings;
}

std::string folder_name(const Variant& variant) {
  return variant.label.empty() ? "unchanged" : file_spelling(variant.group + "-" + variant.label);
}

/// What fits under a small picture: the sheet is named after the setting, so that the value is enough.
std::string sheet_label(const Variant& variant) {
  if (variant.label.empty()) return "unchanged";
  const std::size_t space = variant.label.find(' ');
  return variant.values.contains(variant.label.substr(0, space)) ? variant.label.substr(space + 1) : variant.label;
}

class EffectsMeasurement {
 public:
  EffectsMeasurement(const EffectsRequest& request, BenchEvents& events)
      : request_(request), examiner_(request, events) {}

  EffectsResult run() {
    std::vector<Variant> variants = chosen();
    std::vector<DrawnPictures> drawn;
    for (const Variant& variant : variants) {
      drawn.emplace_back(request_.out / folder_name(variant), with_values(request_.settings, variant.values));
    }
    EffectsResult result;
    std::map<std::string, std::vector<Picture>> sheets;
    std::map<std::string, std::vector<std::string>> labels;
    for (std::size_t i = 0; i < variants.size(); ++i) {
      const std::vector<Picture> pictures = draw(variants[i], drawn[i]);
      if (i == 0) unchanged_ = pictures;
      result.effects.push_back(measured(variants[i], pictures));
      for (const Picture& picture : pictures) {
        sheets[variants[i].group].push_back(picture);
        labels[variants[i].group].push_back(sheet_label(variants[i]));
      }
    }
    for (const auto& [group, pictures] : sheets) {
      result.sheets.push_back(request_.out / ((group.empty() ? "unchanged" : group) + ".png"));
      write_picture(result.sheets.back(), contact_sheet(pictures, labels[group], bench_cell, request_.prompts));
    }
    write_file(request_.out / "effects.json", to_json(result).dump(1) + "\n");
    return result;
  }

 private:
  std::vector<Variant> chosen() const {
    const bool has_secondary = examiner_.store().find(request_.secondary_model, "secondary").has_value();
    std::vector<Variant> variants = {{"", "", Json::object()}};
    for (Variant& variant : effect_variants(request_.settings, has_secondary ? request_.secondary_model : "")) {
      if (request_.only.empty() || variant.group == request_.only) variants.push_back(std::move(variant));
    }
    if (variants.size() == 1) throw RequestError("there is no such group of settings", request_.only);
    return variants;
  }

  std::vector<Picture> draw(const Variant& variant, const DrawnPictures& drawn) {
    const auto start = std::chrono::steady_clock::now();
    const std::string of = variant.label.empty() ? "unchanged" : variant.group + ": " + variant.label;
    std::vector<Picture> pictures = examiner_.draw(drawn, of);
    seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / request_.prompts;
    return pictures;
  }

  Effect measured(const Variant& variant, const std::vector<Picture>& pictures) const {
    const at::NoGradGuard no_gradient;
    Effect effect{variant};
    effect.seconds = seconds_;
    const double n = static_cast<double>(pictures.size());
    for (std::size_t k = 0; k < pictures.size(); ++k) {
      const at::Tensor picture = to_tensor(pictures[k]);
      const at::Tensor difference = (picture - to_tensor(unchanged_[k])).abs().mul_(127.5);
      effect.change += difference.mean().item<double>() / n;
      effect.contrast += 127.5 * picture.std().item<double>() / n;
      effect.judged += probability_of(examiner_.prompts()[k].scene, picture) / n;
    }
    return effect;
  }

  /// The mean over the judged attributes.
  double probability_of(const Scene& scene, const at::Tensor& picture) const {
    const Verdict verdict = examiner_.judge(picture);
    double sum = 0;
    for (std::size_t i = 0; i < verdict.parts.size(); ++i) {
      sum += verdict.parts[i].probabilities[static_cast<std::size_t>(judged_attributes()[i].of(scene))];
    }
    return sum / static_cast<double>(verdict.parts.size());
  }

  const EffectsRequest& request_;
  Examiner examiner_;
  std::vector<Picture> unchanged_;
  double seconds_ = 0;
};

}  // namespace

std::vector<Variant> effect_variants(const Settings& settings, const std::string& secondary_model) {
  std::vector<Variant> variants;
  one_setting(variants, "clip_guidance_scale", {0, 30, 3000, 1000000}, {{"clamp_grad", true}},
              "clip_guidance_scale under clamp_grad");
  one_setting(variants, "clip_guidance_scale", {0, 30, 300, 3000, 30000}, {{"clamp_grad", false}},
              "clip_guidance_scale without clamp_grad");
  one_setting(variants, "clamp_max", {0.01, 0.05, 0.15, 0.3, 1.5});
  one_setting(variants, "cut_ic_pow", {0.2, 1, 10, 100});
  one_setting(variants, "eta", {-1, 0, 0.5, 0.8, 1});
  one_setting(variants, "steps", {10, 25, 50, 100});
  one_setting(variants, "skip_steps", {0, 10, 25}, {{"perlin_init", true}}, "skip_steps with Perlin");
  one_setting(variants, "tv_scale", {0, 1000, 100000});
  one_setting(variants, "sat_scale", {0, 1000, 100000});
  one_setting(variants, "range_scale", {0, 150, 100000});
  variants.push_back({"symmetry", "horizontal", {{"use_horizontal_symmetry", true}}});
  variants.push_back({"symmetry", "vertical", {{"use_vertical_symmetry", true}}});
  variants.push_back({"use_secondary_model", "off", {{"use_secondary_model", false}}});
  if (!secondary_model.empty()) {
    variants.push_back(
        {"use_secondary_model", "on", {{"use_secondary_model", true}, {"secondary_model", secondary_model}}});
  }
  if (settings.clip_models.size() > 1) {
    for (const ClipChoice& clip : settings.clip_models) {
      variants.push_back({"clip_models", clip.name + " alone", {{"clip_models", Json::array({clip.name})}}});
    }
  }
  return variants;
}

EffectsResult measure_effects(const EffectsRequest& request, BenchEvents& events) {
  return EffectsMeasurement(request, events).run();
}

nlohmann::ordered_json to_json(const EffectsResult& result) {
  Json effects = Json::array(), sheets = Json::array();
  for (const Effect& effect : result.effects) {
    effects.push_back({{"group", effect.variant.group},
                       {"label", effect.variant.label},
                       {"values", effect.variant.values},
                       {"change", effect.change},
                       {"contrast", effect.contrast},
                       {"judged", effect.judged},
                       {"seconds", effect.seconds}});
  }
  for (const fs::path& sheet : result.sheets) sheets.push_back(sheet.filename().string());
  return {{"effects", effects}, {"sheets", sheets}};
}

}  // namespace disco

extern "C" void disco_measure_effects(const disco::EffectsRequest& request, disco::BenchEvents& events,
                                      disco::EffectsResult& result) {
  result = disco::measure_effects(request, events);
}
