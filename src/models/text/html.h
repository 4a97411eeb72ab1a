// HTML's character references (HTML Standard, 13.5), read as Python's html.unescape and ftfy read them.
#pragma once

#include <string>
#include <string_view>

namespace disco {

/// Every reference, numbers with the fixes for Windows-1252, names also without a semicolon ("&ampx" is "&x").
std::u32string unescape_html(std::u32string_view text);

/// Only references that end in a semicolon, those in capitals included ("&NTILDE;"): what is safe to do to text that
/// may not be HTML.
std::u32string unescape_closed_html(std::u32string_view text);

}  // namespace disco
