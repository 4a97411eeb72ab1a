// The `parameters` text that image browsers read ("infotext" of AUTOMATIC1111's web UI):
//
//   a lighthouse at night, by ...
//   Negative prompt: people
//   Steps: 250, Sampler: DDIM, Seed: 1, Note: "with, comma", Version: disco-1.0
//
// No newline at the end; the line of pairs is the last, and has three pairs at least.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace disco {

using ParameterPairs = std::vector<std::pair<std::string, std::string>>;

/// Prompt and negative prompt may span lines; an empty one leaves no line. A value that readers would not give back as
/// it stands (a comma, colon, newline or control character; a quotation mark or a space at its start; a space at its
/// end; nothing at all) is written as a JSON string. Bytes that are not UTF-8 become U+FFFD there. Throws Error for
/// fewer than three pairs and for a key that readers do not recognise: two or more of letters, digits, `_`, space, `-`
/// and `/`, the first a letter, digit or `_`, the last no space.
///
/// Readers cut white space off the ends of every line of a prompt, and take a line that begins with "Negative prompt:"
/// for what it says.
std::string format_parameters(std::string_view prompt, std::string_view negative_prompt, const ParameterPairs& pairs);

struct Parameters {
  std::string prompt, negative_prompt;
  ParameterPairs pairs;  ///< In the order of the text; JSON strings are decoded.
};

/// Reads any text, as the web UI does: where the last line holds fewer than three pairs, it belongs to the prompt.
/// Pairs are found as `\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)` finds them, where all of Unicode beyond
/// ASCII counts as `\w`.
Parameters parse_parameters(std::string_view text);

}  // namespace disco
