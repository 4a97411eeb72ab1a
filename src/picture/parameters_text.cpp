#include "picture/parameters_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/error.h"
#include "core/text.h"

namespace disco {
namespace {

constexpr std::string_view negative_mark = "Negative prompt:";
constexpr std::size_t fewest_pairs = 3;

bool is_ascii_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
bool is_word(char c) { return is_ascii_word(c) || static_cast<unsigned char>(c) >= 0x80; }
bool is_key_rest(char c) { return c == ' ' || c == '-' || c == '/'; }
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

void check_key(const std::string& key) {
  const bool letters = std::ranges::all_of(key, [](char c) { return is_ascii_word(c) || is_key_rest(c); });
  if (!letters || key.size() < 2 || !is_ascii_word(key.front()) || key.back() == ' ') {
    throw Error("\"" + key + "\" cannot be the name of a parameter", {},
                "use two or more letters, digits, spaces, - or /");
  }
}

std::string quoted_if_needed(const std::string& value) {
  const auto breaks = [](char c) { return c == ',' || c == ':' || static_cast<unsigned char>(c) < ' '; };
  const bool as_it_is = !value.empty() && !is_space(value.front()) && !is_space(value.back()) && value.front() != '"' &&
                        std::ranges::none_of(value, breaks);
  if (as_it_is) return value;
  return nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string unquoted(std::string_view value) {
  if (!value.starts_with('"') || !value.ends_with('"')) return std::string(value);
  const auto decoded = nlohmann::json::parse(value, nullptr, false);
  return decoded.is_string() ? decoded.get<std::string>() : std::string(value);
}

/// Where the JSON string that starts at `start` ends (past its quotation mark), if one of at least one character does.
std::optional<std::size_t> end_of_quoted(std::string_view line, std::size_t start) {
  std::size_t k = start + 1;
  while (k < line.size() && line[k] != '"') k += line[k] == '\\' ? 2 : 1;
  if (k >= line.size() || k == start + 1) return {};
  return k + 1;
}

/// All pairs of a line, as the regular expression of the header finds them.
ParameterPairs find_pairs(std::string_view line) {
  ParameterPairs pairs;
  std::size_t position = 0;
  for (std::size_t colon = line.find(':'); colon != std::string_view::npos; colon = line.find(':', position)) {
    // The key is the run of its characters before the colon, from the first that may begin it.
    std::size_t key = colon;
    while (key > position && (is_word(line[key - 1]) || is_key_rest(line[key - 1]))) --key;
    while (key < colon && !is_word(line[key])) ++key;
    position = colon + 1;
    if (key + 2 > colon) continue;
    std::size_t start = position;
    while (start < line.size() && is_space(line[start])) ++start;
    std::size_t end = std::min(line.find(',', start), line.size());
    if (start < line.size() && line[start] == '"') {
      const auto quoted = end_of_quoted(line, start);
      if (quoted && (*quoted == line.size() || line[*quoted] == ',')) end = *quoted;
    }
    pairs.emplace_back(line.substr(key, colon - key), unquoted(line.substr(start, end - start)));
    position = std::min(end + 1, line.size());
  }
  return pairs;
}

void add_line(std::string& text, std::string_view line) {
  if (!text.empty()) text += '\n';
  text += line;
}

}  // namespace

std::string format_parameters(std::string_view prompt, std::string_view negative_prompt, const ParameterPairs& pairs) {
  if (pairs.size() < fewest_pairs) throw Error("a parameters text needs three pairs at least");
  std::vector<std::string> settings;
  for (const auto& [key, value] : pairs) {
    check_key(key);
    settings.push_back(key + ": " + quoted_if_needed(value));
  }
  std::string text(prompt);
  if (!negative_prompt.empty()) add_line(text, std::string(negative_mark) + " " + std::string(negative_prompt));
  add_line(text, join(settings, ", "));
  return text;
}

Parameters parse_parameters(std::string_view text) {
  Parameters parameters;
  std::vector<std::string> lines = split(trim(text), '\n');
  parameters.pairs = find_pairs(lines.back());
  if (parameters.pairs.size() < fewest_pairs) {
    parameters.pairs.clear();
  } else {
    lines.pop_back();
  }
  bool negative = false;
  for (const std::string& whole : lines) {
    std::string_view line = trim(whole);
    if (line.starts_with(negative_mark)) {
      negative = true;
      line = trim(line.substr(negative_mark.size()));
    }
    add_line(negative ? parameters.negative_prompt : parameters.prompt, line);
  }
  return parameters;
}

}  // namespace disco
