#include "settings/schedule_reader.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "core/error.h"
#include "core/text.h"

namespace disco {
namespace {

constexpr std::size_t excerpt_limit = 80;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// The text for a message: one line, printable, not too long.
std::string excerpt(std::string_view text) {
  std::string shown;
  std::size_t position = 0;
  while (position < text.size() && shown.size() < excerpt_limit) {
    const char32_t point = next_code_point(text, position);
    append_utf8(shown, point < 0x20 || point == 0x7F ? U' ' : point);
  }
  return position < text.size() ? shown + "…" : shown;
}

}  // namespace

void ScheduleReader::skip_space() {
  while (position_ < text_.size() && is_space(text_[position_])) ++position_;
}

bool ScheduleReader::at_end() {
  skip_space();
  return position_ == text_.size();
}

char ScheduleReader::peek() { return at_end() ? '\0' : text_[position_]; }

bool ScheduleReader::accept(std::string_view token) {
  skip_space();
  if (!text_.substr(position_).starts_with(token)) return false;
  position_ += token.size();
  return true;
}

void ScheduleReader::expect(std::string_view token, std::string_view after) {
  if (!accept(token)) fail_expected(fmt::format("'{}' after {}", token, after));
}

std::optional<double> ScheduleReader::try_number() {
  skip_space();
  for (const auto& [word, value] : {std::pair{"True", 1.0}, {"true", 1.0}, {"False", 0.0}, {"false", 0.0}}) {
    if (accept(word)) return value;
  }
  std::size_t start = position_;
  if (start < text_.size() && text_[start] == '+') ++start;
  std::size_t digits = start;
  if (start == position_ && digits < text_.size() && text_[digits] == '-') ++digits;
  if (digits < text_.size() && text_[digits] == '.') ++digits;
  // from_chars also reads "inf" and "nan", which are no numbers here.
  if (digits >= text_.size() || !is_digit(text_[digits])) return std::nullopt;
  double value = 0;
  const char* const end = text_.data() + text_.size();
  const auto [stop, error] = std::from_chars(text_.data() + start, end, value);
  if (error != std::errc{} || !std::isfinite(value)) fail("this number is too large or too small");
  position_ = static_cast<std::size_t>(stop - text_.data());
  return value;
}

double ScheduleReader::number() {
  const std::optional<double> value = try_number();
  if (!value) fail_expected("a number");
  return *value;
}

long long ScheduleReader::whole(std::string_view what, long long limit) {
  skip_space();
  if (position_ == text_.size() || !is_digit(text_[position_])) fail_expected(what);
  long long value = 0;
  const auto [stop, error] = std::from_chars(text_.data() + position_, text_.data() + text_.size(), value);
  const bool fraction = stop != text_.data() + text_.size() && *stop == '.';
  if (fraction) fail(fmt::format("{} must be a whole number", what));
  if (error != std::errc{} || value > limit) fail(fmt::format("{} may be at most {}", what, limit));
  position_ = static_cast<std::size_t>(stop - text_.data());
  return value;
}

void ScheduleReader::fail(const std::string& problem, std::size_t position) const {
  throw RequestError(fmt::format("{} at character {} of \"{}\"", problem, position + 1, excerpt(text_)));
}

void ScheduleReader::fail_expected(std::string_view what) {
  if (at_end()) fail(fmt::format("expected {}, found the end", what));
  std::size_t next = position_;
  next_code_point(text_, next);
  fail(fmt::format("expected {}, found '{}'", what, excerpt(text_.substr(position_, next - position_))));
}

}  // namespace disco
