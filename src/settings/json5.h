// Readers of hand-written data files: JSON5 (which includes JSON) and YAML.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace disco {

/// What a data file holds, and where.
struct DataDocument {
  nlohmann::ordered_json value;
  std::map<std::string, int> lines;   ///< Line (from 1) of each key of the outermost object.
  std::vector<std::string> warnings;  ///< Keys that are given twice; the last one counts, as in Python.
};

/// JSON5: JSON with comments, trailing commas, single quotes, unquoted keys, hexadecimal numbers, signs, Infinity and
/// NaN. Nested at most 64 deep. Throws RequestError with `name`, line and column.
DataDocument parse_json5(std::string_view text, const std::string& name);

/// YAML 1.2's core schema: plain scalars are null, booleans, numbers or text; the first document only. Anchors are
/// expanded up to 100000 values, nested at most 64 deep. Throws RequestError with `name`, line and column.
DataDocument parse_yaml(std::string_view text, const std::string& name);

}  // namespace disco
