// Runs the program as a user would: in a folder of its own, with an environment of its own.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/file.h"
#include "core/text.h"

namespace disco::program {

inline fs::path source_folder() { return DISCO_SOURCE_DIR; }
inline fs::path binary_folder() { return DISCO_BINARY_DIR; }

/// Gone with what is in it at the end of the test.
class TempFolder {
 public:
  TempFolder() {
    std::string name = (fs::temp_directory_path() / "disco-program-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    fs::permissions(path_, fs::perms::owner_all, fs::perm_options::add, ignored);
    fs::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const fs::path& path() const { return path_; }
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

struct Outcome {
  int status = -1;  ///< Exit status; 128 + signal when one ended it.
  std::string out, err;
  double seconds = 0;
  double processor_seconds = 0;  ///< Those of other programs on the machine do not count.

  std::vector<std::string> out_lines() const {
    std::vector<std::string> lines = split(out, '\n');
    if (!lines.empty() && lines.back().empty()) lines.pop_back();
    return lines;
  }
  nlohmann::ordered_json json() const { return nlohmann::ordered_json::parse(out); }
  /// Standard error as one JSON object a line.
  std::vector<nlohmann::ordered_json> events() const {
    std::vector<nlohmann::ordered_json> list;
    for (const std::string& line : split(err, '\n')) {
      if (!line.empty()) list.push_back(nlohmann::ordered_json::parse(line));
    }
    return list;
  }
};

/// A folder to work in, and the program to run there.
class Workplace {
 public:
  Workplace() : program_(binary_folder() / "bin" / "disco") {
    fs::create_directories(folder_ / "home");
    environment_ = {{"HOME", (folder_ / "home").string()},
                    {"PATH", "/usr/bin:/bin"},
                    {"LANG", "C.UTF-8"},
                    {"DISCO_ROOT", source_folder().string()}};
    // How a build with sanitizers is to report, which the tests' own program was told.
    for (const char* options : {"ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS"}) {
      if (const char* value = std::getenv(options)) environment_[options] = value;
    }
  }

  /// From now on, a copy of the program that finds the stand-in for the engine.
  void use_fake_engine() { use_engine(binary_folder() / "fake" / "libdisco_engine.so"); }
  void use_no_engine() { use_engine({}); }

  void set(const std::string& variable, const std::string& value) { environment_[variable] = value; }
  void write(const std::string& name, const std::string& text) const { write_file(folder_ / name, text); }
  std::string read(const std::string& name) const { return read_file(folder_ / name); }
  nlohmann::ordered_json read_json(const std::string& name) const { return nlohmann::ordered_json::parse(read(name)); }
  fs::path operator/(const std::string& name) const { return folder_ / name; }
  /// A program that is running.
  class Child {
   public:
    Child(pid_t pid, fs::path out, fs::path err) : pid_(pid), out_(std::move(out)), err_(std::move(err)) {}
    void send(int signal) const { ::kill(pid_, signal); }
    std::string err_so_far() const { return read_file(err_); }
    /// From now on it cannot write files larger than this: what a full disk feels like.
    void forbid_files_beyond(std::uint64_t bytes) const {
      const rlimit limit{bytes, RLIM_INFINITY};
      ASSERT_EQ(::prlimit(pid_, RLIMIT_FSIZE, &limit, nullptr), 0);
    }
    bool running() {
      if (!status_) {
        int status = 0;
        if (::wait4(pid_, &status, WNOHANG, &used_) == pid_) status_ = status;
      }
      return !status_;
    }
    /// Until standard error holds `text`, or the program ends, or five minutes have gone.
    bool wait_for_err(const std::string& text) {
      for (int i = 0; i < 30000; ++i) {
        if (err_so_far().find(text) != std::string::npos) return true;
        if (!running()) return err_so_far().find(text) != std::string::npos;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
      return false;
    }
    Outcome wait() {
      int status = status_.value_or(0);
      if (!status_) ::wait4(pid_, &status, 0, &used_);
      status_ = status;
      Outcome outcome;
      outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      if (!out_.empty()) outcome.out = read_file(out_);
      outcome.err = read_file(err_);
      outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
      outcome.processor_seconds = seconds_of(used_.ru_utime) + seconds_of(used_.ru_stime);
      return outcome;
    }

   private:
    static double seconds_of(const timeval& time) {
      return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    }

    pid_t pid_;
    rusage used_{};
    fs::path out_, err_;
    std::optional<int> status_;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  };

  Child start(const std::vector<std::string>& arguments, const fs::path& standard_output = {}) {
    const fs::path out = standard_output.empty() ? folder_ / "stdout" : standard_output, err = folder_ / "stderr";
    write_file(err, "");
    if (standard_output.empty()) write_file(out, "");
    const pid_t pid = ::fork();
    if (pid == 0) {
      const int input = ::open("/dev/null", O_RDONLY);
      const int output = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
      const int error = ::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
      ::dup2(input, 0);
      ::dup2(output, 1);
      ::dup2(error, 2);
      become(arguments);
    }
    return {pid, standard_output.empty() ? out : fs::path(), err};
  }

  Outcome run(const std::vector<std::string>& arguments) { return start(arguments).wait(); }

  /// With a terminal of 80 × 24 for standard error; `err` is what it was sent.
  Outcome run_on_terminal(const std::vector<std::string>& arguments) {
    const winsize size{24, 80, 0, 0};
    int terminal = -1, side = -1;
    if (::openpty(&terminal, &side, nullptr, nullptr, &size) != 0) throw std::runtime_error("no terminal");
    const fs::path out = folder_ / "stdout";
    const pid_t pid = ::fork();
    if (pid == 0) {
      const int output = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
      ::dup2(output, 1);
      ::dup2(side, 2);
      ::close(terminal);
      become(arguments);
    }
    ::close(side);
    Outcome outcome;
    char buffer[4096];
    for (ssize_t got; (got = ::read(terminal, buffer, sizeof buffer)) > 0;)
      outcome.err.append(buffer, static_cast<std::size_t>(got));
    ::close(terminal);
    int status = 0;
    ::waitpid(pid, &status, 0);
    outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    outcome.out = read_file(out);
    return outcome;
  }

 private:
  void use_engine(const fs::path& engine) {
    const fs::path bin = folder_ / "bin", lib = folder_ / "lib";
    fs::create_directories(bin);
    fs::create_directories(lib);
    fs::copy_file(binary_folder() / "bin" / "disco", bin / "disco", fs::copy_options::overwrite_existing);
    fs::remove(lib / "libdisco_base.so");
    fs::create_symlink(binary_folder() / "lib" / "libdisco_base.so", lib / "libdisco_base.so");
    fs::remove(lib / "libdisco_engine.so");
    if (!engine.empty()) fs::create_symlink(engine, lib / "libdisco_engine.so");
    program_ = bin / "disco";
  }

  [[noreturn]] void become(const std::vector<std::string>& arguments) {
    if (::chdir(folder_.path().c_str()) != 0) ::_exit(120);
    ::signal(SIGXFSZ, SIG_IGN);  // A full disk sends no signal either.
    std::vector<std::string> words = {program_.string()}, variables;
    words.insert(words.end(), arguments.begin(), arguments.end());
    for (const auto& [name, value] : environment_) variables.push_back(name + "=" + value);
    std::vector<char*> argv, envp;
    for (std::string& word : words) argv.push_back(word.data());
    for (std::string& variable : variables) envp.push_back(variable.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    ::execve(program_.c_str(), argv.data(), envp.data());
    ::_exit(121);
  }

  TempFolder folder_;
  fs::path program_;
  std::map<std::string, std::string> environment_;
};

/// The program with the stand-in for the engine.
class FakeEngineTest : public ::testing::Test {
 protected:
  FakeEngineTest() { place.use_fake_engine(); }
  Workplace place;
};

/// The program without any engine: what must work without loading it.
class NoEngineTest : public ::testing::Test {
 protected:
  NoEngineTest() { place.use_no_engine(); }
  Workplace place;
};

}  // namespace disco::program
