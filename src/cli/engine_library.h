// Loads the engine when a verb needs it, so that the other verbs answer at once.
#pragma once

#include <memory>

#include "bench/adherence.h"
#include "bench/effects.h"
#include "bench/step.h"
#include "cli/command_line.h"
#include "run/engine.h"
#include "train/paint_folder.h"
#include "train/train.h"

namespace disco {

/// The flags that load_engine() reads.
std::vector<Flag> engine_flags();

/// libdisco_engine.so from the folder of libdisco_base.so, or from ../lib beside the program. Throws Error when it is
/// missing or of another version. The library stays loaded.
std::unique_ptr<Engine> load_engine(const CommandLine& line);
/// The same, to draw: where the processor does, pages are cleared meanwhile, which the smallest picture needs.
std::unique_ptr<Engine> load_drawing_engine(const CommandLine& line);
EngineOptions engine_options(const CommandLine& line);

/// What else the library does, and where models are looked for.
TrainFunction load_trainer();
PaintFunction load_painter();
AdherenceFunction load_adherence();
EffectsFunction load_effects();
StepFunction load_step();
std::vector<std::filesystem::path> model_folders(const CommandLine& line);

}  // namespace disco
