// The program: takes the command line apart, runs the verb, and turns what is thrown into one line and an exit status.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <new>

#include "cli/help.h"
#include "cli/reporter.h"
#include "cli/terminal.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "core/error.h"

namespace {

using namespace disco;

int run_program(const CommandLine& line, Reporter& reporter) {
  if (line.has("--version")) {
    print("disco " DISCO_VERSION "\n");
  } else if (line.verb == nullptr) {
    print(program_help(verbs()));
  } else if (line.has("--help")) {
    print(verb_help(*line.verb, std::min(terminal_size().columns, 110)));
  } else {
    return line.verb->run(line, reporter);
  }
  return 0;
}

/// The first line: libraries append where in their sources they failed.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// Runs `work`; what it throws is told by `reporter`.
template <typename Work>
int told(Reporter& reporter, Work work) {
  const auto fail = [&](const std::string& message, ExitStatus status) {
    reporter.failed(message, static_cast<int>(status));
    return static_cast<int>(status);
  };
  try {
    return work();
  } catch (const Error& error) {
    return fail(error.what(), error.status());
  } catch (const std::bad_alloc&) {
    return fail("the memory is used up; draw a smaller picture or fewer cutouts, or see disco explain memory",
                ExitStatus::memory);
  } catch (const std::exception& error) {
    return fail("internal error: " + first_line(error.what()), ExitStatus::failed);
  }
}

/// Whether JSON is asked for, as far as can be told of words that may make no sense.
bool asks_for_json(const std::vector<std::string>& words) {
  const auto flag = std::find(words.begin(), words.end(), "--progress");
  if (flag != words.end() && flag + 1 != words.end()) return *(flag + 1) == "json";
  return std::find(words.begin(), words.end(), "--progress=json") != words.end();
}

int run(int count, char** values) {
  const std::vector<std::string> words(values + 1, values + count);
  CommandLine line;
  const int status = told(*make_reporter(asks_for_json(words) ? "json" : "none", "none"), [&] {
    line = parse_command_line(words, verbs());
    return 0;
  });
  if (status != 0) return status;
  const std::unique_ptr<Reporter> reporter =
      make_reporter(line.text("--progress", "auto"), line.text("--preview", "auto"));
  return told(*reporter, [&] { return run_program(line, *reporter); });
}

}  // namespace

int main(int count, char** values) {
  const int status = run(count, values);
#ifndef __SANITIZE_ADDRESS__
  // Everything is written and closed. LibTorch would take a tenth of a second to forget its operators one by one.
  std::cout.flush();
  std::fflush(nullptr);
  std::_Exit(status);
#endif
  return status;
}
