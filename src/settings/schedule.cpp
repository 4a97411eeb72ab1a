#include "settings/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/error.h"
#include "core/text.h"
#include "settings/schedule_reader.h"

namespace disco {
namespace {

constexpr int depth_limit = 32;
constexpr long long repeat_limit = 1'000'000;

/// Values at growing places, linear between them.
struct Point {
  double place, value;
};

/// Linear between the points and held outside, in the order of operations of numpy.interp, which pandas and so 5.7 use.
double interpolate(const std::vector<Point>& points, double x) {
  if (x <= points.front().place) return points.front().value;
  if (x >= points.back().place) return points.back().value;
  const auto after =
      std::upper_bound(points.begin(), points.end(), x, [](double a, const Point& b) { return a < b.place; });
  const Point& a = *(after - 1);
  const double slope = (after->value - a.value) / (after->place - a.place);
  return slope * (x - a.place) + a.value;
}

/// A list of which only the first 1000 entries are kept; `total` counts them all.
struct List {
  std::vector<double> values;
  std::uint64_t total = 0;

  void append(const List& other) {
    const std::size_t room = Schedule::entries - values.size();
    const std::size_t taken = std::min(room, other.values.size());
    values.insert(values.end(), other.values.begin(), other.values.begin() + static_cast<std::ptrdiff_t>(taken));
    total = std::min<std::uint64_t>(total + other.total, UINT32_MAX);
  }
  List repeated(long long times) const {
    List result;
    for (long long i = 0; i < times && result.values.size() < Schedule::entries && !values.empty(); ++i)
      result.append(*this);
    result.total = std::min<std::uint64_t>(total * static_cast<std::uint64_t>(times), UINT32_MAX);
    return result;
  }
};

List read_sum(ScheduleReader& reader, int depth);

/// '[' values ']' or '(' sum ')'.
List read_group(ScheduleReader& reader, int depth) {
  if (depth > depth_limit) reader.fail("the brackets are nested too deeply");
  if (reader.accept("(")) {
    List list = read_sum(reader, depth + 1);
    reader.expect(")", "the group");
    return list;
  }
  reader.expect("[", "a '*' or '+', or at the start,");
  List list;
  while (!reader.accept("]")) {
    const double value = reader.number();
    list.append({{value}, 1});
    if (!reader.accept(",") && reader.peek() != ']') reader.fail_expected("',' or ']' after a value");
  }
  return list;
}

/// group ['*' n …], or n '*' group.
List read_term(ScheduleReader& reader, int depth) {
  if (reader.peek() >= '0' && reader.peek() <= '9') {
    const long long times = reader.whole("a repeat count", repeat_limit);
    reader.expect("*", "a repeat count");
    return read_group(reader, depth).repeated(times);
  }
  List list = read_group(reader, depth);
  while (reader.accept("*")) list = list.repeated(reader.whole("a repeat count", repeat_limit));
  return list;
}

List read_sum(ScheduleReader& reader, int depth) {
  List list = read_term(reader, depth);
  while (reader.accept("+")) list.append(read_term(reader, depth));
  return list;
}

std::vector<double> read_list(ScheduleReader& reader, std::string* warning) {
  List list = read_sum(reader, 0);
  if (!reader.at_end()) reader.fail_expected("'+', '*' or the end");
  if (list.total < Schedule::entries) {
    throw RequestError(fmt::format("the list has {} entries, {} of the {} are missing", list.total,
                                   Schedule::entries - list.total, Schedule::entries),
                       {}, "let the repeat counts add up to 1000, as in [12]*400+[4]*600");
  }
  if (list.total > Schedule::entries && warning) {
    *warning = fmt::format("the list has {} entries; only the first {} are used", list.total, Schedule::entries);
  }
  return std::move(list.values);
}

/// a -> b [-> c …]; `first` has been read.
std::vector<double> read_ramp(ScheduleReader& reader, double first) {
  struct Stop {
    double share, value;
    std::size_t position;
  };
  std::vector<Stop> stops = {{0, first, 0}};
  while (reader.accept("->")) {
    double share = std::nan("");
    const std::size_t position = reader.position();
    if (reader.accept("(")) {
      share = reader.number();
      if (reader.accept("%")) share /= 100;
      reader.expect(")", "the share");
    }
    stops.push_back({share, reader.number(), position});
  }
  if (!reader.at_end()) reader.fail_expected("'->' or the end");
  if (std::isnan(stops.back().share)) stops.back().share = 1;
  for (std::size_t known = 0; known + 1 < stops.size();) {
    std::size_t next = known + 1;
    while (std::isnan(stops[next].share)) ++next;
    const double step = (stops[next].share - stops[known].share) / static_cast<double>(next - known);
    for (std::size_t i = known + 1; i < next; ++i)
      stops[i].share = stops[known].share + step * static_cast<double>(i - known);
    known = next;
  }
  for (std::size_t i = 1; i < stops.size(); ++i) {
    if (!(stops[i].share > stops[i - 1].share) || stops[i].share > 1) {
      reader.fail("the shares of a ramp must rise, above 0 and up to 1, which they do not", stops[i].position);
    }
  }
  std::vector<Point> points;
  points.reserve(stops.size());
  for (const Stop& stop : stops) points.push_back({stop.share * (Schedule::entries - 1), stop.value});
  std::vector<double> values(Schedule::entries);
  for (int entry = 0; entry < Schedule::entries; ++entry)
    values[static_cast<std::size_t>(entry)] = interpolate(points, entry);
  return values;
}

struct Key {
  long long place;
  double value;
  std::size_t position;
};

/// k: (v)[,] k: (v) …
std::vector<Key> read_keys(ScheduleReader& reader, long long last) {
  std::vector<Key> keys;
  while (!reader.at_end()) {
    const std::size_t position = reader.position();
    const long long place = reader.whole("a key frame's number", last);
    reader.expect(":", "a key frame's number");
    reader.expect("(", "a key frame's colon");
    const double value = reader.number();
    reader.expect(")", "the value");
    keys.push_back({place, value, position});
    reader.accept(",");
  }
  return keys;
}

std::vector<Point> sorted_points(std::vector<Key> keys) {
  std::stable_sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) { return a.place < b.place; });
  std::vector<Point> points;
  for (const Key& key : keys) {
    if (!points.empty() && points.back().place == static_cast<double>(key.place)) points.pop_back();
    points.push_back({static_cast<double>(key.place), key.value});
  }
  return points;
}

