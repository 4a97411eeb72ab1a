#include "core/text.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace disco {
namespace {

TEST(NearestWord, FindsLikelyMisspellings) {
  const std::vector<std::string> words = {"steps", "skip_steps", "clip_guidance_scale", "seed", "eta"};
  EXPECT_EQ(nearest_word("stpes", words), "steps");
  EXPECT_EQ(nearest_word("STEPS", words), "steps");
  EXPECT_EQ(nearest_word("clip_guidence_scale", words), "clip_guidance_scale");
  EXPECT_EQ(nearest_word("clip_scale", words), std::nullopt);
  EXPECT_EQ(nearest_word("wholly_different", words), std::nullopt);
  EXPECT_EQ(nearest_word("steps", {}), std::nullopt);
}

TEST(NearestWord, PrefersTheNearerAndThenTheFirst) {
  const std::vector<std::string> words = {"seeds", "seed", "need"};
  EXPECT_EQ(nearest_word("seed", words), "seed");
  EXPECT_EQ(nearest_word("feed", words), "seed");
}

TEST(Text, TrimTakesWhiteSpaceOffBothEnds) {
  EXPECT_EQ(trim(" \t\n a b \r\v\f"), "a b");
  EXPECT_EQ(trim("   "), "");
  EXPECT_EQ(trim(""), "");
  EXPECT_EQ(trim("\u00E9 "), "\u00E9");
}

TEST(Text, SplitAndJoinUndoEachOther) {
  EXPECT_EQ(split("a,b,,c", ','), (std::vector<std::string>{"a", "b", "", "c"}));
  EXPECT_EQ(split("", ','), std::vector<std::string>{""});
  EXPECT_EQ(split(",", ','), (std::vector<std::string>{"", ""}));
  EXPECT_EQ(join({}, ", "), "");
  EXPECT_EQ(join(std::vector<std::string>{"a", "b"}, ", "), "a, b");
  EXPECT_TRUE(rc::check([](const std::string& text) { RC_ASSERT(join(split(text, ','), ",") == text); }));
}

TEST(Text, LowerCaseTouchesAsciiOnly) { EXPECT_EQ(lower_case("AbZ[@É"), "abz[@É"); }

TEST(Utf8, ValidTextIsRecognised) {
  for (const char* text : {"", "plain", "é", "\uFFFF", "日本", "🎨", "\U0010FFFF", "\u0080", "\u0800", "\U00010000"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
}

TEST(Utf8, InvalidTextIsRecognised) {
  for (const char* text :
       {"\x80",              // a continuation without a start
        "\xC3", "\xE6\x97",  // cut short
        "\xC3x",             // a start without its continuation
        "\xC0\x80",          // overlong forms
        "\xE0\x80\x80", "\xF0\x80\x80\x80", "\xC1\xBF", "\xED\xA0\x80", "\xED\xBF\xBF",  // surrogates
        "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xFF"}) {
    EXPECT_FALSE(is_utf8(text)) << testing::PrintToString(text);
    std::size_t position = 0;
    EXPECT_EQ(next_code_point(text, position), U'\uFFFD');
    EXPECT_EQ(position, 1u);
  }
}

TEST(Utf8, EveryCodePointComesBack) {
  for (char32_t point = 0; point <= 0x10FFFF; point += point < 0x3000 ? 1 : 97) {
    if (point >= 0xD800 && point <= 0xDFFF) continue;
    std::string text;
    append_utf8(text, point);
    ASSERT_TRUE(is_utf8(text));
    std::size_t position = 0;
    ASSERT_EQ(next_code_point(text, position), point);
    ASSERT_EQ(position, text.size());
  }
}

TEST(Utf8, ReadingAnyBytesMovesOnAndRepairs) {
  EXPECT_TRUE(rc::check([](const std::vector<std::uint8_t>& bytes) {
    const std::string text(bytes.begin(), bytes.end());
    std::string repaired;
    for (std::size_t position = 0; position < text.size();) {
      const std::size_t before = position;
      append_utf8(repaired, next_code_point(text, position));
      RC_ASSERT(position > before);
      RC_ASSERT(position <= text.size());
    }
    RC_ASSERT(is_utf8(repaired));
    RC_ASSERT((repaired == text) == is_utf8(text));
  }));
}

TEST(ShellWord, QuotesOnlyWhatAShellWouldChange) {
  EXPECT_EQ(shell_word("out/a-b_1.png"), "out/a-b_1.png");
  EXPECT_EQ(shell_word("my models"), "'my models'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word("$HOME"), "'$HOME'");
  EXPECT_EQ(shell_word(""), "''");
}

TEST(Latin1, ComesBackFromUtf8) {
  EXPECT_TRUE(rc::check([](const std::vector<std::uint8_t>& bytes) {
    const std::string text(bytes.begin(), bytes.end());
    RC_ASSERT(is_utf8(utf8_from_latin_1(text)));
    RC_ASSERT(latin_1_from_utf8(utf8_from_latin_1(text)) == text);
  }));
  EXPECT_EQ(utf8_from_latin_1("caf\xE9"), "café");
  EXPECT_EQ(latin_1_from_utf8("日"), std::nullopt);
  EXPECT_EQ(latin_1_from_utf8("\u0100"), std::nullopt);
  EXPECT_EQ(latin_1_from_utf8("\xE9"), std::nullopt);
}

TEST(Utf16, IsReadInBothOrders) {
  using namespace std::string_view_literals;
  EXPECT_EQ(utf8_from_utf16("\0A\xD8\x3D\xDE\x00"sv, true), "A😀");
  EXPECT_EQ(utf8_from_utf16("A\0\x3D\xD8\x00\xDE"sv, false), "A😀");
  EXPECT_EQ(utf8_from_utf16("\xFF\xFE"
                            "A\0"sv,
                            true),
            "A")
      << "the mark decides";
  EXPECT_EQ(utf8_from_utf16("\xD8\x3D\0A\0"sv, true),
            "\uFFFD"
            "A")
      << "half a pair, and half a unit";
}

}  // namespace
}  // namespace disco
