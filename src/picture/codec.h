// The three file formats behind decode_picture() and encode_picture(). Decoders take the bytes of a file already
// recognised and throw FormatError naming it; encoders take a checked picture.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "picture/picture.h"

namespace disco::codec {

constexpr int largest_side = 32768;
constexpr std::uint64_t most_samples = std::uint64_t{1} << 28;
/// The largest side that WebP can express.
constexpr int largest_webp_side = 16383;

enum class Format { png, jpeg, webp, unknown };
Format recognise(std::string_view bytes);

/// Throws FormatError when a picture of these sides is empty or larger than the program reads.
void check_size(std::uint64_t width, std::uint64_t height, int channels, const std::string& name);
/// The error of a file whose bytes are not right: `format` as in "PNG", `reason` as the library puts it.
[[noreturn]] void throw_broken(const std::string& format, const std::string& reason, const std::string& name);

Picture decode_png(std::string_view bytes, const std::string& name);
Picture decode_jpeg(std::string_view bytes, const std::string& name);
Picture decode_webp(std::string_view bytes, const std::string& name);

std::string encode_png(const Picture& picture, const PictureText& text);
/// `exif`: the TIFF block of picture/exif.h, empty for none.
std::string encode_jpeg(const Picture& picture, const std::string& exif);
std::string encode_webp(const Picture& picture, const std::string& exif);

/// The texts of a PNG's tEXt, zTXt and iTXt chunks as UTF-8, up to the first chunk that does not fit into the file. Of
/// two with one keyword the first counts; chunks with a wrong checksum, or that inflate beyond 16 MiB, are left out.
PictureText read_png_text(std::string_view bytes);

/// The Exif TIFF block of a JPEG or WebP file; empty when there is none.
std::string_view find_jpeg_exif(std::string_view bytes);
std::string_view find_webp_exif(std::string_view bytes);

}  // namespace disco::codec
