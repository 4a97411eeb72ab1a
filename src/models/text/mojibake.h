// UTF-8 that was once read as Latin-1 or Windows-1252 ("cafÃ©", "itâ€™s"), put right.
//
// The approach and the notion of unlikely neighbours are ftfy's (R. Speer, ftfy: fixes text for you, 2019), for these
// two encodings, which nearly all such text comes from. Text garbled through other encodings, or whose bytes were lost
// on the way, stays as it is.
#pragma once

#include <string>
#include <string_view>

namespace disco {

/// Whether characters of Windows-1252's upper half stand together as they do not in any language.
bool looks_garbled(std::u32string_view text);

/// Garbled text as it was meant: the whole of it when all of it is garbled alike, else each garbled stretch; repeated
/// while that changes anything. Control characters of C1 become those of Windows-1252. Other text is returned as it is.
std::u32string repair_encoding(std::u32string text);

}  // namespace disco
