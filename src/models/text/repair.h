// The cleaning of prompts before they are cut into tokens, as the original does it with ftfy and Python's html module.
//
// Everything that ftfy 6 does by default is done, but for text garbled through encodings other than Latin-1 and
// Windows-1252 and for sequences with lost bytes (see mojibake.h).
#pragma once

#include <string>
#include <string_view>

namespace disco {

/// ftfy's fix_text: HTML references (until a "<" shows that the text is HTML), garbled encodings, Latin ligatures,
/// character widths, curly quotes, line breaks, terminal escapes and control characters, then normalisation form C,
/// line by line and until nothing changes.
std::u32string repair_text(std::u32string_view text);

/// repair_text, HTML unescaped twice, white space folded and trimmed, small letters.
std::u32string clean_prompt(std::string_view utf8);

}  // namespace disco
