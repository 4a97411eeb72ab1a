// The pickle of PyTorch's zip format: the input is data.pkl, put into an archive with storages "0" to "9" beside it.
#include "weights_input.h"

namespace {

template <class T>
void put(std::string& file, T value) {
  file.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// A zip archive of stored entries.
std::string archive(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string file, directory;
  for (const auto& [name, bytes] : entries) {
    const auto offset = static_cast<std::uint32_t>(file.size()), size = static_cast<std::uint32_t>(bytes.size());
    std::string common(12, '\0');  // Flags, method, time and checksum, all zero.
    put(common, size);
    put(common, size);
    put(common, static_cast<std::uint32_t>(name.size()));
    file += "PK\x03\x04" + std::string(2, '\0') + common + name + bytes;
    directory += "PK\x01\x02" + std::string(4, '\0') + common + std::string(10, '\0');
    put(directory, offset);
    directory += name;
  }
  const auto offset = static_cast<std::uint32_t>(file.size()), count = static_cast<std::uint32_t>(entries.size());
  file += directory + "PK\x05\x06" + std::string(4, '\0');
  put(file, count * 0x10001);
  put(file, static_cast<std::uint32_t>(directory.size()));
  put(file, offset);
  return file + std::string(2, '\0');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::pair<std::string, std::string>> entries;
  entries.emplace_back("a/data.pkl", std::string(reinterpret_cast<const char*>(data), size));
  for (char key = '0'; key <= '9'; ++key) entries.emplace_back(std::string("a/data/") + key, std::string(512, key));
  const std::string file = archive(entries);
  return disco::fuzz::read(disco::weights::read_pytorch_zip, file.data(), file.size());
}
