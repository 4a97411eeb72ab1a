#include <fmt/format.h>

#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <cstdlib>

#include <jerror.h>
#include <jpeglib.h>

#include "core/error.h"
#include "picture/codec.h"

// libjpeg's errors leave by longjmp, as libpng's do in png.cpp; the same care is taken here.

namespace disco::codec {
namespace {

constexpr std::string_view exif_mark("Exif\0\0", 6);
constexpr std::size_t largest_segment = 65533;
/// A progressive file of a few kilobytes can ask for minutes of work in thousands of scans.
constexpr int most_scans = 500;

struct JpegErrors {
  jpeg_error_mgr manager{};  ///< First: libjpeg hands back a pointer to it.
  std::jmp_buf jump{};
  char message[JMSG_LENGTH_MAX] = "";
  bool cut_short = false;
};

JpegErrors& errors_of(j_common_ptr common) { return *reinterpret_cast<JpegErrors*>(common->err); }

void on_error(j_common_ptr common) {
  JpegErrors& errors = errors_of(common);
  errors.manager.format_message(common, errors.message);
  std::longjmp(errors.jump, 1);
}

/// Warnings are of damaged data, of which libjpeg makes the best, and of a file that ends too early.
void on_message(j_common_ptr common, int level) {
  JpegErrors& errors = errors_of(common);
  if (level < 0 && common->err->msg_code == JWRN_JPEG_EOF) errors.cut_short = true;
}

jpeg_error_mgr* set_up(JpegErrors& errors) {
  jpeg_std_error(&errors.manager);
  errors.manager.error_exit = on_error;
  errors.manager.emit_message = on_message;
  return &errors.manager;
}

/// Runs `work(state)`, which may jump out; false when it did.
template <class State>
bool guarded(State& state, void (*work)(State&)) {
  if (setjmp(state.errors.jump)) return false;
  work(state);
  return true;
}

struct Decoder {
  JpegErrors errors;
  jpeg_decompress_struct jpeg{};
  jpeg_progress_mgr progress{};
  std::string_view input;
  Picture picture;
  std::vector<std::uint8_t> cmyk_row;

  Decoder() = default;
  ~Decoder() { jpeg_destroy_decompress(&jpeg); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
};

void limit_scans(j_common_ptr common) {
  const auto* jpeg = reinterpret_cast<j_decompress_ptr>(common);
  if (jpeg->input_scan_number <= most_scans) return;
  JpegErrors& errors = errors_of(common);
  std::snprintf(errors.message, sizeof errors.message, "it has more than %d scans", most_scans);
  std::longjmp(errors.jump, 1);
}

void read_header(Decoder& decoder) {
  jpeg_create_decompress(&decoder.jpeg);
  decoder.progress.progress_monitor = limit_scans;
  decoder.jpeg.progress = &decoder.progress;
  jpeg_mem_src(&decoder.jpeg, reinterpret_cast<const unsigned char*>(decoder.input.data()), decoder.input.size());
  jpeg_read_header(&decoder.jpeg, TRUE);
  const J_COLOR_SPACE stored = decoder.jpeg.jpeg_color_space;
  const bool four = stored == JCS_CMYK || stored == JCS_YCCK;
  decoder.jpeg.out_color_space = four ? JCS_CMYK : stored == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
}

/// PIL's conversion of inverted (Adobe) CMYK: each ink against black, rounded.
void cmyk_to_rgb(const std::uint8_t* from, std::uint8_t* to, std::size_t pixels) {
  for (std::size_t k = 0; k < pixels; ++k, from += 4, to += 3) {
    for (int c = 0; c < 3; ++c) {
      const int product = (255 - from[c]) * from[3] + 128;
      to[c] = static_cast<std::uint8_t>(from[3] - ((product + (product >> 8)) >> 8));
    }
  }
}

void read_rows(Decoder& decoder) {
  jpeg_start_decompress(&decoder.jpeg);
  const std::size_t width = decoder.jpeg.output_width;
  const std::size_t row = width * static_cast<std::size_t>(decoder.picture.channels);
  while (decoder.jpeg.output_scanline < decoder.jpeg.output_height) {
    std::uint8_t* to = decoder.picture.samples.data() + decoder.jpeg.output_scanline * row;
    JSAMPROW target = decoder.cmyk_row.empty() ? to : decoder.cmyk_row.data();
    jpeg_read_scanlines(&decoder.jpeg, &target, 1);
    if (!decoder.cmyk_row.empty()) cmyk_to_rgb(decoder.cmyk_row.data(), to, width);
  }
}

struct Encoder {
  JpegErrors errors;
  jpeg_compress_struct jpeg{};
  const Picture& picture;
  std::string segment;  ///< The APP1 segment's content.
  unsigned char* output = nullptr;
  unsigned long size = 0;

