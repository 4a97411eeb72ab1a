#include "core/error.h"

#include <gtest/gtest.h>

namespace disco {
namespace {

TEST(Error, SaysWhereWhatAndWhatToDoInOneLine) {
  const Error full("steps is -3", "settings.json: steps", "set it to 1 or more");
  EXPECT_STREQ(full.what(), "settings.json: steps: steps is -3; set it to 1 or more");
  EXPECT_EQ(full.problem(), "steps is -3");
  EXPECT_EQ(full.where(), "settings.json: steps");
  EXPECT_EQ(full.fix(), "set it to 1 or more");
}

TEST(Error, EmptyPartsAreLeftOut) {
  EXPECT_STREQ(Error("it failed").what(), "it failed");
  EXPECT_STREQ(Error("it failed", "here").what(), "here: it failed");
  EXPECT_STREQ(Error("it failed", "", "try again").what(), "it failed; try again");
}

/// The status of an error caught as what the program catches.
template <class Kind>
ExitStatus caught_status() {
  try {
    throw Kind("what", "where");
  } catch (const Error& error) {
    return error.status();
  }
}

TEST(Error, TheTypeDecidesTheExitStatus) {
  EXPECT_EQ(caught_status<Error>(), ExitStatus::failed);
  EXPECT_EQ(caught_status<FormatError>(), ExitStatus::failed);
  EXPECT_EQ(caught_status<RequestError>(), ExitStatus::request);
  EXPECT_EQ(caught_status<MemoryError>(), ExitStatus::memory);
  EXPECT_EQ(caught_status<Interrupted>(), ExitStatus::interrupted);
  EXPECT_EQ(static_cast<int>(ExitStatus::done), 0);
  EXPECT_EQ(static_cast<int>(ExitStatus::failed), 1);
  EXPECT_EQ(static_cast<int>(ExitStatus::request), 2);
  EXPECT_EQ(static_cast<int>(ExitStatus::memory), 3);
  EXPECT_EQ(static_cast<int>(ExitStatus::interrupted), 130);
}

}  // namespace
}  // namespace disco
