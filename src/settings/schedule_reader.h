// The character reader behind the schedule and key-frame grammars.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace disco {

/// Walks over a schedule's text. Its errors are RequestErrors that give the character (from 1) and the text.
class ScheduleReader {
 public:
  explicit ScheduleReader(std::string_view text) : text_(text) {}

  std::size_t position() const { return position_; }
  bool at_end();
  /// The next character that is no space, or 0 at the end.
  char peek();
  /// Passes over `token` when it comes next.
  bool accept(std::string_view token);
  void expect(std::string_view token, std::string_view after);

  /// A finite decimal number, with a sign when wanted ("-2.5", "1e3"); True and False are 1 and 0, as in Python's
  /// lists.
  double number();
  std::optional<double> try_number();
  /// A whole number from 0 to `limit`.
  long long whole(std::string_view what, long long limit);

  [[noreturn]] void fail(const std::string& problem) const { fail(problem, position_); }
  [[noreturn]] void fail(const std::string& problem, std::size_t position) const;
  /// "expected WHAT, found X".
  [[noreturn]] void fail_expected(std::string_view what);

 private:
  void skip_space();

  std::string_view text_;
  std::size_t position_ = 0;
};

}  // namespace disco