  explicit Encoder(const Picture& picture_) : picture(picture_) {}
  ~Encoder() {
    jpeg_destroy_compress(&jpeg);
    std::free(output);
  }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
};

void write_all(Encoder& encoder) {
  jpeg_compress_struct& jpeg = encoder.jpeg;
  jpeg_create_compress(&jpeg);
  jpeg_mem_dest(&jpeg, &encoder.output, &encoder.size);
  jpeg.image_width = static_cast<JDIMENSION>(encoder.picture.width);
  jpeg.image_height = static_cast<JDIMENSION>(encoder.picture.height);
  jpeg.input_components = encoder.picture.channels;
  jpeg.in_color_space = encoder.picture.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, 95, TRUE);
  jpeg.optimize_coding = TRUE;
  // Chroma at full resolution: at this quality halving it is what would be seen.
  jpeg.comp_info[0].h_samp_factor = 1;
  jpeg.comp_info[0].v_samp_factor = 1;
  jpeg_start_compress(&jpeg, TRUE);
  if (!encoder.segment.empty()) {
    jpeg_write_marker(&jpeg, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(encoder.segment.data()),
                      static_cast<unsigned int>(encoder.segment.size()));
  }
  const std::size_t row = static_cast<std::size_t>(jpeg.image_width) * static_cast<std::size_t>(jpeg.input_components);
  while (jpeg.next_scanline < jpeg.image_height) {
    auto* from = const_cast<JSAMPROW>(encoder.picture.samples.data() + jpeg.next_scanline * row);
    jpeg_write_scanlines(&jpeg, &from, 1);
  }
  jpeg_finish_compress(&jpeg);
}

}  // namespace

Picture decode_jpeg(std::string_view bytes, const std::string& name) {
  Decoder decoder;
  decoder.jpeg.err = set_up(decoder.errors);
  decoder.input = bytes;
  if (!guarded(decoder, read_header)) throw_broken("JPEG", decoder.errors.message, name);
  const int channels = decoder.jpeg.out_color_space == JCS_GRAYSCALE ? 1 : 3;
  check_size(decoder.jpeg.image_width, decoder.jpeg.image_height, channels, name);
  decoder.picture =
      Picture(static_cast<int>(decoder.jpeg.image_width), static_cast<int>(decoder.jpeg.image_height), channels);
  if (decoder.jpeg.out_color_space == JCS_CMYK) {
    decoder.cmyk_row.resize(4 * static_cast<std::size_t>(decoder.jpeg.image_width));
  }
  if (!guarded(decoder, read_rows)) throw_broken("JPEG", decoder.errors.message, name);
  if (decoder.errors.cut_short) throw_broken("JPEG", "it ends too early", name);
  return std::move(decoder.picture);
}

std::string encode_jpeg(const Picture& picture, const std::string& exif) {
  const Picture opaque = picture.channels == 4 ? to_rgb(picture) : Picture();
  Encoder encoder(picture.channels == 4 ? opaque : picture);
  encoder.jpeg.err = set_up(encoder.errors);
  if (!exif.empty()) encoder.segment = std::string(exif_mark) + exif;
  if (encoder.segment.size() > largest_segment) {
    throw RequestError(fmt::format("the text of {} bytes is too long for a JPEG, which holds {}",
                                   encoder.segment.size(), largest_segment),
                       {}, "write a PNG or WebP, or shorten the prompts");
  }
  if (!guarded(encoder, write_all)) {
    encoder.output = nullptr;  // After a failure libjpeg may have moved its buffer without telling.
    throw Error(fmt::format("the JPEG could not be made ({})", encoder.errors.message));
  }
  return {reinterpret_cast<const char*>(encoder.output), encoder.size};
}

std::string_view find_jpeg_exif(std::string_view bytes) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(bytes[k]); };
  bytes.remove_prefix(2);
  while (bytes.size() >= 4 && byte(0) == 0xFF) {
    const unsigned char marker = byte(1);
    if (marker == 0xFF) {
      bytes.remove_prefix(1);  // Fill bytes may precede a marker.
      continue;
    }
    constexpr unsigned char start_of_scan = 0xDA, app_1 = 0xE1;
    const std::size_t length = static_cast<std::size_t>(byte(2)) << 8 | byte(3);
    if (marker == start_of_scan || length < 2 || length > bytes.size() - 2) break;
    const std::string_view content = bytes.substr(4, length - 2);
    if (marker == app_1 && content.starts_with(exif_mark)) return content.substr(exif_mark.size());
    bytes.remove_prefix(2 + length);
  }
  return {};
}

}  // namespace disco::codec
