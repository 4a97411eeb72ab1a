// Drafts side by side, with their numbers.
#pragma once

#include <string>
#include <vector>

#include "picture/picture.h"

namespace disco {

/// Pictures (RGB, all of one size) in a grid of so many columns (0: as square as can be), each with its label under it.
/// Cells are at most `cell` pixels wide; smaller pictures are enlarged by whole factors, so that pixels stay pixels.
/// Throws Error for none.
Picture contact_sheet(const std::vector<Picture>& pictures, const std::vector<std::string>& labels, int cell = 320,
                      int columns = 0);

}  // namespace disco
