// The two halves of the settings table.
#pragma once

#include <vector>

#include "settings/table.h"

namespace disco {

std::vector<SettingSpec> picture_settings();
std::vector<SettingSpec> animation_settings();

}  // namespace disco
