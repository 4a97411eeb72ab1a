// Numbers that change while a picture is drawn, written as text and parsed by a grammar (never evaluated).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace disco {

/// A number for each of 1000 entries, entry 0 at the start of the noise (t = 999) and entry 999 at its end (t = 0),
/// as Disco Diffusion reads its cut schedules: entry 1000 − (floor(t) + 1).
///
/// Grammar:
///   number                       the same everywhere: 5000
///   [v]*n + [v, w]*n + …         repeated lists, 1000 entries in all: [12]*400+[4]*600
///   a -> b [-> c …]              linear ramps over the whole run: 5000 -> 20000
///   a ->(p) b                    the ramp ends at share p of the run, then holds: 5000 ->(0.4) 20000
///   k: (v), k: (v), …            key frames at entries k, linear between, held outside: 0: (1), 400: (2.5)
class Schedule {
 public:
  static constexpr int entries = 1000;

  Schedule(double value = 0);  // NOLINT(google-explicit-constructor): a number is a schedule

  /// A number from outside. Throws RequestError when float32 does not hold it.
  static Schedule constant(double value);
  /// Throws RequestError that names the position and the reason. A list longer than 1000 entries is cut and a warning
  /// is put into `warning` when given; a shorter one is an error that says how many entries are missing.
  static Schedule parse(std::string_view text, std::string* warning = nullptr);
  /// From 1000 values (DiscoArt writes schedules out).
  static Schedule from_values(const std::vector<double>& values);

  /// `entry` is clamped to 0 … 999.
  double at(int entry) const;
  bool is_constant() const { return values_.empty(); }
  double minimum() const;
  double maximum() const;
  /// What parse() read, or the shortest text that parses to the same schedule.
  const std::string& text() const { return text_; }

  bool operator==(const Schedule& other) const;

 private:
  double constant_ = 0;
  std::vector<double> values_;  ///< 1000 values, or none for a constant.
  std::string text_;
};

/// A 5.7 key-frame string ("0: (0), 10: (1.05)") as a value for each of `frames` frames, linear between the keys and
/// held outside. Throws RequestError with the position.
std::vector<double> parse_key_frames(std::string_view text, int frames);

}  // namespace disco
