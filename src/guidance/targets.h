// What the pictures are pulled towards: embeddings of text and image prompts, per CLIP model. GUIDED-STEP "Prompts".
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "models/clip.h"
#include "models/tokenizer.h"
#include "picture/picture.h"
#include "settings/settings.h"
#include "tensor/random.h"

namespace disco {

/// The targets of one CLIP model.
struct Targets {
  at::Tensor embeddings;          ///< (T,D) float32, on the model's device.
  std::vector<Schedule> weights;  ///< T raw weights, before the division by |their sum|.

  /// The weights at a schedule entry divided by |their sum|, (T). Throws RequestError when |sum| < 1e-3.
  at::Tensor normalised_weights(int entry) const;
};

/// An image prompt with its picture already read.
struct ImagePrompt {
  Prompt prompt;
  Picture picture;
};

struct TargetRequest {
  const Settings& settings;
  std::vector<Prompt> text;
  std::vector<ImagePrompt> images;
};

/// Embeds the prompts that `clip` (called `name` in the settings) hears: text before images. Words that did not fit
/// into the context are named in `warnings` (native; 5.7 refuses such a prompt, and so does faithful mode, with a
/// RequestError).
Targets make_targets(const TargetRequest& request, const Clip& clip, const std::string& name,
                     const Tokenizer& tokenizer, RandomStreams& streams, std::vector<std::string>* warnings);

/// CLIP's normalisation of (N,3,H,W) in [0,1].
at::Tensor clip_normalise(const at::Tensor& pictures);

}  // namespace disco
