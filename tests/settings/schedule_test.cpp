// Schedules and key frames: the grammar, its messages, and the values of Disco Diffusion 5.7.
#include "settings/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file.h"

namespace disco {
namespace {

using testing::HasSubstr;

std::string error_of(const std::string& text) {
  try {
    Schedule::parse(text);
  } catch (const RequestError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Schedule, ANumberHoldsEverywhere) {
  const Schedule schedule = Schedule::parse(" 5000 ");
  EXPECT_TRUE(schedule.is_constant());
  EXPECT_EQ(schedule.at(0), 5000);
  EXPECT_EQ(schedule.at(999), 5000);
  EXPECT_EQ(schedule.text(), "5000");
  EXPECT_EQ(Schedule::parse("-2.5e-1").at(3), -0.25);
  EXPECT_EQ(Schedule::parse("+.5").at(3), 0.5);
  EXPECT_EQ(Schedule(0.05).text(), "0.05");
  EXPECT_EQ(Schedule::parse("True"), Schedule(1));
}

TEST(Schedule, ListsRepeatAsInPython) {
  const Schedule schedule = Schedule::parse("[12]*400+[4]*600");
  EXPECT_EQ(schedule.at(0), 12);
  EXPECT_EQ(schedule.at(399), 12);
  EXPECT_EQ(schedule.at(400), 4);
  EXPECT_EQ(schedule.at(999), 4);
  EXPECT_EQ(schedule.at(-5), 12);
  EXPECT_EQ(schedule.at(5000), 4);
  EXPECT_EQ(schedule.minimum(), 4);
  EXPECT_EQ(schedule.maximum(), 12);
  EXPECT_EQ(schedule.text(), "[12]*400+[4]*600");
  const Schedule pairs = Schedule::parse(" [1, 2,] * 250 + 500 * [3] ");
  EXPECT_EQ(pairs.at(0), 1);
  EXPECT_EQ(pairs.at(499), 2);
  EXPECT_EQ(pairs.at(500), 3);
  EXPECT_EQ(Schedule::parse("([1]+[2])*500").at(3), 2);
  EXPECT_EQ(Schedule::parse("[True]*500+[False]*500").at(499), 1);
  EXPECT_EQ(Schedule::parse("[5]*0+[7]*1000"), Schedule(7));
}

TEST(Schedule, AListOfOneValueIsConstantAndKeepsItsText) {
  const Schedule schedule = Schedule::parse("[1]*1000");
  EXPECT_TRUE(schedule.is_constant());
  EXPECT_EQ(schedule, Schedule(1));
  EXPECT_EQ(schedule.text(), "[1]*1000");
}

TEST(Schedule, ALongerListIsCutWithAWarning) {
  std::string warning;
  const Schedule schedule = Schedule::parse("[1]*900+[2]*300", &warning);
  EXPECT_EQ(schedule.at(999), 2);
  EXPECT_THAT(warning, HasSubstr("1200 entries"));
  warning.clear();
  Schedule::parse("[1]*1000", &warning);
  EXPECT_EQ(warning, "");
  Schedule::parse("[1]*1000000*1000000*1000000", &warning);
  EXPECT_THAT(warning, HasSubstr("only the first 1000"));
}

TEST(Schedule, AShorterListSaysHowManyEntriesAreMissing) {
  EXPECT_THAT(error_of("[12]*400+[4]*500"), HasSubstr("has 900 entries, 100 of the 1000 are missing"));
  EXPECT_THAT(error_of("[5]"), HasSubstr("999 of the 1000"));
  EXPECT_THAT(error_of("[]*1000"), HasSubstr("1000 of the 1000"));
}

TEST(Schedule, RampsAreLinearAndHold) {
  const Schedule ramp = Schedule::parse("5000 -> 20000");
  EXPECT_EQ(ramp.at(0), 5000);
  EXPECT_EQ(ramp.at(999), 20000);
  EXPECT_DOUBLE_EQ(ramp.at(333), 10000);
  const Schedule held = Schedule::parse("5000 ->(0.4) 20000");
  EXPECT_EQ(held.at(0), 5000);
  EXPECT_LT(held.at(399), 20000);
  EXPECT_EQ(held.at(400), 20000);
  EXPECT_EQ(held.at(999), 20000);
  EXPECT_EQ(Schedule::parse("5000->(40%)20000"), held);
  const Schedule three = Schedule::parse("0 -> 10 -> 0");
  EXPECT_EQ(three.at(0), 0);
  EXPECT_NEAR(three.at(500), 10, 0.02);
  EXPECT_EQ(three.at(999), 0);
  EXPECT_EQ(Schedule::parse("1 ->(0.2) 2 -> 3 ->(0.8) 4").at(999), 4);
  EXPECT_NEAR(Schedule::parse("1 ->(0.2) 2 -> 3 ->(0.8) 4").at(500), 3, 0.01);
}

TEST(Schedule, KeyFramesAreLinearAndHeldOutside) {
  const Schedule schedule = Schedule::parse("100: (1), 400: (2.5)");
  EXPECT_EQ(schedule.at(0), 1);
  EXPECT_EQ(schedule.at(100), 1);
  EXPECT_EQ(schedule.at(250), 1.75);
  EXPECT_EQ(schedule.at(400), 2.5);
  EXPECT_EQ(schedule.at(999), 2.5);
  EXPECT_EQ(Schedule::parse("400:(2.5) 100:(1)"), schedule);
}

TEST(Schedule, MessagesNameThePosition) {
  EXPECT_THAT(error_of(""), HasSubstr("empty"));
  EXPECT_THAT(error_of("abc"), HasSubstr("expected a number, found 'a' at character 1"));
  EXPECT_THAT(error_of("[12]*400+[4*600"), HasSubstr("expected ',' or ']' after a value, found '*' at character 12"));
  EXPECT_THAT(error_of("[12]*400 [4]*600"), HasSubstr("found '[' at character 10"));
  EXPECT_THAT(error_of("[12]*4.5"), HasSubstr("whole number"));
  EXPECT_THAT(error_of("[12]*-5"), HasSubstr("expected a repeat count, found '-'"));
  EXPECT_THAT(error_of("[é]*1000"), HasSubstr("found 'é'"));
  EXPECT_THAT(error_of("1 -> 2 ->"), HasSubstr("expected a number, found the end at character 10"));
  EXPECT_THAT(error_of("1 ->(1.5) 2"), HasSubstr("must rise"));
  EXPECT_THAT(error_of("1 ->(0.5) 2 ->(0.5) 3"), HasSubstr("must rise"));
  EXPECT_THAT(error_of("0: (1), 0: (2)"), HasSubstr("entry 0 is given twice at character 9"));
  EXPECT_THAT(error_of("1000: (1)"), HasSubstr("at most 999"));
  EXPECT_THAT(error_of("1e999"), HasSubstr("too large"));
  EXPECT_THAT(error_of("1e39"), HasSubstr("too large")) << "as float32";
  EXPECT_THAT(error_of("-1e308 -> 1e308"), HasSubstr("too large"));
  EXPECT_THAT(error_of("nan"), HasSubstr("expected a number"));
  EXPECT_THAT(error_of("inf"), HasSubstr("expected a number"));
  EXPECT_THAT(error_of("__import__('os')"), HasSubstr("expected a number"));
  EXPECT_THAT(error_of(std::string(5000, '(')), HasSubstr("nested too deeply"));
}

TEST(Schedule, ValuesBecomeTheShortestList) {
  std::vector<double> values(1000, 4.0);
  std::fill(values.begin(), values.begin() + 400, 12.0);
  EXPECT_EQ(Schedule::from_values(values).text(), "[12]*400+[4]*600");
  values[0] = 1;
  values[1] = 2.5;
  EXPECT_EQ(Schedule::from_values(values).text(), "[1, 2.5]+[12]*398+[4]*600");
  EXPECT_EQ(Schedule::from_values(std::vector<double>(1000, 3.0)).text(), "3");
  EXPECT_THROW(Schedule::from_values({1, 2}), RequestError);
}

TEST(ScheduleProperty, TheTextOfValuesParsesToThem) {
  EXPECT_TRUE(rc::check([] {
    std::vector<double> values;
    while (values.size() < 1000) {
      const double value = *rc::gen::oneOf(rc::gen::map(rc::gen::inRange(-50, 50), [](int v) { return v / 8.0; }),
                                           rc::gen::arbitrary<double>());
      values.insert(values.end(), static_cast<std::size_t>(*rc::gen::element(1, 2, 90, 400)), value);
    }
    values.resize(1000);
    const Schedule schedule = Schedule::from_values(values);
    RC_ASSERT(Schedule::parse(schedule.text()) == schedule);
    for (int entry = 0; entry < 1000; ++entry) RC_ASSERT(schedule.at(entry) == values[static_cast<std::size_t>(entry)]);
  }));
}

TEST(ScheduleProperty, AnyTextParsesToWhatItsTextParsesToOrIsRefused) {
  const auto piece =
      rc::gen::element<std::string>("[", "]", "(", ")", "*", "+", ",", " ", "->", ":", "12", "0.4", "-3", "1000", "500",
                                    "[1]*1000", "[2]*500", "0: (1)", "%", "e", "é", "\xff", "True");
  EXPECT_TRUE(rc::check([&] {
    std::string text;
    for (const std::string& part : *rc::gen::container<std::vector<std::string>>(piece)) text += part;
    try {
      const Schedule schedule = Schedule::parse(text);
      RC_ASSERT(Schedule::parse(schedule.text()) == schedule);
      RC_ASSERT(schedule.minimum() <= schedule.at(500));
      RC_ASSERT(schedule.at(500) <= schedule.maximum());
    } catch (const RequestError& error) {
      RC_ASSERT(!std::string(error.what()).empty());
    }
  }));
}

TEST(KeyFrames, AgreeWithTheReference) {
  const auto golden = nlohmann::json::parse(read_file(fs::path(DISCO_SOURCE_DIR) / "tests/golden/keyframes.json"));
  ASSERT_GE(golden.size(), 4u);
  for (const auto& [text, values] : golden.items()) {
    EXPECT_EQ(parse_key_frames(text, 12), values.get<std::vector<double>>()) << text;
  }
}

TEST(KeyFrames, TakeSingleNumbersAndRefuseTheRest) {
  EXPECT_EQ(parse_key_frames("1.05", 3), std::vector<double>(3, 1.05));
  EXPECT_EQ(parse_key_frames("0: (0), 4: (8)", 3), (std::vector<double>{0, 2, 4}));
  EXPECT_EQ(parse_key_frames("0: (1), 0: (2)", 1), std::vector<double>{2});
  EXPECT_THROW(parse_key_frames("0: 5", 3), RequestError);
  EXPECT_THROW(parse_key_frames("0: (sin(t))", 3), RequestError);
  EXPECT_THROW(parse_key_frames("", 3), RequestError);
  EXPECT_THROW(parse_key_frames("0: (1)", 0), RequestError);
}

}  // namespace
}  // namespace disco
