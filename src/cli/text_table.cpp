#include "cli/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "core/error.h"
#include "core/text.h"

namespace disco {
namespace {

std::size_t columns_of(const std::string& text) {
  std::size_t count = 0;
  for (std::size_t position = 0; position < text.size(); ++count) next_code_point(text, position);
  return count;
}

std::string scalar(const nlohmann::ordered_json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_null()) return "-";
  if (value.is_number_float()) return fmt::format("{:.4g}", value.get<double>());
  return value.dump();
}

/// A list of objects with the same keys and nothing nested.
bool is_table(const nlohmann::ordered_json& value) {
  if (!value.is_array() || value.empty() || !value.front().is_object()) return false;
  const auto same_keys = [&](const nlohmann::ordered_json& row) {
    if (!row.is_object() || row.size() != value.front().size()) return false;
    for (const auto& [key, item] : row.items()) {
      if (item.is_structured() || !value.front().contains(key)) return false;
    }
    return true;
  };
  return std::all_of(value.begin(), value.end(), same_keys);
}

std::vector<std::vector<std::string>> rows_of(const nlohmann::ordered_json& list) {
  std::vector<std::vector<std::string>> rows(1);
  for (const auto& [key, item] : list.front().items()) rows.front().push_back(key);
  for (const auto& object : list) {
    std::vector<std::string>& row = rows.emplace_back();
    for (const std::string& key : rows.front()) row.push_back(scalar(object[key]));
  }
  return rows;
}

std::string indented(const std::string& text, const std::string& margin) {
  std::string result;
  for (const std::string& line : split(text, '\n')) {
    if (!line.empty()) result += margin + line + "\n";
  }
  return result;
}

}  // namespace

std::string text_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns_of(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line += std::string(widths[i] - columns_of(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string text_outline(const nlohmann::ordered_json& value, int indent) {
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  std::string text;
  if (is_table(value)) return indented(text_table(rows_of(value)), margin);
  if (value.is_array()) {
    for (const auto& item : value) {
      text +=
          item.is_structured() ? margin + "-\n" + text_outline(item, indent + 2) : margin + "- " + scalar(item) + "\n";
    }
  } else if (value.is_object()) {
    for (const auto& [key, item] : value.items()) {
      text += margin + key + ":";
      text += item.is_structured() && !item.empty() ? "\n" + text_outline(item, indent + 2)
                                                    : " " + (item.is_structured() ? "none" : scalar(item)) + "\n";
    }
  } else {
    text += margin + scalar(value) + "\n";
  }
  return text;
}

void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw Error("standard output cannot be written");
  }
}

}  // namespace disco
