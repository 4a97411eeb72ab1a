// Decoding, against the samples that PIL gives.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "picture/picture.h"

namespace disco {
namespace {

fs::path file(const std::string& name) { return fs::path(DISCO_SOURCE_DIR) / "tests" / "picture" / "files" / name; }

/// The message of the FormatError that decoding throws.
std::string refusal(std::string_view bytes) {
  try {
    (void)decode_picture(bytes, "some/file.png");
  } catch (const FormatError& error) {
    EXPECT_EQ(error.where(), "some/file.png");
    EXPECT_FALSE(error.fix().empty());
    return error.problem();
  }
  return "";
}

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

std::string png_chunk(const std::string& type, const std::string& data) {
  return big_endian(static_cast<std::uint32_t>(data.size())) + type + data + big_endian(crc32(type + data));
}

std::string png_of_size(std::uint32_t width, std::uint32_t height) {
  const std::string header = big_endian(width) + big_endian(height) + std::string("\x08\x02\0\0\0", 5);
  return "\x89PNG\r\n\x1A\n" + png_chunk("IHDR", header) + png_chunk("IDAT", "x") + png_chunk("IEND", "");
}

struct Expected {
  std::string name;
  int channels;
  int tolerance = 0;  ///< Lossy formats may differ by rounding between versions of their libraries.
};

class DecodeFile : public ::testing::TestWithParam<Expected> {};

TEST_P(DecodeFile, GivesPilsSamples) {
  const auto& [name, channels, tolerance] = GetParam();
  const Picture picture = read_picture(file(name));
  EXPECT_EQ(picture.width, 17);
  EXPECT_EQ(picture.height, 11);
  EXPECT_EQ(picture.channels, channels);
  const Picture rgb = to_rgb(picture);
  const std::string expected = read_file(file(name + ".rgb"));
  ASSERT_EQ(rgb.samples.size(), expected.size());
  int largest = 0;
  for (std::size_t k = 0; k < expected.size(); ++k) {
    largest = std::max(largest, std::abs(rgb.samples[k] - static_cast<unsigned char>(expected[k])));
  }
  EXPECT_LE(largest, tolerance);
}

INSTANTIATE_TEST_SUITE_P(
    Files, DecodeFile,
    ::testing::Values(Expected{"rgb8_gamma.png", 3}, Expected{"rgb8_interlaced.png", 3}, Expected{"rgb16.png", 3},
                      Expected{"rgba16_interlaced.png", 4}, Expected{"rgba8.png", 4}, Expected{"grey8.png", 1},
                      Expected{"grey_alpha8.png", 4}, Expected{"grey16.png", 1}, Expected{"grey1.png", 1},
                      Expected{"grey2.png", 1}, Expected{"grey4.png", 1}, Expected{"palette4.png", 3},
                      Expected{"palette4_transparent.png", 4}, Expected{"rgb8_transparent_colour.png", 4},
                      Expected{"texts.png", 3}, Expected{"rgb.jpg", 3, 1}, Expected{"rgb_progressive.jpg", 3, 1},
                      Expected{"rgb_rotated.jpg", 3, 1}, Expected{"grey.jpg", 1, 1}, Expected{"cmyk.jpg", 3, 1},
                      Expected{"lossy.webp", 3, 1}, Expected{"lossless.webp", 3}, Expected{"alpha.webp", 4},
                      Expected{"animated.webp", 4}),
    [](const auto& each) {
      std::string name = each.param.name;
      std::ranges::replace(name, '.', '_');
      return name;
    });

TEST(Decode, AlphaIsKept) {
  const Picture picture = read_picture(file("palette4_transparent.png"));
  bool transparent = false, opaque = false;
  for (std::size_t k = 3; k < picture.samples.size(); k += 4) {
    transparent = transparent || picture.samples[k] < 255;
    opaque = opaque || picture.samples[k] == 255;
  }
  EXPECT_TRUE(transparent);
  EXPECT_TRUE(opaque);
}

TEST(Decode, AFileCutShortAnywhereIsRefusedByName) {
  for (const char* name : {"rgb16.png", "rgb8_interlaced.png", "rgb.jpg", "lossy.webp", "alpha.webp"}) {
    SCOPED_TRACE(name);
    const std::string whole = read_file(file(name));
    // The end marks may be missing: JPEG's is 2 bytes, PNG's 12 and its checksum 4.
    const std::size_t needed = whole.size() - (std::string(name).ends_with("png") ? 17 : 3);
    for (std::size_t size = 0; size < needed; size += 7) {
      EXPECT_NE(refusal(std::string_view(whole).substr(0, size)), "") << size << " of " << whole.size() << " bytes";
    }
  }
}

TEST(Decode, DamagedBytesNeverDoHarm) {
  for (const char* name : {"rgba16_interlaced.png", "palette4.png", "rgb_progressive.jpg", "cmyk.jpg", "lossy.webp",
                           "alpha.webp", "animated.webp"}) {
    const std::string whole = read_file(file(name));
    int decoded = 0, refused = 0;
    for (std::size_t k = 0; k < whole.size(); ++k) {
      std::string damaged = whole;
      damaged[k] = static_cast<char>(damaged[k] ^ (1 << (k % 8)));
      try {
        (void)decode_picture(damaged, "damaged");
        ++decoded;
      } catch (const FormatError& error) {
        EXPECT_EQ(error.where(), "damaged");
        ++refused;
      }
    }
    EXPECT_GT(refused, 0) << name;
    EXPECT_EQ(decoded + refused, static_cast<int>(whole.size())) << name;
  }
}

TEST(Decode, WhatIsNoPictureIsRefused) {
  EXPECT_EQ(refusal(""), "the file is empty");
  for (const char* bytes : {"GIF89a", "BM", "RIFF....WAVEfmt ", "\x89PN", "<svg/>"}) {
    EXPECT_NE(refusal(bytes).find("not a PNG, JPEG or WebP"), std::string::npos) << bytes;
  }
}

TEST(Decode, SizesBeyondTheLimitAreRefusedBeforeTheyAreAllocated) {
  EXPECT_NE(refusal(png_of_size(32769, 1)).find("32769×1"), std::string::npos);
  EXPECT_NE(refusal(png_of_size(1, 2000000000)).find("too large"), std::string::npos);
  EXPECT_NE(refusal(png_of_size(32768, 32768)).find("too large"), std::string::npos);
  EXPECT_NE(refusal(png_of_size(0, 5)), "");
}

TEST(Decode, AMissingFileIsNamed) {
  try {
    (void)read_picture(file("no such picture.png"));
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_NE(error.where().find("no such picture.png"), std::string::npos);
  }
}

}  // namespace
}  // namespace disco
