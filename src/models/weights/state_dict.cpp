#include "models/weights/state_dict.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "models/weights/layout.h"

namespace disco {
namespace {

using weights::ElementType;

struct TypePair {
  ElementType element;
  at::ScalarType scalar;
};

constexpr std::array<TypePair, 19> type_pairs = {{{ElementType::boolean, at::kBool},
                                                  {ElementType::u8, at::kByte},
                                                  {ElementType::i8, at::kChar},
                                                  {ElementType::u16, at::kUInt16},
                                                  {ElementType::i16, at::kShort},
                                                  {ElementType::u32, at::kUInt32},
                                                  {ElementType::i32, at::kInt},
                                                  {ElementType::u64, at::kUInt64},
                                                  {ElementType::i64, at::kLong},
                                                  {ElementType::f8_e4m3, at::kFloat8_e4m3fn},
                                                  {ElementType::f8_e5m2, at::kFloat8_e5m2},
                                                  {ElementType::f8_e8m0, at::kFloat8_e8m0fnu},
                                                  {ElementType::f16, at::kHalf},
                                                  {ElementType::bf16, at::kBFloat16},
                                                  {ElementType::f32, at::kFloat},
                                                  {ElementType::f64, at::kDouble},
                                                  {ElementType::c32, at::kComplexHalf},
                                                  {ElementType::c64, at::kComplexFloat},
                                                  {ElementType::c128, at::kComplexDouble}}};

at::ScalarType scalar_type(ElementType type) {
  return std::find_if(type_pairs.begin(), type_pairs.end(), [&](const TypePair& p) { return p.element == type; })
      ->scalar;
}

std::optional<ElementType> element_type(at::ScalarType type) {
  const auto found =
      std::find_if(type_pairs.begin(), type_pairs.end(), [&](const TypePair& p) { return p.scalar == type; });
  return found == type_pairs.end() ? std::nullopt : std::optional(found->element);
}

/// Gives a mapped file's pages back after they were copied; they are read again if somebody touches them.
void forget_pages(weights::Bytes bytes) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(bytes.data()) + page - 1) / page * page;
  const auto end = reinterpret_cast<std::uintptr_t>(bytes.data() + bytes.size()) / page * page;
  if (begin >= end) return;
  const std::byte* first = bytes.data() + (begin - reinterpret_cast<std::uintptr_t>(bytes.data()));
  ::madvise(const_cast<std::byte*>(first), end - begin, MADV_DONTNEED);
}

/// Makes tensors of a layout: views of the mapped file where the elements are aligned, else of one copy a storage.
class TensorMaker {
 public:
  TensorMaker(std::shared_ptr<const MappedFile> file, const weights::Layout& layout)
      : file_(std::move(file)), layout_(layout), copies_(layout.storages.size()) {}

  at::Tensor make(const weights::TensorLayout& tensor) {
    weights::Storage storage = layout_.storages[tensor.storage];
    const std::size_t alignment = std::min<std::size_t>(weights::element_size(tensor.type), 8);
    if (copies_[tensor.storage].owner) {
      storage = copies_[tensor.storage];
    } else if (reinterpret_cast<std::uintptr_t>(storage.bytes.data() + tensor.offset) % alignment != 0) {
      // A safetensors file is one storage, of which a single tensor may lie askew.
      const bool shared = layout_.format != "safetensors";
      const std::uint64_t size =
          weights::extent(tensor.shape, tensor.strides).value_or(0) * weights::element_size(tensor.type);
      const weights::Bytes from = shared ? storage.bytes : storage.bytes.subspan(tensor.offset, size);
      storage = copy(from, storage.owner == nullptr);
      if (!shared) return view(tensor, storage, 0);
      copies_[tensor.storage] = storage;
    }
    return view(tensor, storage, tensor.offset);
  }

