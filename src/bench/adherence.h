// How often pictures show what was asked for, in the judge's eyes: a fixed set of prompts, drawn with guidance and
// without, from the same seeds. No torch in this header.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/request.h"

namespace disco {

struct AdherenceRequest : BenchRequest {
  AdherenceRequest() { out = "adherence"; }  ///< Pictures, contact sheets and adherence.json.

  bool each_clip = false;  ///< Draw with each CLIP model alone as well.
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
/// What a picture was asked to show and what the judge saw, attribute by attribute in the order of the scores.
struct AdherencePicture {
  std::string prompt;
  std::vector<std::string> asked, seen;
};
struct AdherenceResult {
  struct Arm {
    std::string name;
    std::vector<AdherenceScore> scores;
    std::vector<AdherencePicture> pictures;
    std::filesystem::path sheet;  ///< All pictures with their numbers.
  };
  std::vector<Arm> arms;
};

/// Draws and judges. Pictures that a former call with the same settings finished are kept, so that an interrupted
/// call goes on; others in the folder are refused. Throws RequestError (a missing model, pictures of other settings),
/// Interrupted, Error. With several shares the own share of the pictures is drawn and nothing judged: the result has no
/// arms, and a call without shares measures what all have drawn.
AdherenceResult measure_adherence(const AdherenceRequest& request, BenchEvents& events);

/// The result as adherence.json holds it.
nlohmann::ordered_json to_json(const AdherenceResult& result);

/// measure_adherence(), as the program looks it up in the engine's library.
using AdherenceFunction = void (*)(const AdherenceRequest& request, BenchEvents& events, AdherenceResult& result);

}  // namespace disco

extern "C" void disco_measure_adherence(const disco::AdherenceRequest& request, disco::BenchEvents& events,
                                        disco::AdherenceResult& result);
