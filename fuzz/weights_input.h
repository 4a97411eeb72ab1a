// What the fuzzers of the weights readers do with their input: it is either refused by a FormatError, or every tensor
// lies inside of its storage.
#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>

#include "core/error.h"
#include "models/weights/layout.h"

namespace disco::fuzz {

/// A copy of exactly the input's size, so that the address sanitizer sees a byte read beyond it.
class ExactBytes {
 public:
  ExactBytes(const void* data, std::size_t size) : memory_(new std::byte[size]), size_(size) {
    if (size > 0) std::memcpy(memory_.get(), data, size);
  }
  weights::Bytes span() const { return {memory_.get(), size_}; }

 private:
  std::unique_ptr<std::byte[]> memory_;
  std::size_t size_;
};

inline void require(bool condition) {
  if (!condition) std::abort();
}

inline void check(const weights::Layout& layout) {
  std::set<std::string_view> names;
  unsigned sum = 0;
  for (const weights::TensorLayout& tensor : layout.tensors) {
    require(names.insert(tensor.name).second);
    require(tensor.storage < layout.storages.size());
    require(tensor.shape.size() == tensor.strides.size());
    const weights::Bytes bytes = layout.storages[tensor.storage].bytes;
    const auto extent = weights::extent(tensor.shape, tensor.strides);
    require(extent.has_value());
    const std::uint64_t size = *extent * weights::element_size(tensor.type);
    require(tensor.offset <= bytes.size() && size <= bytes.size() - tensor.offset);
    if (size > 0)
      sum += static_cast<unsigned>(bytes[tensor.offset]) + static_cast<unsigned>(bytes[tensor.offset + size - 1]);
  }
  require(sum <= 510 * layout.tensors.size());
}

template <class Reader>
int read(Reader reader, const void* data, std::size_t size) {
  const ExactBytes input(data, size);
  try {
    check(reader(input.span(), "input"));
  } catch (const FormatError& error) {
    require(!error.where().empty());
  }
  return 0;
}

}  // namespace disco::fuzz