 private:
  /// In pieces, each given back to the page cache before the next is read, so that no two copies are in memory.
  static weights::Storage copy(weights::Bytes bytes, bool mapped) {
    constexpr std::size_t piece = std::size_t{16} << 20;
    const std::size_t words = (bytes.size() + sizeof(std::max_align_t) - 1) / sizeof(std::max_align_t);
    const std::shared_ptr<std::max_align_t[]> memory(new std::max_align_t[std::max<std::size_t>(words, 1)]);
    auto* to = reinterpret_cast<std::byte*>(memory.get());
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      const weights::Bytes part = bytes.subspan(at, std::min(piece, bytes.size() - at));
      std::memcpy(to + at, part.data(), part.size());
      if (mapped) forget_pages(part);
    }
    return {{to, bytes.size()}, memory};
  }

  at::Tensor view(const weights::TensorLayout& tensor, const weights::Storage& storage, std::uint64_t offset) const {
    const std::byte* data = storage.bytes.data() + offset;
    if (tensor.type == ElementType::boolean) check_truth_values(tensor, data);
    auto keep = [file = storage.owner ? nullptr : file_, owner = storage.owner](void*) {};
    return at::from_blob(const_cast<std::byte*>(data), tensor.shape, tensor.strides, std::move(keep),
                         at::TensorOptions(scalar_type(tensor.type)));
  }

  /// Any other byte would make a bool that is neither true nor false.
  void check_truth_values(const weights::TensorLayout& tensor, const std::byte* data) const {
    const std::uint64_t size = weights::extent(tensor.shape, tensor.strides).value_or(0);
    if (std::any_of(data, data + size, [](std::byte b) { return b > std::byte{1}; })) {
      throw FormatError("its truth values are neither 0 nor 1",
                        fmt::format("{}, tensor \"{}\"", file_->path().string(), tensor.name));
    }
  }

  std::shared_ptr<const MappedFile> file_;
  const weights::Layout& layout_;
  std::vector<weights::Storage> copies_;
};

struct Placed {
  std::string name;
  ElementType type;
  at::Tensor tensor;
};

/// The tensors in the order of their data: large elements first, so that all are aligned without holes, which the
/// format forbids.
std::vector<Placed> placed(const std::filesystem::path& path, const StateDict& tensors) {
  std::vector<Placed> order;
  for (const auto& [name, tensor] : tensors) {
    const auto type =
        tensor.defined() && tensor.layout() == at::kStrided ? element_type(tensor.scalar_type()) : std::nullopt;
    if (!type || weights::safetensors_name(*type).empty() || name == "__metadata__" || !is_utf8(name)) {
      throw Error(fmt::format("the tensor \"{}\" cannot be stored as safetensors", name), path.string());
    }
    order.push_back({name, *type, tensor});
  }
  std::stable_sort(order.begin(), order.end(), [](const Placed& a, const Placed& b) {
    return weights::element_size(a.type) > weights::element_size(b.type);
  });
  return order;
}

}  // namespace

StateDict load_weights(const std::filesystem::path& path) {
  const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
  const weights::Layout layout = weights::read_layout(file->bytes(), path.string());
  TensorMaker maker(file, layout);
  StateDict tensors;
  for (const weights::TensorLayout& tensor : layout.tensors) tensors.emplace(tensor.name, maker.make(tensor));
  return tensors;
}

WeightsInfo inspect_weights(const std::filesystem::path& path) {
  const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
  weights::Layout layout = weights::read_layout(file->bytes(), path.string());
  WeightsInfo info{layout.format, {}, std::move(layout.metadata)};
  for (weights::TensorLayout& tensor : layout.tensors) {
    info.tensors.push_back({std::move(tensor.name), scalar_type(tensor.type), std::move(tensor.shape)});
  }
  return info;
}

void save_safetensors(const std::filesystem::path& path, const StateDict& tensors,
                      const std::map<std::string, std::string>& metadata) {
  const std::vector<Placed> order = placed(path, tensors);
  nlohmann::json header = nlohmann::json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  for (const Placed& entry : order) {
    const std::uint64_t end =
        offset + static_cast<std::uint64_t>(entry.tensor.numel()) * weights::element_size(entry.type);
    header[entry.name] = {
        {"dtype", weights::safetensors_name(entry.type)},
        {"shape", std::vector<std::int64_t>(entry.tensor.sizes().begin(), entry.tensor.sizes().end())},
        {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  constexpr std::size_t alignment = 64, length_size = sizeof(std::uint64_t);
  text.append((alignment - (text.size() + length_size) % alignment) % alignment, ' ');

  AtomicFile file(path);
  const std::uint64_t length = text.size();
  file.write(&length, sizeof length);
  file.write(text);
  for (const Placed& entry : order) {
    const at::Tensor plain = entry.tensor.detach().to(at::kCPU).contiguous();
    file.write(plain.const_data_ptr(), plain.nbytes());
  }
  file.commit();
}

}  // namespace disco
