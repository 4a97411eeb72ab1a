#include "core/error.h"

namespace disco {
namespace {

std::string one_line(const std::string& problem, const std::string& where, const std::string& fix) {
  std::string line;
  if (!where.empty()) line += where + ": ";
  line += problem;
  if (!fix.empty()) line += "; " + fix;
  return line;
}

}  // namespace

Error::Error(std::string problem, std::string where, std::string fix)
    : std::runtime_error(one_line(problem, where, fix)),
      problem_(std::move(problem)),
      where_(std::move(where)),
      fix_(std::move(fix)) {}

}  // namespace disco
