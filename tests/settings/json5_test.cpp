// The readers of hand-written data files.
#include "settings/json5.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>

#include "core/error.h"
#include "settings/random_settings.h"

namespace disco {
namespace {

using Json = nlohmann::ordered_json;
using testing::ElementsAre;
using testing::HasSubstr;

Json json5(const std::string& text) { return parse_json5(text, "f.json").value; }
Json yaml(const std::string& text) { return parse_yaml(text, "f.yml").value; }

template <class Parse>
std::string error_of(const Parse& parse, const std::string& text) {
  try {
    parse(text);
  } catch (const RequestError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Json5, ReadsWhatJsonLeavesOut) {
  const Json value = json5(R"(// settings
{
  steps: 250, /* of
  many */ 'eta': .5, "half": 5., $a_1: 0xFF, b: -0x10, plus: +3, big: 1e3,
  up: Infinity, down: -Infinity, none: null, yes: true,
  list: [1, 2,], nested: {a: {b: []},},
})");
  EXPECT_EQ(value["steps"], 250);
  EXPECT_EQ(value["eta"], 0.5);
  EXPECT_EQ(value["half"], 5.0);
  EXPECT_EQ(value["$a_1"], 255);
  EXPECT_EQ(value["b"], -16);
  EXPECT_EQ(value["plus"], 3);
  EXPECT_EQ(value["big"], 1000.0);
  EXPECT_EQ(value["up"], INFINITY);
  EXPECT_EQ(value["down"], -INFINITY);
  EXPECT_TRUE(value["none"].is_null());
  EXPECT_EQ(value["list"], Json({1, 2}));
  EXPECT_TRUE(std::isnan(json5("NaN").get<double>()));
  EXPECT_TRUE(value["steps"].is_number_integer());
  EXPECT_TRUE(value["half"].is_number_float());
}

TEST(Json5, ReadsEscapes) {
  EXPECT_EQ(json5(R"('a\tb\n\x41\u00e9\ud83d\ude00\'\"\q\0')"), std::string("a\tb\nAé😀'\"q\0", 15));
  EXPECT_EQ(json5("\"one\\\n two\""), "one two");
  EXPECT_EQ(json5("\"one\\\r\n two\""), "one two");
  EXPECT_EQ(json5(R"("\ud83dx")"), "\uFFFDx");
  EXPECT_EQ(json5("\xEF\xBB\xBF{\"a\": \"日本\"}")["a"], "日本");
}

TEST(Json5, KeepsOrderAndLines) {
  const DataDocument document = parse_json5("{\n  b: 1,\n\n  a: {\n    c: 2\n  },\n  'd': 3 }", "f.json");
  EXPECT_EQ(document.value.begin().key(), "b");
  EXPECT_EQ(document.lines, (std::map<std::string, int>{{"b", 2}, {"a", 4}, {"d", 7}}));
}

TEST(Json5, ReportsAKeyGivenTwice) {
  const DataDocument document = parse_json5("{\n a: 1,\n a: 2}", "f.json");
  EXPECT_EQ(document.value["a"], 2);
  EXPECT_THAT(document.warnings, ElementsAre("f.json: line 3: 'a' is given twice; this one counts"));
}

TEST(Json5, ErrorsNameLineAndColumn) {
  EXPECT_EQ(error_of(json5, "{\n  steps: 250\n  eta: 1\n}"),
            "f.json: line 3, column 3: expected ',' or '}' after the value of 'steps', found 'e'");
  EXPECT_THAT(error_of(json5, "{\"é\": x}"),
              HasSubstr("line 1, column 7: expected a value, found 'x'; put text in quotes"));
  EXPECT_THAT(error_of(json5, "{a: 1"), HasSubstr("line 1, column 1: this '{' is never closed"));
  EXPECT_THAT(error_of(json5, "[1, [2]"), HasSubstr("line 1, column 1: this '[' is never closed"));
  EXPECT_THAT(error_of(json5, "{a: 'x\n'}"), HasSubstr("line 1, column 5: this text is not closed on its line"));
  EXPECT_THAT(error_of(json5, "/* x"), HasSubstr("never closed"));
  EXPECT_THAT(error_of(json5, ""), HasSubstr("empty"));
  EXPECT_THAT(error_of(json5, "{} x"), HasSubstr("expected the end"));
  EXPECT_THAT(error_of(json5, "{a 1}"), HasSubstr("expected ':'"));
  EXPECT_THAT(error_of(json5, "[-]"), HasSubstr("expected a number, found ']'"));
  EXPECT_THAT(error_of(json5, "[12px]"), HasSubstr("not a number"));
  EXPECT_THAT(error_of(json5, "[0x]"), HasSubstr("hexadecimal"));
  EXPECT_THAT(error_of(json5, "[1e999]"), HasSubstr("too large"));
  EXPECT_THAT(error_of(json5, "['\\u12']"), HasSubstr("hexadecimal digit"));
  EXPECT_THAT(error_of(json5, "{a: '\xff'}"), HasSubstr("line 1, column 6: this is not UTF-8"));
  EXPECT_THAT(error_of(json5, std::string(100'000, '[')), HasSubstr("nested more than 64 deep"));
}

TEST(Json5Property, ReadsAllJson) {
  EXPECT_TRUE(rc::check([] {
    Json value = Json::object();
    for (int i = *rc::gen::inRange(0, 5); i > 0; --i) {
      value[random_settings::text()] = {random_settings::text(),
                                        *rc::gen::arbitrary<double>(),
                                        *rc::gen::arbitrary<std::int64_t>(),
                                        *rc::gen::arbitrary<std::uint64_t>(),
                                        *rc::gen::arbitrary<bool>(),
                                        nullptr};
    }
    RC_ASSERT(json5(value.dump(*rc::gen::inRange(-1, 3))) == value);
  }));
}

TEST(Json5Property, AnyTextIsReadOrRefused) {
  const auto piece =
      rc::gen::element<std::string>("{", "}", "[", "]", ":", ",", "'", "\"", "\\", "\n", "//", "/*", "*/", "1", "-",
                                    ".", "e", "0x", "true", "NaN", "Infinity", "a", "\\u", "d83d", "\xc3", " ");
  EXPECT_TRUE(rc::check([&] {
    std::string text;
    for (const std::string& part : *rc::gen::container<std::vector<std::string>>(piece)) text += part;
    for (const auto& parse : {parse_json5, parse_yaml}) {
      try {
        parse(text, "f");
      } catch (const RequestError& error) {
        RC_ASSERT(error.where().starts_with("f"));
      }
    }
  }));
}

TEST(Yaml, TypesPlainScalarsAsTheCoreSchemaDoes) {
  const Json value = yaml(R"(
steps: 250
eta: .5
exponent: 1e3
hex: 0xFF
octal: 0o17
negative: -3
yes_is_text: yes
flag: true
nothing: ~
empty:
quoted: "250"
version: 1.2.3
infinite: -.inf
cut_overview: "[12]*400+[4]*600"
text_prompts:
  0:
    - a castle:2
    - "fog: 1"
)");
  EXPECT_EQ(value["steps"], 250);
  EXPECT_EQ(value["eta"], 0.5);
  EXPECT_EQ(value["exponent"], 1000.0);
  EXPECT_EQ(value["hex"], 255);
  EXPECT_EQ(value["octal"], 15);
  EXPECT_EQ(value["negative"], -3);
  EXPECT_EQ(value["yes_is_text"], "yes");
  EXPECT_EQ(value["flag"], true);
  EXPECT_TRUE(value["nothing"].is_null());
  EXPECT_TRUE(value["empty"].is_null());
  EXPECT_EQ(value["quoted"], "250");
  EXPECT_EQ(value["version"], "1.2.3");
  EXPECT_EQ(value["infinite"], -INFINITY);
  EXPECT_EQ(value["text_prompts"]["0"], Json({"a castle:2", "fog: 1"}));
}

TEST(Yaml, KeepsLinesAndReportsKeysGivenTwice) {
  const DataDocument document = parse_yaml("steps: 1\n\neta: 1\nsteps: 2\n", "f.yml");
  EXPECT_EQ(document.value["steps"], 2);
  EXPECT_EQ(document.lines.at("eta"), 3);
  EXPECT_THAT(document.warnings, ElementsAre("f.yml: line 4: 'steps' is given twice; this one counts"));
}

TEST(Yaml, ErrorsNameLineAndColumn) {
  EXPECT_THAT(error_of(yaml, "steps: 1\ncut_overview: [12]*400+[4]*600\n"), HasSubstr("f.yml: line 2"));
  EXPECT_THAT(error_of(yaml, "steps: 1\ncut_overview: [12]*400+[4]*600\n"), HasSubstr("in quotes"));
  EXPECT_THAT(error_of(yaml, "? [a]\n: 1\n"), HasSubstr("a key must be plain text"));
  EXPECT_THAT(error_of(yaml, std::string(5000, '[')), HasSubstr("nested too deeply"));
}

TEST(Yaml, ExpandsAnchorsWithinLimits) {
  EXPECT_EQ(yaml("a: &x [1, 2]\nb: *x\n")["b"], Json({1, 2}));
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += fmt::format("a{}: &a{} [", i, i);
    for (int j = 0; j < 10; ++j) bomb += fmt::format("{}*a{}", j == 0 ? "" : ", ", i - 1);
    bomb += "]\n";
  }
  EXPECT_THAT(error_of(yaml, bomb), HasSubstr("more than 100000 values"));
}

}  // namespace
}  // namespace disco
