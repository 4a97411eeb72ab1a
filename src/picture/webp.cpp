#include <fmt/format.h>
#include <webp/decode.h>
#include <webp/demux.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include <algorithm>
#include <memory>

#include "core/error.h"
#include "picture/codec.h"

namespace disco::codec {
namespace {

const std::uint8_t* as_bytes(std::string_view text) { return reinterpret_cast<const std::uint8_t*>(text.data()); }

std::string reason(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_NOT_ENOUGH_DATA:
      return "it ends too early";
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return "it uses an unknown feature";
    case VP8_STATUS_OUT_OF_MEMORY:
      return "no memory left";
    default:
      return "its data are damaged";
  }
}

/// The first frame of an animation.
Picture first_frame(std::string_view bytes, int width, int height, const std::string& name) {
  WebPAnimDecoderOptions options;
  if (!WebPAnimDecoderOptionsInit(&options)) throw Error("the WebP library is of another version");
  options.color_mode = MODE_RGBA;
  const WebPData data{as_bytes(bytes), bytes.size()};
  const std::unique_ptr<WebPAnimDecoder, decltype(&WebPAnimDecoderDelete)> decoder(WebPAnimDecoderNew(&data, &options),
                                                                                   &WebPAnimDecoderDelete);
  std::uint8_t* frame = nullptr;
  int timestamp = 0;
  if (!decoder || !WebPAnimDecoderGetNext(decoder.get(), &frame, &timestamp)) {
    throw_broken("WebP", "its first frame cannot be read", name);
  }
  Picture picture(width, height, 4);
  picture.samples.assign(frame, frame + picture.samples.size());
  return picture;
}

}  // namespace

Picture decode_webp(std::string_view bytes, const std::string& name) {
  WebPBitstreamFeatures features;
  const VP8StatusCode status = WebPGetFeatures(as_bytes(bytes), bytes.size(), &features);
  if (status != VP8_STATUS_OK) throw_broken("WebP", reason(status), name);
  const int channels = features.has_alpha || features.has_animation ? 4 : 3;
  const auto width = static_cast<std::uint64_t>(features.width), height = static_cast<std::uint64_t>(features.height);
  check_size(width, height, channels, name);
  if (features.has_animation) return first_frame(bytes, features.width, features.height, name);
  Picture picture(features.width, features.height, channels);
  const auto into = channels == 4 ? &WebPDecodeRGBAInto : &WebPDecodeRGBInto;
  if (!into(as_bytes(bytes), bytes.size(), picture.samples.data(), picture.samples.size(), features.width * channels)) {
    throw_broken("WebP", "its data are damaged or cut short", name);
  }
  return picture;
}

std::string encode_webp(const Picture& picture, const std::string& exif) {
  if (picture.width > largest_webp_side || picture.height > largest_webp_side) {
    throw RequestError(fmt::format("a WebP picture has sides up to {} pixels, not {}×{}", largest_webp_side,
                                   picture.width, picture.height),
                       {}, "write a PNG");
  }
  WebPConfig config;
  WebPPicture source;
  if (!WebPConfigInit(&config) || !WebPPictureInit(&source)) throw Error("the WebP library is of another version");
  const std::unique_ptr<WebPPicture, decltype(&WebPPictureFree)> source_guard(&source, &WebPPictureFree);
  WebPConfigLosslessPreset(&config, 6);
  config.exact = 1;  // Colours under full transparency are kept, too.
  source.use_argb = 1;
  source.width = picture.width;
  source.height = picture.height;
  const Picture spread = picture.channels == 1 ? to_rgb(picture) : Picture();
  const Picture& pixels = picture.channels == 1 ? spread : picture;
  const auto import = pixels.channels == 4 ? &WebPPictureImportRGBA : &WebPPictureImportRGB;
  WebPMemoryWriter output;
  WebPMemoryWriterInit(&output);
  const std::unique_ptr<WebPMemoryWriter, decltype(&WebPMemoryWriterClear)> output_guard(&output,
                                                                                         &WebPMemoryWriterClear);
  source.writer = WebPMemoryWrite;
  source.custom_ptr = &output;
  if (!import(&source, pixels.samples.data(), pixels.width * pixels.channels) || !WebPEncode(&config, &source)) {
    throw Error(fmt::format("the WebP could not be made (error {})", static_cast<int>(source.error_code)));
  }
  if (exif.empty()) return {reinterpret_cast<const char*>(output.mem), output.size};

  const std::unique_ptr<WebPMux, decltype(&WebPMuxDelete)> mux(WebPMuxNew(), &WebPMuxDelete);
  const WebPData image{output.mem, output.size}, chunk{as_bytes(exif), exif.size()};
  WebPData assembled;
  WebPDataInit(&assembled);
  const std::unique_ptr<WebPData, decltype(&WebPDataClear)> assembled_guard(&assembled, &WebPDataClear);
  if (!mux || WebPMuxSetImage(mux.get(), &image, 0) != WEBP_MUX_OK ||
      WebPMuxSetChunk(mux.get(), "EXIF", &chunk, 0) != WEBP_MUX_OK ||
      WebPMuxAssemble(mux.get(), &assembled) != WEBP_MUX_OK) {
    throw Error("the text could not be put into the WebP");
  }
  return {reinterpret_cast<const char*>(assembled.bytes), assembled.size};
}

std::string_view find_webp_exif(std::string_view bytes) {
  bytes.remove_prefix(12);
  while (bytes.size() >= 8) {
    std::size_t length = 0;
    for (std::size_t k = 8; k-- > 4;) length = (length << 8) | static_cast<unsigned char>(bytes[k]);
    if (length > bytes.size() - 8) break;
    if (bytes.starts_with("EXIF")) {
      std::string_view exif = bytes.substr(8, length);
      // Some writers put the mark of JPEG's segment here, too.
      if (exif.starts_with(std::string_view("Exif\0\0", 6))) exif.remove_prefix(6);
      return exif;
    }
    bytes.remove_prefix(std::min(bytes.size(), 8 + length + length % 2));
  }
  return {};
}

}  // namespace disco::codec
