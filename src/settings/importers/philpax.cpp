// philpax/disco-diffusion: the JSON of its RunConfig.
#include "settings/importers/conversion.h"
#include "settings/importers/importers.h"

namespace disco {
namespace {

using Json = nlohmann::ordered_json;

std::span<const IgnoredKey> without_equivalent() {
  static const std::vector<IgnoredKey> keys = {
      {"output_dir", "no equivalent: the output folder is given on the command line (--out)"},
      {"models_dir", "no equivalent: the models folder is given on the command line (--models)"},
      {"use_checkpoint", "memory only: gradient checkpointing is planned from the memory there is"},
      {"cpu", "no equivalent: the device is chosen on the command line"},
      {"compile", "speed only: there is nothing to compile"},
      {"fast_fp16_secondary", "speed only: precision is chosen on the command line"},
      {"resolved_seed", "empty: seed is used"},
  };
  return keys;
}

double recognise(const Json& object) {
  const bool listed = object.contains("prompts") && object.at("prompts").is_array();
  return count_keys(object, {"output_dir", "models_dir", "use_checkpoint", "fast_fp16_secondary", "resolved_seed"}) +
         (listed && object.contains("clip_models") ? 1 : 0);
}

ImportedSettings convert(const Json& object) {
  Conversion conversion("philpax", object);
  for (const char* key : {"prompts", "image_prompts"}) {
    if (conversion.has(key)) {
      const std::string native = std::string(key) == "prompts" ? "text_prompts" : key;
      conversion.take(key, native, from_first_frame(conversion[key]));
    }
  }
  if (conversion.has("resolved_seed")) {
    conversion.take("resolved_seed", "seed");
    if (conversion.has("seed")) conversion.ignore("seed", "not in use: resolved_seed is the seed of the run");
    conversion.note(
        "seed is the one that was drawn for the run; runs of that program do not repeat exactly, even there");
    if (conversion.number("n_batches", 1) > 1) {
      conversion.note(
          "its pictures of one batch share one stream of chance; here each is drawn from a seed of its own");
    }
  }
  conversion.ignore_all(without_equivalent());
  conversion.note("compat is none: to repeat Disco Diffusion's errors as that program does, set it to disco-5.7");
  return conversion.finish();
}

}  // namespace

Importer philpax_importer() { return {"philpax/disco-diffusion", recognise, convert}; }

}  // namespace disco
