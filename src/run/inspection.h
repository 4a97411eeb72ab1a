// What a weights file is, for `disco models inspect`.
#pragma once

#include "run/engine.h"

namespace disco {

/// Reads names and shapes only; recognises the role and configuration. Throws FormatError.
FileInspection inspect_file(const std::filesystem::path& file);

}  // namespace disco