std::vector<double> read_schedule_keys(ScheduleReader& reader) {
  std::vector<Key> keys = read_keys(reader, Schedule::entries - 1);
  std::vector<bool> seen(Schedule::entries);
  for (const Key& key : keys) {
    const auto place = static_cast<std::size_t>(key.place);
    if (seen[place]) reader.fail(fmt::format("entry {} is given twice", key.place), key.position);
    seen[place] = true;
  }
  const std::vector<Point> points = sorted_points(std::move(keys));
  std::vector<double> values(Schedule::entries);
  for (int entry = 0; entry < Schedule::entries; ++entry)
    values[static_cast<std::size_t>(entry)] = interpolate(points, entry);
  return values;
}

/// As float32 too, in which pictures are computed.
void check_finite(const std::vector<double>& values) {
  if (!std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(static_cast<float>(v)); })) {
    throw RequestError("the schedule's numbers are too large");
  }
}

bool all_equal(const std::vector<double>& values) {
  return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
}

/// [v]*n+… for runs of equal values; values that stand alone are put together.
std::string list_text(const std::vector<double>& values) {
  std::string text;
  bool open = false;
  for (std::size_t i = 0; i < values.size();) {
    std::size_t end = i + 1;
    while (end < values.size() && values[end] == values[i]) ++end;
    const std::size_t count = end - i;
    if (count == 1) {
      text += open ? ", " : text.empty() ? "[" : "+[";
      text += fmt::format("{}", values[i]);
      open = true;
    } else {
      if (open) text += "]";
      open = false;
      text += fmt::format("{}[{}]*{}", text.empty() ? "" : "+", values[i], count);
    }
    i = end;
  }
  return open ? text + "]" : text;
}

}  // namespace

