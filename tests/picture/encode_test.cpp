// What is written is what was meant, and is read again.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "picture/picture.h"

namespace disco {
namespace {

Picture random_picture(int largest_side = 24) {
  Picture picture(*rc::gen::inRange(1, largest_side), *rc::gen::inRange(1, largest_side), *rc::gen::element(1, 3, 4));
  picture.samples =
      *rc::gen::container<std::vector<std::uint8_t>>(picture.samples.size(), rc::gen::arbitrary<std::uint8_t>());
  return picture;
}

/// Valid UTF-8 of code points below `limit`, without NUL.
std::string random_text(char32_t limit) {
  std::string text;
  for (const std::uint32_t point : *rc::gen::container<std::vector<std::uint32_t>>(
           rc::gen::inRange<std::uint32_t>(1, static_cast<std::uint32_t>(limit)))) {
    if (point < 0xD800 || point > 0xDFFF) append_utf8(text, point);
  }
  return text;
}

std::string random_text() { return random_text(*rc::gen::element<char32_t>(0x80, 0x100, 0x3000, 0x110000)); }

void expect_same(const Picture& a, const Picture& b) {
  RC_ASSERT(a.width == b.width);
  RC_ASSERT(a.height == b.height);
  RC_ASSERT(a.channels == b.channels);
  RC_ASSERT(a.samples == b.samples);
}

/// A smooth picture, as a photograph is in small.
Picture gradient(int width, int height, int channels = 3) {
  Picture picture(width, height, channels);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c) {
        picture.at(x, y, c) = static_cast<std::uint8_t>(127 + 120 * std::sin(x * .1 + y * .07 * (c + 1)));
      }
    }
  }
  return picture;
}

TEST(Encode, PngKeepsPicturesAndTextsExactly) {
  EXPECT_TRUE(rc::check([] {
    const Picture picture = random_picture();
    PictureText text;
    for (const char* keyword : {"parameters", "disco", "A long keyword, with 79 characters at most"}) {
      if (*rc::gen::arbitrary<bool>()) text[keyword] = random_text();
    }
    const std::string bytes = encode_picture(picture, "png", text);
    expect_same(decode_picture(bytes, "made"), picture);
    RC_ASSERT(read_picture_text(bytes, "made") == text);
    RC_ASSERT(encode_picture(picture, "png", text) == bytes);
  }));
}

TEST(Encode, WebpKeepsPicturesAndParametersExactly) {
  EXPECT_TRUE(rc::check([] {
    const Picture picture = random_picture();
    const PictureText text{{"parameters", random_text()}};
    const std::string bytes = encode_picture(picture, "webp", text);
    const Picture again = decode_picture(bytes, "made");
    // WebP has no grey, and drops an alpha that is opaque everywhere.
    if (again.channels == picture.channels) {
      expect_same(again, picture);
    } else {
      expect_same(to_rgb(again), to_rgb(picture));
    }
    RC_ASSERT(read_picture_text(bytes, "made") == text);
    RC_ASSERT(encode_picture(picture, "webp", text) == bytes);
  }));
}

TEST(Encode, JpegKeepsParametersAndNearlyThePicture) {
  EXPECT_TRUE(rc::check([] {
    const Picture picture = gradient(*rc::gen::inRange(1, 60), *rc::gen::inRange(1, 60), *rc::gen::element(1, 3));
    const PictureText text{{"parameters", random_text()}};
    const std::string bytes = encode_picture(picture, "jpg", text);
    const Picture again = decode_picture(bytes, "made");
    RC_ASSERT(again.width == picture.width);
    RC_ASSERT(again.channels == picture.channels);
    // A small picture's gradient is steep, and single samples of it move further than the rest.
    int sum = 0;
    for (std::size_t k = 0; k < picture.samples.size(); ++k) {
      const int error = std::abs(again.samples[k] - picture.samples[k]);
      RC_ASSERT(error <= 16);
      sum += error;
    }
    RC_ASSERT(sum <= 4 * static_cast<int>(picture.samples.size()));
    RC_ASSERT(read_picture_text(bytes, "made") == text);
    RC_ASSERT(encode_picture(picture, "jpeg", text) == bytes);
  }));
}

TEST(Encode, JpegDropsAlpha) {
  const Picture picture = gradient(20, 20, 4);
  EXPECT_EQ(encode_picture(picture, "jpg"), encode_picture(to_rgb(picture), "jpg"));
}

/// The types of a PNG's chunks, in order.
std::vector<std::string> chunk_types(const std::string& bytes) {
  std::vector<std::string> types;
  for (std::size_t at = 8; at + 8 <= bytes.size();) {
    std::uint32_t length = 0;
    for (std::size_t k = 0; k < 4; ++k) length = (length << 8) | static_cast<unsigned char>(bytes[at + k]);
    types.push_back(bytes.substr(at + 4, 4));
    at += 12 + length;
  }
  return types;
}

