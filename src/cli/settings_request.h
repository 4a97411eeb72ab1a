// From the command line to resolved settings: which layers there are, and what a model recommends below them.
#pragma once

#include <string_view>
#include <vector>

#include "cli/command_line.h"
#include "cli/reporter.h"
#include "run/engine.h"
#include "settings/resolve.h"

namespace disco {

/// The flags that settings_layers() reads, besides those of the settings.
std::vector<Flag> settings_flags();

/// What the settings are for.
enum class SettingsUse {
  draw,    ///< A run: everything must hold.
  draft,   ///< Drafts: the preset "draft", unless another is named.
  finish,  ///< Drafts carried on: what is not given comes from the draft, so prompts may be missing.
  show,    ///< To be looked at.
};

/// User configuration, environment, settings files, flags: from the weakest to the strongest, each value checked by
/// itself. A settings file of Disco Diffusion 5.7 (.txt) or a picture is imported; what it ignores is told as notes.
std::vector<SettingsLayer> settings_layers(const CommandLine& line, SettingsUse use, Reporter& reporter);

/// The origin of settings that the shipped models recommend.
constexpr auto pocket_origin = "pocket models";
/// Before the name of a model whose own recommendation a value is.
constexpr std::string_view model_origin = "model ";

/// Settings that the diffusion model recommends, for the keys that nobody has set. When no diffusion model is named
/// and the default one is not installed, the model is one of those shipped with the program (models/pocket).
struct Recommendation {
  SettingsLayer layer;  ///< Empty values: nothing to add.
  bool shipped = false;
};
Recommendation recommended_settings(Engine& engine, const ResolvedSettings& resolved);

/// The layers with what the model recommends below them; without an engine no model is asked.
ResolvedSettings request_settings(std::vector<SettingsLayer> layers, SettingsUse use, Engine* engine,
                                  Reporter& reporter);

}  // namespace disco
