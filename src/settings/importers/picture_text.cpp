// Settings that travel in pictures: our own "disco", and the "parameters" of other programs.
#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"
#include "picture/parameters_text.h"
#include "picture/picture.h"
#include "settings/importers/conversion.h"
#include "settings/importers/importers.h"
#include "settings/json5.h"

namespace disco {
namespace {

using Json = nlohmann::ordered_json;

/// The pairs as an object, so that each is accounted for as a key.
Json as_object(const Parameters& parameters) {
  Json object = Json::object();
  object["prompt"] = parameters.prompt;
  if (!parameters.negative_prompt.empty()) object["negative prompt"] = parameters.negative_prompt;
  for (const auto& [key, value] : parameters.pairs) {
    if (!object.contains(key)) object[key] = value;
  }
  return object;
}

void convert_size(Conversion& conversion) {
  const std::vector<std::string> sides = split(text_of(conversion["Size"]), 'x');
  if (sides.size() != 2) return;
  conversion.take("Size", "width", sides[0]);
  conversion.take("Size", "height", sides[1]);
}

void convert_sampler(Conversion& conversion) {
  const std::string sampler = lower_case(text_of(conversion["Sampler"]));
  if (sampler == "ddim" || sampler == "plms") conversion.take("Sampler", "diffusion_sampling_mode", sampler);
  conversion.ignore("Sampler", "no equivalent: the samplers here are ddim and plms");
}

/// What pictures of this program say of themselves where there is no room for all settings.
void take_own(Conversion& conversion) {
  conversion.take("Model", "diffusion_model");
  conversion.take("CFG scale", "clip_guidance_scale");
  if (!conversion.has("CLIP models")) return;
  Json models = Json::array();
  for (const std::string& name : split(text_of(conversion["CLIP models"]), ',')) {
    if (!trim(name).empty()) models.push_back(std::string(trim(name)));
  }
  conversion.take("CLIP models", "clip_models", models);
}

bool ours(const Parameters& parameters) {
  for (const auto& [key, value] : parameters.pairs) {
    if (key == "Version" && value.rfind("disco-", 0) == 0) return true;
  }
  return false;
}

}  // namespace

ImportedSettings import_parameters(const std::string& text) {
  const Parameters parameters = parse_parameters(text);
  if (parameters.prompt.empty() && parameters.negative_prompt.empty() && parameters.pairs.empty())
    throw RequestError("the text \"parameters\" is empty");
  const Json object = as_object(parameters);
  const bool own = ours(parameters);
  Conversion conversion(own ? "disco picture" : "parameters of another program", object);
  Json prompts = Json::array();
  if (!parameters.prompt.empty()) prompts.push_back(prompt_object(parameters.prompt, 1));
  if (!parameters.negative_prompt.empty()) {
    prompts.push_back(prompt_object(parameters.negative_prompt, -0.5));
    conversion.note("the negative prompt has half the prompt's weight, with a minus sign");
  }
  conversion.take("prompt", "text_prompts", from_first_frame(prompts));
  conversion.used("negative prompt");
  conversion.take("Steps", "steps");
  conversion.take("Seed", "seed");
  convert_size(conversion);
  convert_sampler(conversion);
  if (own) take_own(conversion);
  conversion.ignore("CFG scale", "no equivalent: CLIP guidance is another kind; see clip_guidance_scale");
  conversion.ignore("Version", "a record of the run, not a setting");
  for (const char* key : {"Model", "Model hash"}) {
    conversion.ignore(key, own ? "a record of the run, not a setting" : "no equivalent: a model of another program");
  }
  for (const auto& [key, value] : parameters.pairs) {
    conversion.ignore(key, "no equivalent: a value of the program that drew the picture");
  }
  if (!own && conversion.so_far().steps < 100) {
    conversion.note("so few steps suit that program; here 200 to 250 are usual");
  }
  return conversion.finish();
}

ImportedSettings import_picture(const std::string& bytes, const std::string& name) {
  const PictureText texts = read_picture_text(bytes, name);
  if (const auto own = texts.find("disco"); own != texts.end()) {
    const DataDocument document = parse_json5(own->second, name + ": text \"disco\"");
    if (!document.value.is_object()) throw FormatError("the text \"disco\" holds no settings", name);
    ImportedSettings imported = own_importer().convert(document.value);
    imported.source = "disco picture";
    if (texts.contains("disco.carried_on")) imported.notes.push_back(carried_on_note);
    return imported;
  }
  const auto parameters = texts.find("parameters");
  if (parameters == texts.end()) {
    throw RequestError(
        "the picture carries no settings", name,
        "pictures of this program carry the text \"disco\", those of many others \"parameters\"; programs "
        "that publish pictures often remove them");
  }
  return import_parameters(parameters->second);
}

}  // namespace disco
