// The parts of the settings table, in its order.
#pragma once

#include <vector>

#include "settings/table.h"

namespace disco {

/// More steps than anyone runs; a limit against slips of the keyboard.
constexpr double most_steps = 100'000;

std::vector<SettingSpec> picture_settings();
std::vector<SettingSpec> guidance_settings();
std::vector<SettingSpec> animation_settings();

std::vector<SettingSpec> joined(const std::vector<std::vector<SettingSpec>>& parts);

}  // namespace disco
