// Columns of text on standard output.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace disco {

/// Rows as aligned columns, two spaces between them, the last one as long as it is. Every row has as many cells.
std::string text_table(const std::vector<std::vector<std::string>>& rows);

/// An object as indented "key: value" lines.
std::string text_outline(const nlohmann::ordered_json& value, int indent = 0);

/// Standard output, whole; throws Error when it cannot be written.
void print(const std::string& text);

}  // namespace disco
