// Texts of other programs' files, and of damaged ones.
#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "picture/exif.h"
#include "picture/picture.h"

namespace disco {
namespace {

std::string big_endian(std::uint32_t value, int bytes = 4) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) text += static_cast<char>(value >> shift);
  return text;
}

std::string chunk(const std::string& type, const std::string& data) {
  return big_endian(static_cast<std::uint32_t>(data.size())) + type + data + big_endian(crc32(type + data));
}

std::string deflated(const std::string& text) {
  uLongf size = compressBound(text.size());
  std::string bytes(size, '\0');
  compress(reinterpret_cast<Bytef*>(bytes.data()), &size, reinterpret_cast<const Bytef*>(text.data()), text.size());
  bytes.resize(size);
  return bytes;
}

const std::string zero(1, '\0');
const std::string signature = "\x89PNG\r\n\x1A\n";

PictureText texts_of(const std::string& chunks) { return read_picture_text(signature + chunks, "made"); }

TEST(PngText, PilsFileIsRead) {
  const std::string bytes = read_file(fs::path(DISCO_SOURCE_DIR) / "tests" / "picture" / "files" / "texts.png");
  EXPECT_EQ(read_picture_text(bytes, "texts.png"), (PictureText{{"parameters", "a café, ñandú"},
                                                                {"disco", "日本語 🎨"},
                                                                {"Comment", std::string(200, 'x')},
                                                                {"Title", "läuft"}}));
}

TEST(PngText, EveryKindOfChunkIsRead) {
  EXPECT_EQ(texts_of(chunk("tEXt", "a" + zero + "caf\xE9")), (PictureText{{"a", "café"}}));
  EXPECT_EQ(texts_of(chunk("tEXt", "a" + zero)), (PictureText{{"a", ""}}));
  EXPECT_EQ(texts_of(chunk("zTXt", "a" + zero + zero + deflated("caf\xE9"))), (PictureText{{"a", "café"}}));
  EXPECT_EQ(texts_of(chunk("iTXt", "a" + std::string(5, '\0') + "日本")), (PictureText{{"a", "日本"}}));
  EXPECT_EQ(texts_of(chunk("iTXt", "a" + zero + "\1" + zero + "ja" + zero + "あ" + zero + deflated("日本"))),
            (PictureText{{"a", "日本"}}));
}

TEST(PngText, BytesThatAreNotUtf8AreRepaired) {
  EXPECT_EQ(texts_of(chunk("iTXt", "a" + std::string(5, '\0') + "x\xFFy")), (PictureText{{"a", "x\uFFFDy"}}));
}

TEST(PngText, TheFirstOfTwoCountsAndTheLastChunkMayComeAfterTheData) {
  const std::string one = chunk("tEXt", "a" + zero + "1"), two = chunk("tEXt", "a" + zero + "2");
  EXPECT_EQ(texts_of(one + two + chunk("IDAT", "") + chunk("tEXt", "b" + zero + "3") + chunk("IEND", "") +
                     chunk("tEXt", "c" + zero + "4")),
            (PictureText{{"a", "1"}, {"b", "3"}}));
}

TEST(PngText, DamagedChunksAreLeftOut) {
  const std::string good = chunk("tEXt", "good" + zero + "1");
  std::string wrong_checksum = chunk("tEXt", "a" + zero + "1");
  wrong_checksum.back() = static_cast<char>(wrong_checksum.back() ^ 1);
  for (const std::string& bad :
       {wrong_checksum, chunk("tEXt", "no end of the keyword"), chunk("tEXt", ""), chunk("tEXt", zero + "no keyword"),
        chunk("tEXt", std::string(80, 'k') + zero), chunk("zTXt", "a" + zero), chunk("zTXt", "a" + zero + "\1xx"),
        chunk("zTXt", "a" + zero + zero + "not deflated"),
        chunk("zTXt", "a" + zero + zero + deflated("cut short").substr(0, 9)), chunk("iTXt", "a" + zero),
        chunk("iTXt", "a" + zero + zero + zero + "no end of the language"),
        chunk("iTXt", "a" + zero + "\2" + std::string(3, '\0') + "?"),
        chunk("iTXt", "a" + zero + "\1\1" + std::string(2, '\0') + deflated("?"))}) {
    EXPECT_EQ(texts_of(bad + good), (PictureText{{"good", "1"}})) << testing::PrintToString(bad);
  }
}

