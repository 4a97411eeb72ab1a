#include <fmt/format.h>
#include <png.h>

#include <csetjmp>
#include <cstring>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "picture/codec.h"

// libpng leaves by longjmp. Everything with a destructor lies in these state objects, outside of the frames that a jump
// skips: the functions run by guarded() keep plain values only.

namespace disco::codec {
namespace {

/// What libpng's callbacks and both directions share.
struct PngState {
  png_structp png = nullptr;
  png_infop info = nullptr;
  char message[160] = "";
  std::string_view input;
  std::string output;
};

void on_error(png_structp png, png_const_charp message) {
  auto* state = static_cast<PngState*>(png_get_error_ptr(png));
  std::strncpy(state->message, message, sizeof state->message - 1);
  png_longjmp(png, 1);
}

/// Warnings concern ancillary chunks, which are not used here.
void on_warning(png_structp, png_const_charp) {}

/// Runs `work(state)`, which may jump out; false when it did.
template <class State>
bool guarded(State& state, void (*work)(State&)) {
  if (setjmp(png_jmpbuf(state.png))) return false;
  work(state);
  return true;
}

struct Reader : PngState {
  Picture picture;
  std::vector<png_bytep> rows;

  Reader() {
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, static_cast<PngState*>(this), on_error, on_warning);
    info = png ? png_create_info_struct(png) : nullptr;
    if (!info) throw MemoryError("no memory left to read a PNG");
  }
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
};

void take(png_structp png, png_bytep to, std::size_t size) {
  auto* state = static_cast<PngState*>(png_get_io_ptr(png));
  if (size > state->input.size()) png_error(png, "it ends too early");
  std::memcpy(to, state->input.data(), size);
  state->input.remove_prefix(size);
}

void read_header(Reader& reader) {
  png_set_read_fn(reader.png, static_cast<PngState*>(&reader), take);
  png_set_user_limits(reader.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // check_size() says it better.
  // Gamma, colour profiles, texts and the like do not reach the samples.
  png_set_keep_unknown_chunks(reader.png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  png_read_info(reader.png, reader.info);
}

/// To 8-bit grey, RGB or RGBA: what is smaller grows, 16 bits keep their high byte.
void choose_samples(Reader& reader) {
  png_set_expand(reader.png);
  png_set_strip_16(reader.png);
  const auto type = png_get_color_type(reader.png, reader.info);
  const bool transparent = png_get_valid(reader.png, reader.info, PNG_INFO_tRNS) != 0;
  if (type == PNG_COLOR_TYPE_GRAY_ALPHA || (type == PNG_COLOR_TYPE_GRAY && transparent))
    png_set_gray_to_rgb(reader.png);
  png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
}

void read_rows(Reader& reader) { png_read_image(reader.png, reader.rows.data()); }

struct Writer : PngState {
  const Picture& picture;
  std::vector<png_const_bytep> rows;
  std::vector<std::string> contents;  ///< What the chunks point to.
  std::vector<png_text> chunks;
  char no_language[1] = "";

  explicit Writer(const Picture& picture_) : picture(picture_) {
    png = png_create_write_struct(PNG_LIBPNG_VER_STRING, static_cast<PngState*>(this), on_error, on_warning);
    info = png ? png_create_info_struct(png) : nullptr;
    if (!info) throw MemoryError("no memory left to write a PNG");
  }
  ~Writer() { png_destroy_write_struct(&png, &info); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
};

void give(png_structp png, png_bytep from, std::size_t size) {
  auto* state = static_cast<PngState*>(png_get_io_ptr(png));
  bool full = false;
  try {
    state->output.append(reinterpret_cast<const char*>(from), size);
  } catch (const std::exception&) {
    full = true;
  }
  if (full) png_error(png, "no memory left");
}

void flush(png_structp) {}

void write_all(Writer& writer) {
  constexpr int colour_types[] = {0, PNG_COLOR_TYPE_GRAY, 0, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
  png_set_write_fn(writer.png, static_cast<PngState*>(&writer), give, flush);
  png_set_compression_level(writer.png, 6);
  png_set_IHDR(writer.png, writer.info, static_cast<png_uint_32>(writer.picture.width),
               static_cast<png_uint_32>(writer.picture.height), 8, colour_types[writer.picture.channels],
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (!writer.chunks.empty()) {
    png_set_text(writer.png, writer.info, writer.chunks.data(), static_cast<int>(writer.chunks.size()));
  }
  png_write_info(writer.png, writer.info);
  png_write_image(writer.png, const_cast<png_bytepp>(writer.rows.data()));
  png_write_end(writer.png, nullptr);
}

/// 1 to 79 printable ASCII characters; no space at the ends or after another (PNG, section 11.3.3.2).
void check_keyword(const std::string& keyword) {
  bool good = !keyword.empty() && keyword.size() <= 79 && keyword.front() != ' ' && keyword.back() != ' ' &&
              keyword.find("  ") == std::string::npos;
  for (const char c : keyword) good = good && c >= ' ' && c <= '~';
  if (!good)
    throw RequestError("the keyword of a picture's text is not allowed in PNG", "\"" + keyword + "\"",
                       "use 1 to 79 letters");
}

/// Valid UTF-8 without the NUL that ends a chunk's text: what is neither becomes U+FFFD, so that no picture is lost.
std::string storable(std::string_view text) {
  std::string stored;
  for (std::size_t position = 0; position < text.size();) {
    const char32_t point = next_code_point(text, position);
    append_utf8(stored, point == 0 ? U'\uFFFD' : point);
  }
  return stored;
}

void add_texts(Writer& writer, const PictureText& text) {
  writer.contents.reserve(2 * text.size());
  for (const auto& [keyword, content] : text) {
    check_keyword(keyword);
    const std::string stored = storable(content);
    const auto latin_1 = keyword == "parameters" ? latin_1_from_utf8(stored) : std::nullopt;
    std::string& key = writer.contents.emplace_back(keyword);
    std::string& value = writer.contents.emplace_back(latin_1 ? *latin_1 : stored);
    png_text chunk{};
    chunk.compression = latin_1 ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE;
    chunk.key = key.data();
    chunk.text = value.data();
    if (latin_1) {
      chunk.text_length = value.size();
    } else {
      chunk.itxt_length = value.size();
      chunk.lang = writer.no_language;
      chunk.lang_key = writer.no_language;
    }
    writer.chunks.push_back(chunk);
  }
}

}  // namespace

Picture decode_png(std::string_view bytes, const std::string& name) {
  Reader reader;
  reader.input = bytes;
  if (!guarded(reader, read_header)) throw_broken("PNG", reader.message, name);
  const png_uint_32 width = png_get_image_width(reader.png, reader.info);
  const png_uint_32 height = png_get_image_height(reader.png, reader.info);
  check_size(width, height, 1, name);
  if (!guarded(reader, choose_samples)) throw_broken("PNG", reader.message, name);
  const int channels = png_get_channels(reader.png, reader.info);
  check_size(width, height, channels, name);
  reader.picture = Picture(static_cast<int>(width), static_cast<int>(height), channels);
  const std::size_t row = static_cast<std::size_t>(width) * static_cast<std::size_t>(channels);
  if (png_get_rowbytes(reader.png, reader.info) != row) throw_broken("PNG", "its rows have an odd size", name);
  for (std::size_t y = 0; y < height; ++y) reader.rows.push_back(reader.picture.samples.data() + y * row);
  if (!guarded(reader, read_rows)) throw_broken("PNG", reader.message, name);
  return std::move(reader.picture);
}

std::string encode_png(const Picture& picture, const PictureText& text) {
  Writer writer(picture);
  const std::size_t row = static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.channels);
  for (std::size_t y = 0; y < static_cast<std::size_t>(picture.height); ++y) {
    writer.rows.push_back(picture.samples.data() + y * row);
  }
  add_texts(writer, text);
  if (!guarded(writer, write_all)) throw Error(fmt::format("the PNG could not be made ({})", writer.message));
  return std::move(writer.output);
}

}  // namespace disco::codec
