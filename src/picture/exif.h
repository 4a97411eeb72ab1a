// The one Exif entry that carries a picture's text: UserComment (0x9286), Exif 2.32 section 4.6.5.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace disco {

/// A big-endian TIFF block whose UserComment is "UNICODE\0" and the UTF-8 text as UTF-16BE. Invalid bytes become
/// U+FFFD.
std::string exif_with_comment(std::string_view text);

/// The UserComment of a TIFF block as UTF-8; nothing when there is none or the block is broken. The UTF-16 of a
/// little-endian block without a byte order mark is read in the order that makes more sense, because writers disagree.
std::optional<std::string> exif_comment(std::string_view tiff);

}  // namespace disco
