#include "picture/picture.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "picture/codec.h"
#include "picture/exif.h"

namespace disco {
namespace codec {

Format recognise(std::string_view bytes) {
  if (bytes.starts_with("\x89PNG\r\n\x1A\n")) return Format::png;
  if (bytes.starts_with("\xFF\xD8\xFF")) return Format::jpeg;
  if (bytes.starts_with("RIFF") && bytes.size() >= 12 && bytes.substr(8, 4) == "WEBP") return Format::webp;
  return Format::unknown;
}

void check_size(std::uint64_t width, std::uint64_t height, int channels, const std::string& name) {
  if (width == 0 || height == 0) throw FormatError("the picture has no pixels", name, "choose another picture");
  const bool long_side = width > largest_side || height > largest_side;
  if (long_side || width * height * static_cast<std::uint64_t>(channels) > most_samples) {
    throw FormatError(
        fmt::format("the picture is too large ({}×{} pixels; sides up to {} and {} million samples are read)", width,
                    height, largest_side, most_samples >> 20),
        name, "scale it down first");
  }
}

void throw_broken(const std::string& format, const std::string& reason, const std::string& name) {
  throw FormatError(fmt::format("the {} file is broken ({})", format, reason), name,
                    "get it again, or save it anew from a picture editor");
}

}  // namespace codec

namespace {

[[noreturn]] void throw_unknown(std::string_view bytes, const std::string& name) {
  throw FormatError(bytes.empty() ? "the file is empty" : "the file is not a PNG, JPEG or WebP picture", name,
                    "convert the picture to PNG, or choose another");
}

[[noreturn]] void throw_unknown_format(const std::string& format, const std::string& where) {
  throw RequestError(format.empty() ? "the file name has no ending to tell the picture's format"
                                    : fmt::format("pictures cannot be written as \"{}\"", format),
                     where, "use png, jpg or webp");
}

void check_picture(const Picture& picture) {
  const bool channels = picture.channels == 1 || picture.channels == 3 || picture.channels == 4;
  const bool sides = picture.width > 0 && picture.height > 0;
  if (!channels || !sides ||
      picture.samples.size() != static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.height) *
                                    static_cast<std::size_t>(picture.channels)) {
    throw Error(fmt::format("a picture of {}×{} pixels with {} channels and {} samples cannot be written",
                            picture.width, picture.height, picture.channels, picture.samples.size()));
  }
}

}  // namespace

Picture read_picture(const std::filesystem::path& path) { return decode_picture(read_file(path), path.string()); }

Picture decode_picture(std::string_view bytes, const std::string& name) {
  switch (codec::recognise(bytes)) {
    case codec::Format::png:
      return codec::decode_png(bytes, name);
    case codec::Format::jpeg:
      return codec::decode_jpeg(bytes, name);
    case codec::Format::webp:
      return codec::decode_webp(bytes, name);
    case codec::Format::unknown:
      break;
  }
  throw_unknown(bytes, name);
}

Picture to_rgb(const Picture& picture) {
  if (picture.channels == 3) return picture;
  Picture rgb(picture.width, picture.height, 3);
  const auto step = static_cast<std::size_t>(picture.channels);
  const std::uint8_t* from = picture.samples.data();
  for (std::size_t k = 0; k < rgb.samples.size(); k += 3, from += step) {
    for (std::size_t c = 0; c < 3; ++c) rgb.samples[k + c] = from[step == 1 ? 0 : c];
  }
  return rgb;
}

std::string encode_picture(const Picture& picture, const std::string& format, const PictureText& text) {
  check_picture(picture);
  if (format == "png") return codec::encode_png(picture, text);
  const auto parameters = text.find("parameters");
  const std::string exif = parameters == text.end() ? std::string() : exif_with_comment(parameters->second);
  if (format == "jpg" || format == "jpeg") return codec::encode_jpeg(picture, exif);
  if (format == "webp") return codec::encode_webp(picture, exif);
  throw_unknown_format(format, {});
}

void write_picture(const std::filesystem::path& path, const Picture& picture, const PictureText& text) {
  std::string format = lower_case(path.extension().string());
  if (!format.empty()) format.erase(0, 1);
  if (format != "png" && format != "jpg" && format != "jpeg" && format != "webp") {
    throw_unknown_format(format, path.string());
  }
  write_file(path, encode_picture(picture, format, text));
}

PictureText read_picture_text(std::string_view bytes, const std::string& name) {
  std::string_view exif;
  switch (codec::recognise(bytes)) {
    case codec::Format::png:
      return codec::read_png_text(bytes);
    case codec::Format::jpeg:
      exif = codec::find_jpeg_exif(bytes);
      break;
    case codec::Format::webp:
      exif = codec::find_webp_exif(bytes);
      break;
    case codec::Format::unknown:
      throw_unknown(bytes, name);
  }
  const auto comment = exif_comment(exif);
  return comment ? PictureText{{"parameters", *comment}} : PictureText{};
}

}  // namespace disco
