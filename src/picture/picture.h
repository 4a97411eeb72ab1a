// 8-bit pictures and their files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace disco {

/// Interleaved 8-bit samples, rows from the top. channels is 1 (grey), 3 (RGB) or 4 (RGBA).
struct Picture {
  int width = 0, height = 0, channels = 3;
  std::vector<std::uint8_t> samples;

  Picture() = default;
  Picture(int width_, int height_, int channels_)
      : width(width_),
        height(height_),
        channels(channels_),
        samples(static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_) *
                static_cast<std::size_t>(channels_)) {}
  std::uint8_t& at(int x, int y, int c) { return samples[offset(x, y, c)]; }
  std::uint8_t at(int x, int y, int c) const { return samples[offset(x, y, c)]; }

 private:
  std::size_t offset(int x, int y, int c) const {
    return (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)) *
               static_cast<std::size_t>(channels) +
           static_cast<std::size_t>(c);
  }
};

/// Text that travels with a picture: keyword → UTF-8 text ("parameters", "disco").
using PictureText = std::map<std::string, std::string>;

/// PNG, JPEG or WebP, recognised by content; 16-bit, palette and CMYK files become 8-bit grey, RGB or RGBA with the
/// samples that PIL gives (16 bits keep their high byte; gamma, profiles and Exif orientation are not applied). An
/// animation is its first frame. Sides up to 32768, 2^28 samples in all. Throws Error (missing) or FormatError (broken,
/// too large, another format), naming the file.
Picture read_picture(const std::filesystem::path& path);
Picture decode_picture(std::string_view bytes, const std::string& name);
/// Grey is spread over three channels; alpha is dropped as PIL's convert("RGB") does.
Picture to_rgb(const Picture& picture);

/// The format is "png", "jpg" (or "jpeg") or "webp". PNG and WebP are lossless; JPEG has quality 95, chroma at full
/// resolution and no alpha. One picture and text always give the same bytes.
/// In PNG `parameters` goes to tEXt when it is Latin-1, as other programs look for it there, else and every other text
/// to an uncompressed iTXt, before IDAT; in JPEG and WebP `parameters`
/// goes to the Exif UserComment (0x9286, "UNICODE\0", UTF-16BE) and other texts are left out. Bytes that are not UTF-8,
/// and NUL in PNG, become U+FFFD.
/// Throws RequestError for another format, a keyword that PNG does not allow (1 to 79 printable ASCII characters),
/// sides above 16383 in WebP, or a text above 64 KiB in JPEG.
std::string encode_picture(const Picture& picture, const std::string& format, const PictureText& text = {});
/// encode_picture() by the path's extension, written whole or not at all.
void write_picture(const std::filesystem::path& path, const Picture& picture, const PictureText& text = {});

/// The texts of a PNG (tEXt, zTXt, iTXt) or the Exif UserComment of a JPEG or WebP as "parameters", in UTF-8. What is
/// damaged is left out; a file cut short gives the texts that came before. Throws FormatError for other formats.
PictureText read_picture_text(std::string_view bytes, const std::string& name);

}  // namespace disco
