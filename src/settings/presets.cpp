// Named sets of settings. Each gives one value for every key that it touches, after the community's guide and, for the
// cut schedules, after Disco Diffusion 5.7 and DiscoArt.
#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"
#include "settings/resolve.h"

namespace disco {
namespace {

using Json = nlohmann::ordered_json;

// Schedules that several presets share.
constexpr const char* grey_early = "[0.7]*100+[0.6]*100+[0.45]*100+[0.3]*100+[0]*600";
constexpr const char* overview_a = "[14]*200+[12]*200+[4]*400+[0]*200";
constexpr const char* innercut_a = "[2]*200+[4]*200+[12]*400+[12]*200";
constexpr const char* kaliyuga_pow = "[12]*500+[10]*500";

Json cuts(const char* overview, const char* innercut) {
  return {{"cut_overview", overview}, {"cut_innercut", innercut}};
}

Json with(Json values, const Json& more) {
  values.update(more);
  return values;
}

/// KaliYuga's schedules, which 5.7 uses with the pixel-art and pulp models.
Json pad_or_pulp_cuts() {
  return with(
      cuts("[15]*200+[12]*200+[6]*100+[4]*100+[2]*200+[0]*200", "[1]*200+[4]*200+[8]*200+[10]*400"),
      {{"cut_ic_pow", kaliyuga_pow},
       {"cut_icgray_p", "[0.87]*100+[0.78]*50+[0.73]*50+[0.64]*60+[0.56]*40+[0.5]*50+[0.33]*100+[0.19]*150+[0]*400"}});
}

/// KaliYuga's schedules, which 5.7 uses with the watercolour models.
Json watercolor_cuts() {
  return with(cuts(overview_a, innercut_a), {{"cut_ic_pow", kaliyuga_pow}, {"cut_icgray_p", grey_early}});
}

std::vector<Preset> drawing_presets() {
  const Json guide_cuts = with(cuts(overview_a, innercut_a), {{"cut_icgray_p", grey_early}});
  return {
      {"default",
       "Disco Diffusion 5.7's own values, to start from something known.",
       {{"steps", 250},
        {"skip_steps", 10},
        {"clip_guidance_scale", 5000},
        {"tv_scale", 0},
        {"range_scale", 150},
        {"sat_scale", 0},
        {"clamp_max", 0.05},
        {"eta", 0.8},
        {"cutn_batches", 4},
        {"use_secondary_model", true},
        {"clip_models", {"ViT-B/32", "ViT-B/16", "RN50"}},
        {"cut_overview", "[12]*400+[4]*600"},
        {"cut_innercut", "[4]*400+[12]*600"},
        {"cut_ic_pow", 1},
        {"cut_icgray_p", "[0.2]*400+[0]*600"}}},
      {"secondary", "Rich pictures with the secondary model: the guide's baseline for most graphics cards.",
       with(guide_cuts, {{"use_secondary_model", true},
                         {"steps", 500},
                         {"skip_steps", 0},
                         {"clip_guidance_scale", 20000},
                         {"cut_ic_pow", 10},
                         {"clamp_max", 0.075},
                         {"eta", 0.8},
                         {"cutn_batches", 4},
                         {"clip_models", {"ViT-B/32", "ViT-B/16", "ViT-L/14", "RN50x4"}}})},
      {"primary", "Finer and calmer pictures by the diffusion model alone: slower, and needs more memory.",
       with(guide_cuts, {{"use_secondary_model", false},
                         {"steps", 250},
                         {"skip_steps", 0},
                         {"clip_guidance_scale", 15000},
                         {"cut_ic_pow", 20},
                         {"clamp_max", 0.15},
                         {"tv_scale", 20000},
                         {"sat_scale", 20000},
                         {"range_scale", 10000},
                         {"eta", 0.8},
                         {"cutn_batches", 4},
                         {"width", 512},
                         {"height", 768},
                         {"clip_models", {"ViT-B/32", "ViT-B/16", "ViT-L/14", "RN50x4"}}})},
      {"gold", "The guide's best without the secondary model on a card of 16 GB.",
       with(guide_cuts, {{"use_secondary_model", false},
                         {"steps", 250},
                         {"skip_steps", 0},
                         {"clip_guidance_scale", 15000},
                         {"cut_ic_pow", 20},
                         {"clamp_max", 0.1},
                         {"tv_scale", 20000},
                         {"sat_scale", 20000},
                         {"range_scale", 10000},
                         {"eta", 0.8},
                         {"cutn_batches", 4},
                         {"width", 512},
                         {"height", 768},
                         {"clip_models", {"ViT-B/32", "ViT-B/16", "ViT-L/14", "RN50", "RN50x4"}}})},
      {"figure",
       "People and single subjects: a tall picture, gentle guidance, and no close looks early on.",
       {{"width", 704},
        {"height", 832},
        {"clip_guidance_scale", 5000},
        {"cut_ic_pow", 5},
        {"cut_overview", "[16]*300+[12]*100+[4]*400+[0]*200"},
        {"cut_innercut", "[0]*300+[4]*100+[12]*400+[12]*200"},
        {"cut_icgray_p", grey_early}}},
      {"landscape",
       "Wide views full of things to discover: strong guidance and close looks from the start.",
       {{"width", 1280},
        {"height", 768},
        {"clip_guidance_scale", 20000},
        {"cut_ic_pow", 10},
        {"cut_overview", overview_a},
        {"cut_innercut", innercut_a},
        {"cut_icgray_p", grey_early}}},
      {"pixelart", "Pixel art with KaliYuga's model and schedules.",
       with(pad_or_pulp_cuts(), {{"diffusion_model", "pixelartdiffusion_expanded"},
                                 {"width", 512},
                                 {"height", 448},
                                 {"use_secondary_model", true}})},
      {"watercolor", "Watercolours with KaliYuga's model and schedules.",
       with(watercolor_cuts(), {{"diffusion_model", "watercolordiffusion_2"},
                                {"width", 512},
                                {"height", 448},
                                {"use_secondary_model", true}})},
  };
}

std::vector<Preset> quick_presets() {
  return {
      {"draft",
       "A quick look at a prompt: one batch of cuts, stopped half way. The same seed without it goes on from there.",
       {{"diffusion_sampling_mode", "ddim"}, {"plms_share", 0}, {"cutn_batches", 1}, {"skip_end_steps", "50%"}}},
      {"draft-plms",
       "The quickest look at a prompt: plms finds its composition in half the steps.",
       {{"diffusion_sampling_mode", "plms"},
        {"plms_share", 0},
        {"steps", 125},
        {"skip_steps", 0},
        {"skip_end_steps", "20%"},
        {"cutn_batches", 1},
        {"clamp_max", 0.035}}},
      {"sketch-init",
       "Work a rough sketch out: give it as init_image; its layout stays, everything else is drawn anew.",
       {{"skip_steps", "25%"}, {"init_scale", 0}}},
      {"han_fav", "DiscoArt's han_fav: strong smoothing, few cuts, the smallest parts last.",
       with(cuts("[8]*200+[6]*200+[4]*200+[0]*400", "[0]*200+[2]*200+[4]*200+[6]*200+[10]*200"),
            {{"cut_ic_pow", "[0]*200+[10]*400+[60]*200+[80]*200"},
             {"cut_icgray_p", "[0.5]*100+[0.4]*100+[0.2]*100+[0.1]*100+[0]*600"},
             {"tv_scale", 60000},
             {"sat_scale", 10000},
             {"range_scale", 10000},
             {"cutn_batches", 8},
             {"clip_models", {"ViT-B/32", "ViT-B/16", "ViT-L/14", "RN101", "RN50"}},
             {"clip_guidance_scale", 12000},
             {"clamp_max", 0.1}})},
  };
}

std::vector<Preset> cut_presets() {
  return {
      {"cuts-default", "5.7's cuts.",
       with(cuts("[12]*400+[4]*600", "[4]*400+[12]*600"), {{"cut_ic_pow", 1}, {"cut_icgray_p", "[0.2]*400+[0]*600"}})},
      {"cuts-a", "The guide's cuts: composition first, detail in the second half, 16 at any time but 12 at the end.",
       cuts(overview_a, innercut_a)},
      {"cuts-b", "As cuts-a with fewer close looks at the start: clearer subjects.",
       cuts("[15]*200+[12]*200+[4]*400+[0]*200", "[1]*200+[4]*200+[12]*400+[12]*200")},
      {"cuts-c", "As cuts-a with no close looks at the start: one clear subject, emptier landscapes.",
       cuts("[16]*200+[12]*200+[4]*400+[0]*200", "[0]*200+[4]*200+[12]*400+[12]*200")},
      {"cuts-d", "As cuts-c for longer: figures.",
       cuts("[16]*300+[12]*100+[4]*400+[0]*200", "[0]*300+[4]*100+[12]*400+[12]*200")},
      {"cuts-inner-18", "As cuts-a with 18 close looks in the second half, where memory allows: more detail.",
       cuts(overview_a, "[2]*200+[4]*200+[18]*400+[18]*200")},
      {"cuts-inner-late", "As cuts-a with 16 close looks in the last fifth, at no more memory.",
       cuts(overview_a, "[2]*200+[4]*200+[12]*400+[16]*200")},
      {"cuts-inner-gradual", "As cuts-a with close looks that set in little by little.",
       cuts("[14]*200+[12]*100+[10]*100+[4]*400+[0]*200", "[2]*200+[4]*100+[6]*100+[10]*200+[12]*200+[12]*200")},
      {"cuts-24", "24 cuts early on, where memory allows: a well-settled composition.",
       cuts("[22]*200+[20]*200+[6]*200+[2]*400", innercut_a)},
      {"cuts-pixelart", "KaliYuga's cuts for pixel-art and pulp models (pad_or_pulp in 5.7 and DiscoArt).",
       pad_or_pulp_cuts()},
      {"cuts-watercolor", "KaliYuga's cuts for watercolour models.", watercolor_cuts()},
  };
}

std::vector<Preset> all_presets() {
  std::vector<Preset> presets = drawing_presets();
  for (const auto& more : {quick_presets(), cut_presets()}) presets.insert(presets.end(), more.begin(), more.end());
  return presets;
}

}  // namespace

const std::vector<Preset>& presets() {
  static const std::vector<Preset> list = all_presets();
  return list;
}

const Preset& find_preset(const std::string& name) {
  std::vector<std::string> names;
  for (const Preset& preset : presets()) {
    if (preset.name == name) return preset;
    names.push_back(preset.name);
  }
  const std::optional<std::string> nearest = nearest_word(name, names);
  throw RequestError(fmt::format("there is no preset '{}'", name), "preset",
                     nearest ? fmt::format("did you mean '{}'?", *nearest) : "the presets are " + join(names, ", "));
}

}  // namespace disco
