#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/text.h"
#include "settings/json5.h"

namespace disco {
namespace {

using Json = nlohmann::ordered_json;

constexpr int depth_limit = 64;
constexpr int value_limit = 100'000;
constexpr std::size_t key_limit = 10'000;

/// A number in the notation of YAML 1.2's core schema, or nothing.
std::optional<Json> core_number(const std::string& text) {
  const bool negative = text.starts_with('-');
  const std::string_view unsigned_text = std::string_view(text).substr(negative || text.starts_with('+') ? 1 : 0);
  if (unsigned_text == ".inf" || unsigned_text == ".Inf" || unsigned_text == ".INF") {
    return negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  }
  if (text == ".nan" || text == ".NaN" || text == ".NAN") return std::numeric_limits<double>::quiet_NaN();
  const char* const end = unsigned_text.data() + unsigned_text.size();
  const bool hexadecimal = unsigned_text.starts_with("0x");
  const bool octal = unsigned_text.starts_with("0o");
  if (hexadecimal || octal) {
    std::int64_t value = 0;
    const auto [stop, error] = std::from_chars(unsigned_text.data() + 2, end, value, hexadecimal ? 16 : 8);
    if (error != std::errc{} || stop != end || unsigned_text.size() == 2 || unsigned_text[2] == '-')
      return std::nullopt;
    return Json(negative ? -value : value);
  }
  if (unsigned_text.empty() || unsigned_text.find_first_not_of("0123456789.eE+-") != std::string_view::npos)
    return std::nullopt;
  if (unsigned_text.find_first_of("0123456789") == std::string_view::npos || unsigned_text[0] == '-')
    return std::nullopt;
  if (unsigned_text.find_first_of(".eE") == std::string_view::npos) {
    std::int64_t value = 0;
    const auto [stop, error] = std::from_chars(unsigned_text.data(), end, value);
    if (error == std::errc{} && stop == end) return Json(negative ? -value : value);
  }
  double value = 0;
  const auto [stop, error] = std::from_chars(unsigned_text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return Json(negative ? -value : value);
}

class YamlConverter {
 public:
  explicit YamlConverter(const std::string& name) : name_(name) {}

  DataDocument document(const YAML::Node& root) {
    document_.value = convert(root, 0);
    return std::move(document_);
  }

 private:
  [[noreturn]] void fail(const YAML::Mark& mark, const std::string& problem) const {
    throw RequestError(problem, fmt::format("{}: line {}, column {}", name_, mark.line + 1, mark.column + 1));
  }

  Json convert(const YAML::Node& node, int depth) {
    if (depth > depth_limit) fail(node.Mark(), fmt::format("nested more than {} deep", depth_limit));
    if (++values_ > value_limit) fail(node.Mark(), fmt::format("more than {} values, aliases included", value_limit));
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        return scalar(node);
      case YAML::NodeType::Sequence: {
        Json result = Json::array();
        for (const YAML::Node& item : node) result.push_back(convert(item, depth + 1));
        return result;
      }
      case YAML::NodeType::Map:
        return map(node, depth);
      case YAML::NodeType::Null:
      case YAML::NodeType::Undefined:
        return nullptr;
    }
    return nullptr;
  }

  Json scalar(const YAML::Node& node) const {
    const std::string& text = node.Scalar();
    if (!is_utf8(text)) fail(node.Mark(), "this is not UTF-8 text");
    if (node.Tag() != "?") return text;
    if (text == "null" || text == "Null" || text == "NULL" || text == "~" || text.empty()) return nullptr;
    if (text == "true" || text == "True" || text == "TRUE") return true;
    if (text == "false" || text == "False" || text == "FALSE") return false;
    if (const std::optional<Json> number = core_number(text)) return *number;
    return text;
  }

  Json map(const YAML::Node& node, int depth) {
    Json result = Json::object();
    for (const auto& item : node) {
      if (!item.first.IsScalar()) fail(item.first.Mark(), "a key must be plain text");
      const std::string& key = item.first.Scalar();
      if (!is_utf8(key)) fail(item.first.Mark(), "this is not UTF-8 text");
      if (result.size() >= key_limit)
        fail(item.first.Mark(), fmt::format("more than {} keys in one object", key_limit));
      const int line = item.first.Mark().line + 1;
      if (result.contains(key)) {
        document_.warnings.push_back(
            fmt::format("{}: line {}: '{}' is given twice; this one counts", name_, line, key));
      }
      result[key] = convert(item.second, depth + 1);
      if (depth == 0) document_.lines[key] = line;
    }
    return result;
  }

  std::string name_;
  int values_ = 0;
  DataDocument document_;
};

/// yaml-cpp builds collections by recursion and its anchors by reference; the brackets' depth is bounded before it
/// starts.
void check_depth(std::string_view text, const std::string& name) {
  int depth = 0, line = 1;
  for (const char c : text) {
    line += c == '\n';
    depth += (c == '[' || c == '{') - (c == ']' || c == '}');
    if (depth < 0) depth = 0;
    if (depth > 10 * depth_limit)
      throw RequestError("the brackets are nested too deeply", fmt::format("{}: line {}", name, line));
  }
}

}  // namespace

DataDocument parse_yaml(std::string_view text, const std::string& name) {
  check_depth(text, name);
  try {
    return YamlConverter(name).document(YAML::Load(std::string(text)));
  } catch (const YAML::Exception& error) {
    throw RequestError(fmt::format("this is not valid YAML ({})", error.msg),
                       fmt::format("{}: line {}, column {}", name, error.mark.line + 1, error.mark.column + 1),
                       "put text that holds any of [ ] { } : # & * ! % @ in quotes, schedules for example");
  }
}

}  // namespace disco