TEST(PngText, AFileCutShortGivesWhatCameBefore) {
  const std::string whole = signature + chunk("tEXt", "a" + zero + "1") + chunk("tEXt", "b" + zero + "2");
  for (std::size_t size = signature.size(); size < whole.size(); ++size) {
    const PictureText text = read_picture_text(whole.substr(0, size), "cut");
    EXPECT_FALSE(text.contains("b"));
    EXPECT_EQ(text.contains("a"), size >= signature.size() + 15);
  }
}

TEST(PngText, ALyingLengthEndsTheReading) {
  EXPECT_TRUE(texts_of("\xFF\xFF\xFF\xFFtEXta" + zero + std::string(50, 'x')).empty());
}

TEST(PngText, ABombIsNotInflated) {
  const std::string bomb =
      chunk("zTXt", "bomb" + zero + zero + deflated(std::string((std::size_t{16} << 20) + 1, 'x')));
  EXPECT_LT(bomb.size(), 20000u);
  EXPECT_EQ(texts_of(bomb + chunk("tEXt", "a" + zero + "1")), (PictureText{{"a", "1"}}));
  const std::string half = deflated(std::string(std::size_t{10} << 20, 'x'));
  const PictureText two = texts_of(chunk("zTXt", "a" + zero + zero + half) + chunk("zTXt", "b" + zero + zero + half));
  EXPECT_TRUE(two.contains("a"));
  EXPECT_FALSE(two.contains("b"));
}

TEST(PictureTextReading, OtherFormatsAreRefused) {
  EXPECT_THROW((void)read_picture_text("GIF89a", "x.gif"), FormatError);
  EXPECT_THROW((void)read_picture_text("", "x.png"), FormatError);
}

/// A TIFF block in either byte order around a UserComment.
std::string tiff(bool big, const std::string& comment) {
  const auto number = [&](std::uint32_t value, int bytes) {
    const std::string text = big_endian(value, bytes);
    return big ? text : std::string(text.rbegin(), text.rend());
  };
  const auto folder = [&](std::uint32_t tag, std::uint32_t type, std::uint32_t count, std::uint32_t value) {
    // Another entry first, as real files have.
    return number(2, 2) + number(0x0100, 2) + number(4, 2) + number(1, 4) + number(7, 4) + number(tag, 2) +
           number(type, 2) + number(count, 4) + number(value, 4) + number(0, 4);
  };
  return (big ? "MM" : "II") + number(42, 2) + number(8, 4) + folder(0x8769, 4, 1, 38) +
         folder(0x9286, 7, static_cast<std::uint32_t>(comment.size()), 68) + comment;
}

std::string utf16(const std::u16string& text, bool big) {
  std::string bytes;
  for (const char16_t unit : text) {
    const std::string two = big_endian(unit, 2);
    bytes += big ? two : std::string(two.rbegin(), two.rend());
  }
  return bytes;
}

