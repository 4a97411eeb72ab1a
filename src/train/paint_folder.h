// Painted pictures and their captions as a folder of files: what `disco train --data` reads, and what the models that
// the program ships have learned from. No torch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "train/train.h"

namespace disco {

struct PaintRequest {
  std::filesystem::path folder;  ///< Made where it is missing; must be empty.
  int count = 24;                ///< 1 … 1 000 000.
  int side = 256;                ///< Pixels, 16 … 2048.
  std::uint64_t seed = 1;
  double variety = 1, styled = 0.5, coloured = 0.5;  ///< See WorldMix (train/world/scene.h).
  /// Words for what all pictures are to show, in any of the captions' synonyms ("castle", "oil painting", "sepia");
  /// empty: anything.
  std::string subject, sky, ground, style, palette;
};

/// Writes 000001.png, 000001.txt (three captions, a line each) and so on. The same request gives the same files. Tells
/// events.progress() of every picture; stops after one when asked, with Interrupted. Throws RequestError for words that
/// name nothing, for what no scene shows together (a whale in the desert), and for a folder that is not empty.
void paint_folder(const PaintRequest& request, TrainEvents& events);

using PaintFunction = void (*)(const PaintRequest& request, TrainEvents& events);

}  // namespace disco

extern "C" void disco_paint_folder(const disco::PaintRequest& request, disco::TrainEvents& events);
