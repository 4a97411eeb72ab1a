// Safetensors: eight bytes of header length, a JSON header, the data. Like the format's own reader this refuses
// overlaps, holes and bytes that no tensor owns.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "models/weights/cursor.h"

namespace disco::weights {
namespace {

using nlohmann::json;

constexpr std::uint64_t largest_header = 100'000'000;  // The format's own limit.
constexpr std::size_t largest_rank = 64;

[[noreturn]] void refuse(const std::string& where, std::string_view tensor, const std::string& problem) {
  throw FormatError(problem, fmt::format("{}, tensor \"{}\"", where, tensor), "the file is damaged; download it again");
}

json parse_header(std::string_view text, const std::string& where) {
  std::set<std::string> names;
  const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth > 3) throw FormatError("the header is nested too deeply", where);
    if (event == json::parse_event_t::key && depth == 1 && !names.insert(parsed.get<std::string>()).second) {
      throw FormatError(fmt::format("the tensor \"{}\" is listed twice", parsed.get<std::string>()), where);
    }
    return true;
  };
  try {
    json header = json::parse(text, watch);
    if (header.is_object()) return header;
  } catch (const json::exception& error) {
    throw FormatError(fmt::format("the header is not JSON ({})", error.what()), where, "download the file again");
  }
  throw FormatError("the header is not a JSON object", where, "download the file again");
}

TensorLayout read_tensor(const std::string& name, const json& entry, std::uint64_t data_size,
                         const std::string& where) {
  const auto field = [&](const char* key) -> const json& {
    const auto found = entry.is_object() ? entry.find(key) : entry.end();
    if (!entry.is_object() || found == entry.end()) refuse(where, name, fmt::format("\"{}\" is missing", key));
    return *found;
  };
  TensorLayout tensor;
  tensor.name = name;
  const json& type = field("dtype");
  const auto known = type.is_string() ? from_safetensors_name(type.get_ref<const std::string&>()) : std::nullopt;
  if (!known)
    refuse(where, name, "its dtype is not known: " + type.dump(-1, ' ', false, json::error_handler_t::replace));
  tensor.type = *known;
  const json& shape = field("shape");
  if (!shape.is_array() || shape.size() > largest_rank) refuse(where, name, "its shape is not a list of sizes");
  for (const json& size : shape) {
    if (!size.is_number_unsigned() || size.get<std::uint64_t>() > INT64_MAX) {
      refuse(where, name, "its shape is not a list of sizes");
    }
    tensor.shape.push_back(size.get<std::int64_t>());
  }
  const json& offsets = field("data_offsets");
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned()) {
    refuse(where, name, "its data_offsets are not two numbers");
  }
  const auto begin = offsets[0].get<std::uint64_t>(), end = offsets[1].get<std::uint64_t>();
  if (begin > end || end > data_size) {
    refuse(where, name,
           fmt::format("its data lies at {} to {}, but the file holds {} bytes of data", begin, end, data_size));
  }
  const auto count = element_count(tensor.shape);
  if (!count || (*count > 0 && (end - begin) / *count != element_size(tensor.type)) ||
      *count * element_size(tensor.type) != end - begin) {
    refuse(where, name,
           fmt::format("its shape {} of {} does not match its {} bytes", shape_text(tensor.shape),
                       safetensors_name(tensor.type), end - begin));
  }
  tensor.strides = contiguous_strides(tensor.shape);
  tensor.offset = begin;
  return tensor;
}

}  // namespace

Layout read_safetensors(Bytes file, const std::string& where) {
  Cursor cursor(file, where);
  const auto header_size = cursor.number<std::uint64_t>();
  if (header_size > largest_header || header_size > cursor.left()) {
    cursor.fail_at(0, fmt::format("the header claims {} bytes, but the file has {}", header_size, cursor.left()));
  }
  const json header = parse_header(cursor.text(header_size), where);
  const std::uint64_t data_size = cursor.left();

  Layout layout;
  layout.format = "safetensors";
  layout.storages.push_back({cursor.take(data_size), nullptr});
  for (const auto& [name, entry] : header.items()) {
    if (name != "__metadata__") {
      layout.tensors.push_back(read_tensor(name, entry, data_size, where));
      continue;
    }
    if (!entry.is_object()) refuse(where, name, "the metadata is not an object");
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) refuse(where, name, fmt::format("the metadata \"{}\" is not a text", key));
      layout.metadata[key] = value.get<std::string>();
    }
  }

  std::vector<const TensorLayout*> by_offset;
  for (const TensorLayout& tensor : layout.tensors) by_offset.push_back(&tensor);
  const auto bytes = [](const TensorLayout& t) { return *element_count(t.shape) * element_size(t.type); };
  std::sort(by_offset.begin(), by_offset.end(), [&](const TensorLayout* a, const TensorLayout* b) {
    return std::pair(a->offset, bytes(*a)) < std::pair(b->offset, bytes(*b));
  });
  std::uint64_t end = 0;
  for (const TensorLayout* tensor : by_offset) {
    if (tensor->offset != end) {
      refuse(where, tensor->name,
             fmt::format("its data begins at byte {}, {} the end of the data before it ({})", tensor->offset,
                         tensor->offset < end ? "before" : "after", end));
    }
    end += bytes(*tensor);
  }
  if (end != data_size) {
    throw FormatError(fmt::format("the tensors take {} bytes, but the file holds {}", end, data_size), where,
                      "the file is damaged; download it again");
  }
  return layout;
}

}  // namespace disco::weights