TEST(Encode, LatinTextGoesToTextChunksAndOtherToUncompressedItxtBeforeTheData) {
  const PictureText text{{"disco", "{\"prompt\": \"日本\"}"}, {"parameters", "café\nSteps: 1"}};
  const std::string bytes = encode_picture(gradient(4, 4), "png", text);
  EXPECT_EQ(chunk_types(bytes), (std::vector<std::string>{"IHDR", "iTXt", "tEXt", "IDAT", "IEND"}));
  EXPECT_NE(bytes.find(std::string("parameters\0caf\xE9\nSteps: 1", 22)), std::string::npos);
  EXPECT_NE(bytes.find(std::string("disco\0\0\0\0\0{\"prompt\": \"日本\"}", 30)), std::string::npos);
}

TEST(Encode, ExifIsTheUserCommentInBigEndianUtf16) {
  const PictureText text{{"disco", "left out"}, {"parameters", "aé🎨"}};
  const std::string comment("UNICODE\0\0a\0\xE9\xD8\x3C\xDF\xA8", 16);
  for (const char* format : {"jpg", "webp"}) {
    const std::string bytes = encode_picture(gradient(8, 8), format, text);
    EXPECT_NE(bytes.find(std::string("\x92\x86\0\7\0\0\0\x10", 8)), std::string::npos) << format;
    EXPECT_NE(bytes.find(comment), std::string::npos) << format;
    EXPECT_EQ(read_picture_text(bytes, format), (PictureText{{"parameters", "aé🎨"}})) << format;
  }
}

TEST(Encode, WithoutTextThereIsNone) {
  for (const char* format : {"png", "jpg", "webp"}) {
    EXPECT_TRUE(read_picture_text(encode_picture(gradient(8, 8), format), format).empty()) << format;
  }
}

TEST(Encode, BadTextIsRepairedRatherThanThePictureLost) {
  const PictureText text{{"parameters", std::string("a\xFF"
                                                    "b\0c",
                                                    5)}};
  const auto png = read_picture_text(encode_picture(gradient(2, 2), "png", text), "png");
  EXPECT_EQ(png.at("parameters"), "a\uFFFDb\uFFFDc");
  const auto webp = read_picture_text(encode_picture(gradient(2, 2), "webp", text), "webp");
  EXPECT_EQ(webp.at("parameters"), std::string("a\uFFFDb\0c", 7));
}

TEST(Encode, RefusesWhatTheFormatCannotHold) {
  const Picture picture = gradient(3, 3);
  EXPECT_THROW((void)encode_picture(picture, "gif"), RequestError);
  EXPECT_THROW((void)encode_picture(picture, "png", {{"", "x"}}), RequestError);
  EXPECT_THROW((void)encode_picture(picture, "png", {{" spaced", "x"}}), RequestError);
  EXPECT_THROW((void)encode_picture(picture, "png", {{"two  spaces", "x"}}), RequestError);
  EXPECT_THROW((void)encode_picture(picture, "png", {{std::string(80, 'k'), "x"}}), RequestError);
  EXPECT_NO_THROW((void)encode_picture(picture, "png", {{std::string(79, 'k'), "x"}}));
  const PictureText longest{{"parameters", std::string(32737, 'x')}}, longer{{"parameters", std::string(32738, 'x')}};
  EXPECT_EQ(read_picture_text(encode_picture(picture, "jpg", longest), "jpg"), longest);
  EXPECT_THROW((void)encode_picture(picture, "jpg", longer), RequestError);
  EXPECT_EQ(read_picture_text(encode_picture(picture, "webp", longer), "webp"), longer);
  EXPECT_THROW((void)encode_picture(Picture(16384, 1, 3), "webp"), RequestError);
  EXPECT_THROW((void)encode_picture(Picture(), "png"), Error);
  EXPECT_THROW((void)encode_picture(Picture(2, 2, 2), "png"), Error);
  Picture short_of_samples(2, 2, 3);
  short_of_samples.samples.pop_back();
  EXPECT_THROW((void)encode_picture(short_of_samples, "png"), Error);
}

class WriteTest : public ::testing::Test {
 protected:
  WriteTest() { fs::remove_all(folder_); }
  ~WriteTest() override { fs::remove_all(folder_); }

  fs::path folder_ = fs::temp_directory_path() / ("disco-picture-test-" + std::to_string(::getpid()));
};

TEST_F(WriteTest, TheEndingChoosesTheFormat) {
  const Picture picture = gradient(9, 5);
  for (const char* name : {"a.png", "b.PNG", "c.jpg", "d.JPEG", "e.webp"}) {
    write_picture(folder_ / "new" / name, picture, {{"parameters", "x: 1"}});
    EXPECT_EQ(read_picture(folder_ / "new" / name).width, 9) << name;
    EXPECT_EQ(read_picture_text(read_file(folder_ / "new" / name), name).at("parameters"), "x: 1") << name;
  }
}

TEST_F(WriteTest, AnotherEndingIsRefusedWithItsName) {
  for (const char* name : {"a.tiff", "noending"}) {
    try {
      write_picture(folder_ / name, gradient(2, 2));
      ADD_FAILURE() << name;
    } catch (const RequestError& error) {
      EXPECT_NE(error.where().find(name), std::string::npos);
    }
  }
  EXPECT_FALSE(fs::exists(folder_));
}

}  // namespace
}  // namespace disco
