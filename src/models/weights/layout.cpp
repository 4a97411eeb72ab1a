#include "models/weights/layout.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "core/error.h"

namespace disco::weights {
namespace {

struct TypeRow {
  ElementType type;
  std::uint8_t size;
  std::string_view safetensors;
};

constexpr std::array<TypeRow, 19> types = {{{ElementType::boolean, 1, "BOOL"},
                                            {ElementType::u8, 1, "U8"},
                                            {ElementType::i8, 1, "I8"},
                                            {ElementType::u16, 2, "U16"},
                                            {ElementType::i16, 2, "I16"},
                                            {ElementType::u32, 4, "U32"},
                                            {ElementType::i32, 4, "I32"},
                                            {ElementType::u64, 8, "U64"},
                                            {ElementType::i64, 8, "I64"},
                                            {ElementType::f8_e4m3, 1, "F8_E4M3"},
                                            {ElementType::f8_e5m2, 1, "F8_E5M2"},
                                            {ElementType::f8_e8m0, 1, "F8_E8M0"},
                                            {ElementType::f16, 2, "F16"},
                                            {ElementType::bf16, 2, "BF16"},
                                            {ElementType::f32, 4, "F32"},
                                            {ElementType::f64, 8, "F64"},
                                            {ElementType::c32, 4, ""},
                                            {ElementType::c64, 8, "C64"},
                                            {ElementType::c128, 16, ""}}};

const TypeRow& row(ElementType type) { return types.at(static_cast<std::size_t>(type)); }

constexpr std::uint64_t largest = INT64_MAX;

bool starts_with(Bytes bytes, std::string_view text, std::size_t at = 0) {
  if (bytes.size() < at + text.size()) return false;
  return std::string_view(reinterpret_cast<const char*>(bytes.data()) + at, text.size()) == text;
}

/// What a file that is none of the formats most likely is.
[[noreturn]] void refuse_unknown(Bytes file, const std::string& where) {
  constexpr std::string_view download = "download the file again";
  if (file.empty()) throw FormatError("the file is empty", where, std::string(download));
  if (starts_with(file, "<") || starts_with(file, "\n<")) {
    throw FormatError("this is a web page, not weights", where,
                      "the download link led to a page; take the link of the file itself");
  }
  if (starts_with(file, "version https://git-lfs")) {
    throw FormatError("this is a Git LFS pointer, not weights", where,
                      "run `git lfs pull`, or download the file itself");
  }
  if (starts_with(file, "ustar", 257)) {
    throw FormatError("this is PyTorch's tar format of before 2017, which is not read", where,
                      "save it again with a newer PyTorch, or as safetensors");
  }
  if (starts_with(file, "GGUF"))
    throw FormatError("this is a GGUF file, which is not read", where, "take the safetensors");
  throw FormatError("this is neither a safetensors nor a PyTorch file", where,
                    "if it should be one, it is damaged: " + std::string(download));
}

}  // namespace

std::size_t element_size(ElementType type) { return row(type).size; }

std::string_view safetensors_name(ElementType type) { return row(type).safetensors; }

std::optional<ElementType> from_safetensors_name(std::string_view name) {
  for (const TypeRow& candidate : types) {
    if (!name.empty() && candidate.safetensors == name) return candidate.type;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> element_count(std::span<const std::int64_t> shape) {
  std::uint64_t count = 1;
  bool empty = false;
  for (const std::int64_t size : shape) {
    if (size < 0) return std::nullopt;
    if (size == 0) {
      empty = true;
    } else if (count > largest / static_cast<std::uint64_t>(size)) {
      return std::nullopt;
    } else {
      count *= static_cast<std::uint64_t>(size);
    }
  }
  return empty ? 0 : count;
}

std::optional<std::uint64_t> extent(std::span<const std::int64_t> shape, std::span<const std::int64_t> strides) {
  const std::optional<std::uint64_t> count = element_count(shape);
  if (!count || shape.size() != strides.size()) return std::nullopt;
  std::uint64_t last = 0;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (strides[i] < 0) return std::nullopt;
    const auto stride = static_cast<std::uint64_t>(strides[i]);
    const std::uint64_t steps = shape[i] > 0 ? static_cast<std::uint64_t>(shape[i] - 1) : 0;
    if (steps > 0 && stride > (largest - 1 - last) / steps) return std::nullopt;
    last += steps * stride;
  }
  return *count == 0 ? 0 : last + 1;
}

std::vector<std::int64_t> contiguous_strides(std::span<const std::int64_t> shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * std::max<std::int64_t>(shape[i], 1);
  return strides;
}

std::string shape_text(std::span<const std::int64_t> shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

Layout read_layout(Bytes file, const std::string& where) {
  if (starts_with(file, "PK\x03\x04") || starts_with(file, "PK\x05\x06")) return read_pytorch_zip(file, where);
  // A safetensors header may be of any length, so that its first byte can look like a pickle's.
  std::uint64_t header = 0;
  if (file.size() > sizeof header) std::memcpy(&header, file.data(), sizeof header);
  const bool json = starts_with(file, "{", sizeof header);
  if (json && header <= file.size() - sizeof header) return read_safetensors(file, where);
  if (starts_with(file, "\x80")) return read_pytorch_legacy(file, where);
  if (json) return read_safetensors(file, where);
  refuse_unknown(file, where);
}

}  // namespace disco::weights
