// A picture drawn in a terminal: two pixels a character cell, the upper as the colour of "▀", the lower behind it.
#pragma once

#include <string>
#include <vector>

#include "picture/picture.h"

namespace disco {

/// The picture in lines of at most `columns` cells, at most `rows` lines, its aspect kept, each pixel the mean of the
/// picture's pixels under it; never larger than the picture. Empty when there is no room.
std::vector<std::string> preview_lines(const Picture& picture, int columns, int rows);

}  // namespace disco