TEST(Exif, CommentsOfOtherProgramsAreRead) {
  const std::string unicode("UNICODE\0", 8), ascii("ASCII\0\0\0", 8);
  const std::u16string text = u"日本, Steps: 20 🎨";
  for (const bool block_order : {true, false}) {
    for (const bool text_order : {true, false}) {
      EXPECT_EQ(exif_comment(tiff(block_order, unicode + utf16(u"\uFEFF日本", text_order))), "日本");
    }
    EXPECT_EQ(exif_comment(tiff(block_order, ascii + "plain" + zero + zero)), "plain");
    EXPECT_EQ(exif_comment(tiff(block_order, std::string(8, '\0') + "caf\xE9")), "café");
    EXPECT_EQ(exif_comment(tiff(block_order, unicode)), "");
    EXPECT_FALSE(exif_comment(tiff(block_order, "JIS" + std::string(5, '\0') + "xx")));
    EXPECT_FALSE(exif_comment(tiff(block_order, "short")));
  }
  EXPECT_EQ(exif_comment(tiff(true, unicode + utf16(text, true))), "日本, Steps: 20 🎨");
  EXPECT_EQ(exif_comment(tiff(true, unicode + std::string("\x08\0\xD8\0", 4))), "\u0800\uFFFD");
  // In little-endian blocks some write one order and some the other.
  EXPECT_EQ(exif_comment(tiff(false, unicode + utf16(text, true))), "日本, Steps: 20 🎨");
  EXPECT_EQ(exif_comment(tiff(false, unicode + utf16(text, false))), "日本, Steps: 20 🎨");
}

TEST(Exif, BrokenBlocksHaveNoComment) {
  const std::string whole = tiff(true, std::string("UNICODE\0", 8) + utf16(u"text", true));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(exif_comment(whole.substr(0, size))) << size;
  }
  for (std::size_t k = 0; k < whole.size(); ++k) {
    for (const char value : {'\xFF', '\0', '\x7F'}) {
      std::string damaged = whole;
      damaged[k] = value;
      (void)exif_comment(damaged);
    }
  }
}

TEST(Exif, JpegSegmentsBeforeItAreSkipped) {
  const std::string block = tiff(true, std::string("UNICODE\0", 8) + utf16(u"text", true));
  const auto segment = [](char marker, const std::string& content) {
    return std::string("\xFF") + marker + big_endian(static_cast<std::uint32_t>(content.size() + 2), 2) + content;
  };
  const std::string exif = segment('\xE1', std::string("Exif\0\0", 6) + block);
  const std::string start = "\xFF\xD8", scan = segment('\xDA', "scan");
  const std::string xmp = segment('\xE1', "http://ns.adobe.com/xap/1.0/"), filled = "\xFF\xFF\xFF" + exif.substr(1);
  EXPECT_EQ(read_picture_text(start + segment('\xE0', "JFIF") + xmp + filled + scan, "jpg").at("parameters"), "text");
  EXPECT_TRUE(read_picture_text(start + scan + exif, "jpg").empty());
  EXPECT_TRUE(read_picture_text(start + exif.substr(0, 30), "jpg").empty());
  EXPECT_TRUE(read_picture_text(start + "\xFF\xE0" + zero + zero + exif, "jpg").empty());
}

TEST(Exif, WebpChunksBeforeItAreSkipped) {
  const std::string block = tiff(false, std::string("UNICODE\0", 8) + utf16(u"text!", false));
  const auto little = [](std::uint32_t value) {
    const std::string text = big_endian(value);
    return std::string(text.rbegin(), text.rend());
  };
  const std::string odd = "VP8L" + little(3) + "abc" + zero, riff = "RIFF" + little(0) + "WEBP";
  const std::string exif = "EXIF" + little(static_cast<std::uint32_t>(block.size())) + block;
  const std::string marked =
      "EXIF" + little(static_cast<std::uint32_t>(block.size() + 6)) + std::string("Exif\0\0", 6) + block;
  EXPECT_EQ(read_picture_text(riff + odd + exif, "webp").at("parameters"), "text!");
  EXPECT_EQ(read_picture_text(riff + odd + marked, "webp").at("parameters"), "text!");
  EXPECT_TRUE(read_picture_text(riff + odd + exif.substr(0, exif.size() - 1), "webp").empty());
  EXPECT_TRUE(read_picture_text(riff, "webp").empty());
  EXPECT_TRUE(read_picture_text(riff + "VP8L\xFF\xFF\xFF\xFF" + exif, "webp").empty());
}

}  // namespace
}  // namespace disco