Schedule::Schedule(double value) : constant_(value), text_(fmt::format("{}", value)) {}

Schedule Schedule::constant(double value) {
  check_finite({value});
  return {value};
}

Schedule Schedule::parse(std::string_view text, std::string* warning) {
  const std::string_view trimmed = trim(text);
  if (trimmed.empty())
    throw RequestError("the schedule is empty", {}, "write a number such as 5000, or [12]*400+[4]*600");
  ScheduleReader reader(trimmed);
  Schedule schedule;
  const auto list_follows = [&] {
    const char next = reader.peek();
    if (next == '[' || next == '(') return true;
    ScheduleReader ahead = reader;
    return next >= '0' && next <= '9' && ahead.try_number() && ahead.peek() == '*';
  };
  const auto key_follows = [&] {
    ScheduleReader ahead = reader;
    return ahead.try_number() && ahead.peek() == ':';
  };
  if (list_follows()) {
    schedule.values_ = read_list(reader, warning);
  } else if (key_follows()) {
    schedule.values_ = read_schedule_keys(reader);
  } else {
    const double first = reader.number();
    if (reader.at_end()) {
      schedule.constant_ = first;
    } else if (reader.peek() == '-') {
      schedule.values_ = read_ramp(reader, first);
    } else {
      reader.fail_expected("'->', ':' or the end after the number");
    }
  }
  check_finite(schedule.is_constant() ? std::vector{schedule.constant_} : schedule.values_);
  if (!schedule.values_.empty() && all_equal(schedule.values_)) {
    schedule.constant_ = schedule.values_.front();
    schedule.values_.clear();
  }
  schedule.text_ = trimmed;
  return schedule;
}

Schedule Schedule::from_values(const std::vector<double>& values) {
  if (values.size() != entries) {
    throw RequestError(fmt::format("a schedule has {} values, these are {}", entries, values.size()));
  }
  check_finite(values);
  if (all_equal(values)) return {values.front()};
  Schedule schedule;
  schedule.values_ = values;
  schedule.text_ = list_text(values);
  return schedule;
}

double Schedule::at(int entry) const {
  return is_constant() ? constant_ : values_[static_cast<std::size_t>(std::clamp(entry, 0, entries - 1))];
}

double Schedule::minimum() const {
  return is_constant() ? constant_ : *std::min_element(values_.begin(), values_.end());
}

double Schedule::maximum() const {
  return is_constant() ? constant_ : *std::max_element(values_.begin(), values_.end());
}

bool Schedule::operator==(const Schedule& other) const {
  if (is_constant() != other.is_constant()) return false;
  return is_constant() ? constant_ == other.constant_ : values_ == other.values_;
}

std::vector<double> parse_key_frames(std::string_view text, int frames) {
  constexpr long long frame_limit = 10'000'000;
  if (frames < 1)
    throw RequestError(fmt::format("key frames over {} frames", frames), {}, "there is at least one frame");
  const std::string_view trimmed = trim(text);
  if (trimmed.empty()) throw RequestError("the key frames are empty", {}, "write them as 0: (1), 10: (1.05)");
  ScheduleReader reader(trimmed);
  std::vector<double> values(static_cast<std::size_t>(frames));
  if (const auto value = ScheduleReader(reader).try_number(); value) {
    reader.number();
    if (reader.at_end()) {
      std::fill(values.begin(), values.end(), *value);
      return values;
    }
    reader = ScheduleReader(trimmed);
  }
  const std::vector<Point> points = sorted_points(read_keys(reader, frame_limit));
  for (std::size_t frame = 0; frame < values.size(); ++frame)
    values[frame] = interpolate(points, static_cast<double>(frame));
  check_finite(values);
  return values;
}

}  // namespace disco
