// How often pictures show what was asked for, in the judge's eyes: a fixed set of prompts, drawn with guidance and
// without, from the same seeds. No torch in this header.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "run/engine.h"

namespace disco {

struct AdherenceRequest {
  EngineOptions engine;
  /// Without prompts of its own. Picture k is drawn from its seed + k (0 when it has none).
  Settings settings;
  std::filesystem::path out = "adherence";  ///< Pictures, contact sheets and adherence.json.
  std::string judge = "pocket-judge";       ///< An installed model of the role "judge".
  int prompts = 100;                        ///< The first N of evaluation_prompts().
  bool each_clip = false;                   ///< Draw with each CLIP model alone as well.
  const std::atomic<bool>* interrupt = nullptr;
};

/// One way of drawing the prompts.
struct AdherenceArm {
  std::string name;  ///< "guided", "unguided", "ViT-B/32 alone".
  Settings settings;
};
/// What is compared: guided, unguided (no CLIP model looks), and each CLIP model alone when there are several.
std::vector<AdherenceArm> adherence_arms(const AdherenceRequest& request);

/// An attribute of an arm's pictures: how many show what their prompt asks for.
struct AdherenceScore {
  std::string attribute;
  int right = 0, asked = 0;
  double chance = 0;  ///< What guessing the commonest value would get, as a share.
};
struct AdherenceResult {
  struct Arm {
    std::string name;
    std::vector<AdherenceScore> scores;
    std::filesystem::path sheet;  ///< All pictures with their numbers.
  };
  std::vector<Arm> arms;
};

class AdherenceEvents {
 public:
  virtual ~AdherenceEvents() = default;
  virtual void drawn(const std::string& /*arm*/, int /*done*/, int /*all*/) {}
};

/// Draws and judges. Pictures that a former call with the same settings finished are kept, so that an interrupted
/// call goes on; others in the folder are refused. Throws RequestError (a missing model, pictures of other settings),
/// Interrupted, Error.
AdherenceResult measure_adherence(const AdherenceRequest& request, AdherenceEvents& events);

/// The result as adherence.json holds it.
nlohmann::ordered_json to_json(const AdherenceResult& result);

/// measure_adherence(), as the program looks it up in the engine's library.
using AdherenceFunction = void (*)(const AdherenceRequest& request, AdherenceEvents& events, AdherenceResult& result);

}  // namespace disco

extern "C" void disco_measure_adherence(const disco::AdherenceRequest& request, disco::AdherenceEvents& events,
                                        disco::AdherenceResult& result);
