// Looking through a folder for models.
#pragma once

#include "models/recognise.h"
#include "models/store.h"

namespace disco {

struct ScannedModel {
  ModelEntry model;
  std::filesystem::path json;  ///< Its NAME.model.json; empty for a recognised file.
  std::string problem;         ///< Why it cannot be used; empty when it can.
};

/// The models below a folder, those with a NAME.model.json first, in the order of their paths. `recognition` null
/// leaves out the files that only their tensors could tell.
std::vector<ScannedModel> scan_models(const std::filesystem::path& folder, RecognitionCache* recognition);

/// Whether a model answers to a name (of find_in_catalog's kinds too).
bool answers_to(const ModelEntry& model, const std::string& name);

/// The catalogued model that a name means, else the name itself.
std::string catalog_spelling(const std::string& name);

}  // namespace disco
