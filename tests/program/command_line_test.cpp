// Help, flags and what is said about wrong ones. None of it needs the engine.
#include <gmock/gmock.h>

#include "program/support.h"

namespace disco::program {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class CommandLineTest : public NoEngineTest {
 protected:
  /// Runs what must be refused, and returns its one line.
  std::string refusal(const std::vector<std::string>& arguments) {
    const Outcome outcome = place.run(arguments);
    EXPECT_EQ(outcome.status, 2) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_THAT(outcome.err, StartsWith("disco: "));
    return outcome.err;
  }
};

TEST_F(CommandLineTest, HelpNamesVerbsAndExamples) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--help"}, {"-h"}, {"help"}, {}}) {
    const Outcome outcome = place.run(arguments);
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(outcome.err, "");
    for (const char* verb : {"  run ", "  draft ", "  resume ", "  models ", "  explain ", "  import ", "  doctor "}) {
      EXPECT_THAT(outcome.out, HasSubstr(verb));
    }
    EXPECT_THAT(outcome.out, HasSubstr("disco \"a lighthouse in a storm, oil on canvas\""));
  }
}

TEST_F(CommandLineTest, HelpIsImmediate) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "sanitizers take longer to start than the program";
#endif
  double best = 1;
  for (int i = 0; i < 10; ++i) best = std::min(best, place.run({"--help"}).processor_seconds);
  EXPECT_LT(best, 0.05);
}

TEST_F(CommandLineTest, Version) {
  const Outcome outcome = place.run({"--version"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out, "disco " DISCO_VERSION "\n");
}

TEST_F(CommandLineTest, HelpOfAVerbShowsEverySettingInItsGroup) {
  const Outcome help = place.run({"run", "--help"});
  ASSERT_EQ(help.status, 0);
  const auto schema = place.run({"explain", "schema"}).json();
  ASSERT_GT(schema["properties"].size(), 60u);
  for (const auto& [key, property] : schema["properties"].items()) {
    if (!property.contains("x-group")) continue;
    std::string flag = key;
    std::replace(flag.begin(), flag.end(), '_', '-');
    EXPECT_TRUE(help.out.find("--" + flag + " ") != std::string::npos ||
                help.out.find("--[no-]" + flag) != std::string::npos)
        << key;
    EXPECT_THAT(help.out, HasSubstr("\n" + property["x-group"].get<std::string>() + "\n"));
  }
  EXPECT_EQ(place.run({"help", "run"}).out, help.out);
}

TEST_F(CommandLineTest, AnUnknownFlagNamesTheNearest) {
  EXPECT_EQ(refusal({"x", "--clip-guidance-scal", "7"}),
            "disco: there is no flag --clip-guidance-scal; did you mean --clip-guidance-scale? See disco run --help\n");
  EXPECT_THAT(refusal({"models", "list", "--jsom"}), HasSubstr("did you mean --json?"));
  EXPECT_THAT(refusal({"x", "--zzzzzzzzzzzzzzzzz=1"}),
              HasSubstr("there is no flag --zzzzzzzzzzzzzzzzz; see disco run --help"));
}

TEST_F(CommandLineTest, AMissingValueIsSaid) {
  EXPECT_EQ(refusal({"x", "--steps"}), "disco: --steps: a value is missing; see disco run --help\n");
  EXPECT_THAT(refusal({"x", "--out", "--steps", "5"}), HasSubstr("--out: a value is missing; '--steps' is a flag"));
}

TEST_F(CommandLineTest, AMisspelledVerbIsNotDrawn) {
  EXPECT_EQ(refusal({"resmue", "out"}),
            "disco: 'resmue' is not a verb; did you mean 'disco resume'? To draw the word: disco run resmue\n");
  EXPECT_THAT(refusal({"modles"}), HasSubstr("disco models"));
  EXPECT_THAT(refusal({"models", "lst"}), HasSubstr("did you mean 'disco models list'?"));
  EXPECT_THAT(refusal({"help", "frob"}), HasSubstr("there is no verb 'frob'"));
  EXPECT_THAT(refusal({"--steps", "5", "explain"}), HasSubstr("the verb 'explain' goes first"));
}

TEST_F(CommandLineTest, WrongValuesOfFlags) {
  EXPECT_THAT(refusal({"x", "--progress", "loud"}),
              HasSubstr("--progress: 'loud' is not one of its values; choose auto, bar"));
  EXPECT_THAT(refusal({"x", "--checkpoint-seconds", "soon"}),
              HasSubstr("--checkpoint-seconds: 'soon' is not a number"));
  EXPECT_THAT(refusal({"x", "--finish", "3,x"}), HasSubstr("--finish: 'x' is not the number of a draft"));
  EXPECT_THAT(refusal({"draft", "x", "--stop-at", "2"}), HasSubstr("--stop-at"));
  EXPECT_THAT(refusal({"draft", "x", "--count", "0"}), HasSubstr("--count: '0' is not a whole number of at least 1"));
  EXPECT_THAT(refusal({"x", "--set", "steps"}), HasSubstr("write --set KEY=VALUE"));
  EXPECT_THAT(refusal({"x", "--text-prompts", "y"}), HasSubstr("the prompts are given twice"));
  EXPECT_THAT(refusal({"models", "pull"}), HasSubstr("disco models pull NAME"));
  EXPECT_THAT(refusal({"import"}), HasSubstr("disco import FILE"));
  EXPECT_THAT(refusal({"resume", "a", "b"}), HasSubstr("it takes one path"));
}

TEST_F(CommandLineTest, AMissingEngineIsSaid) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"a fox"}, {"resume"}, {"models"}, {"doctor"}, {"explain", "memory"}}) {
    const Outcome outcome = place.run(arguments);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_THAT(outcome.err, HasSubstr("libdisco_engine.so: the engine is missing; build it again"));
  }
}

TEST_F(CommandLineTest, CompletionKnowsVerbsFlagsAndChoices) {
  place.write("words.sh", R"(
source ./script
words() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _disco; echo "${COMPREPLY[*]}"; }
words disco exp
words disco run --clip-guid
words disco run --perlin-mode m
words disco models ver
)");
  const Outcome script = place.run({"completion", "bash"});
  ASSERT_EQ(script.status, 0);
  place.write("script", script.out);
  const std::string command = "cd " + (place / "").string() + " && bash words.sh > answer";
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(place.read("answer"), "explain\n--clip-guidance-scale\nmixed\nverify\n");
}

}  // namespace
}  // namespace disco::program
