#include "train/log.h"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/file.h"

namespace disco {
namespace {

constexpr std::string_view heading = "step,loss,learning_rate,samples_per_second\n";

/// The lines of steps 1 … `done`, in order; nothing of a line that a kill cut short.
std::string kept_lines(std::string_view text, std::int64_t done) {
  std::string kept(heading);
  std::int64_t last = 0;
  if (!text.starts_with(heading)) return kept;
  text.remove_prefix(heading.size());
  while (true) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return kept;
    std::int64_t step = 0;
    std::from_chars(text.data(), text.data() + end, step);
    if (step > last && step <= done) {
      kept += text.substr(0, end + 1);
      last = step;
    }
    text.remove_prefix(end + 1);
  }
}

}  // namespace

TrainLog::TrainLog(const fs::path& file, std::int64_t done) {
  write_file(file, kept_lines(fs::exists(file) ? read_file(file) : std::string(), done));
  file_.reset(std::fopen(file.c_str(), "ae"));
  if (!file_) throw Error(fmt::format("cannot write the log ({})", std::strerror(errno)), file.string());
}

bool TrainLog::add(std::int64_t step, double loss, double learning_rate, double samples_per_second) {
  if (!file_) return true;
  fmt::print(file_.get(), "{},{:.8g},{:.6g},{:.4g}\n", step, loss, learning_rate, samples_per_second);
  if (std::fflush(file_.get()) == 0) return true;
  file_.reset();
  return false;
}

}  // namespace disco
