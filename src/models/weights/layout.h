// What a weights file holds, without torch: where each tensor's bytes lie, checked against the file. The readers below
// this header work on a span of bytes and never read, allocate or loop by an unchecked number of the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace disco::weights {

using Bytes = std::span<const std::byte>;

enum class ElementType : std::uint8_t {
  boolean,
  u8,
  i8,
  u16,
  i16,
  u32,
  i32,
  u64,
  i64,
  f8_e4m3,
  f8_e5m2,
  f8_e8m0,
  f16,
  bf16,
  f32,
  f64,
  c32,
  c64,
  c128
};

/// Bytes an element takes.
std::size_t element_size(ElementType type);
/// The safetensors name ("F32"), or an empty text for the types that format does not know.
std::string_view safetensors_name(ElementType type);
std::optional<ElementType> from_safetensors_name(std::string_view name);

/// A run of bytes that tensors are views of: a part of the file, or an unpacked entry kept alive by `owner`.
struct Storage {
  Bytes bytes;
  std::shared_ptr<const void> owner;
};

struct TensorLayout {
  std::string name;
  ElementType type = ElementType::f32;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;  ///< In elements, never negative.
  std::uint32_t storage = 0;          ///< Index into Layout::storages.
  std::uint64_t offset = 0;           ///< Bytes from the storage's start.
};

struct Layout {
  std::string format;  ///< "safetensors", "pytorch-zip", "pytorch-legacy", "torchscript".
  std::vector<Storage> storages;
  std::vector<TensorLayout> tensors;  ///< Names are unique.
  std::map<std::string, std::string> metadata;
};

/// Reads any of the formats, recognised by content. `where` names the file in errors. Throws FormatError.
Layout read_layout(Bytes file, const std::string& where);

Layout read_safetensors(Bytes file, const std::string& where);
/// PyTorch's zip format and TorchScript archives.
Layout read_pytorch_zip(Bytes file, const std::string& where);
/// PyTorch's format before 1.6: pickles followed by the raw storages.
Layout read_pytorch_legacy(Bytes file, const std::string& where);

/// Elements of a shape, or nothing when a size is negative or the product leaves 63 bits.
std::optional<std::uint64_t> element_count(std::span<const std::int64_t> shape);
/// One past the last element that a strided view touches, counted from its first; 0 for an empty view, nothing on
/// overflow.
std::optional<std::uint64_t> extent(std::span<const std::int64_t> shape, std::span<const std::int64_t> strides);
std::vector<std::int64_t> contiguous_strides(std::span<const std::int64_t> shape);
/// "[4, 3, 3, 3]"
std::string shape_text(std::span<const std::int64_t> shape);

}  // namespace disco::weights
