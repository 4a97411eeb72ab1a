// The errors of the program. Each says what is wrong, where, and what to do, and its type decides the exit status.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace disco {

/// Exit statuses of the program.
enum class ExitStatus { done = 0, failed = 1, request = 2, memory = 3, interrupted = 130 };

/// Something that a user can be told about. `what()` is one line: "WHERE: WHAT; FIX" with empty parts left out.
class Error : public std::runtime_error {
 public:
  /// `problem`: what is wrong; `where`: file, key, position ("settings.json: steps"); `fix`: what to do about it.
  explicit Error(std::string problem, std::string where = {}, std::string fix = {});

  const std::string& problem() const noexcept { return problem_; }
  const std::string& where() const noexcept { return where_; }
  const std::string& fix() const noexcept { return fix_; }
  virtual ExitStatus status() const noexcept { return ExitStatus::failed; }

 private:
  std::string problem_, where_, fix_;
};

/// The request itself is wrong: settings, arguments, missing inputs. Thrown before any work starts.
class RequestError : public Error {
 public:
  using Error::Error;
  ExitStatus status() const noexcept override { return ExitStatus::request; }
};

/// A file whose bytes are not what they should be (truncated, lying headers, unknown format).
class FormatError : public Error {
 public:
  using Error::Error;
};

/// The request does not fit in memory.
class MemoryError : public Error {
 public:
  using Error::Error;
  ExitStatus status() const noexcept override { return ExitStatus::memory; }
};

/// The user interrupted; what was reached is kept in a checkpoint.
class Interrupted : public Error {
 public:
  using Error::Error;
  ExitStatus status() const noexcept override { return ExitStatus::interrupted; }
};

}  // namespace disco
