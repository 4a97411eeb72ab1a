// The pickle of PyTorch's zip format: the input is data.pkl, put into an archive with storages "0" to "79" beside it.
#include "weights_input.h"

namespace {

constexpr int storages = 80;
constexpr std::size_t storage_size = 512;

template <class T>
void put(std::string& file, T value) {
  file.append(reinterpret_cast<const char*>(&value), sizeof value);
}

struct Entry {
  std::string name;
  std::uint32_t size, offset;
};

/// What a zip archive's local and central headers have in common.
std::string common_header(const Entry& entry) {
  std::string common(12, '\0');  // Flags, method, time and checksum, all zero.
  put(common, entry.size);
  put(common, entry.size);
  put(common, static_cast<std::uint32_t>(entry.name.size()));
  return common;
}

Entry append(std::string& file, const std::string& name, std::string_view bytes) {
  const Entry entry{name, static_cast<std::uint32_t>(bytes.size()), static_cast<std::uint32_t>(file.size())};
  file += "PK\x03\x04" + std::string(2, '\0') + common_header(entry) + name;
  file += bytes;
  return entry;
}

/// A zip archive of the pickle and of storages that all lie at the same place, which is faster than to write each.
const std::string& archive(std::string_view pickle) {
  static std::string file;
  static const Entry storage = append(file, "a/data/0", std::string(storage_size, '\1'));
  static const std::size_t kept = file.size();
  file.resize(kept);
  std::vector<Entry> entries = {append(file, "a/data.pkl", pickle)};
  for (int key = 0; key < storages; ++key)
    entries.push_back({"a/data/" + std::to_string(key), storage.size, storage.offset});
  const auto offset = static_cast<std::uint32_t>(file.size()), count = static_cast<std::uint32_t>(entries.size());
  for (const Entry& entry : entries) {
    file += "PK\x01\x02" + std::string(4, '\0') + common_header(entry) + std::string(10, '\0');
    put(file, entry.offset);
    file += entry.name;
  }
  const auto size = static_cast<std::uint32_t>(file.size()) - offset;
  file += "PK\x05\x06" + std::string(4, '\0');
  put(file, count * 0x10001);
  put(file, size);
  put(file, offset);
  file += std::string(2, '\0');
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string& file = archive({reinterpret_cast<const char*>(data), size});
  return disco::fuzz::read(disco::weights::read_pytorch_zip, file.data(), file.size());
}
