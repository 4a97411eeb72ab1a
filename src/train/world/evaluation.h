// The prompts that trained models are judged by.
#pragma once

#include <string>
#include <vector>

#include "train/world/scene.h"

namespace disco {

struct EvaluationPrompt {
  std::string text;  ///< A whole sentence, which names the subject, the sky, and a style or palette that isn't usual.
  Scene scene;       ///< What it asks for, in the usual places.
};

/// 100 prompts, always the same, each for a held-out combination: five of every subject, ten of every style and of
/// every palette, 16 or 17 of every sky.
std::vector<EvaluationPrompt> evaluation_prompts();

}  // namespace disco
