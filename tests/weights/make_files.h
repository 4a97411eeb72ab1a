// Small weights files made byte by byte: pickles, zip archives, safetensors, with any mistake a test wants.
#pragma once

#include <unistd.h>
#include <zlib.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"
#include "core/hash.h"

namespace disco::testing {

template <class T>
std::string raw(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

/// A folder that is removed with everything in it; in memory where the system offers that, because the code under test
/// flushes every file that it writes to the disk.
class TemporaryFolder {
 public:
  enum class Place { memory, disk };
  explicit TemporaryFolder(Place place = Place::memory) {
    const bool memory = place == Place::memory && ::access("/dev/shm", W_OK) == 0;
    std::string name = ((memory ? fs::path("/dev/shm") : fs::temp_directory_path()) / "disco-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

inline fs::path write_to(const TemporaryFolder& folder, const std::string& name, std::string_view bytes) {
  write_file(folder / name, bytes);
  return folder / name;
}

/// Opcodes of pickle protocol 2.
namespace pickle {

inline std::string text(std::string_view value) {
  return "X" + raw(static_cast<std::uint32_t>(value.size())) + std::string(value);
}
inline std::string number(std::int64_t value) { return "\x8a\x08" + raw(value); }
inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string tuple(const std::vector<std::string>& items) {
  std::string code = "(";
  for (const std::string& item : items) code += item;
  return code + "t";
}
inline std::string numbers(const std::vector<std::int64_t>& values) {
  std::vector<std::string> items;
  for (const std::int64_t value : values) items.push_back(number(value));
  return tuple(items);
}
inline std::string call(const std::string& function, const std::vector<std::string>& arguments) {
  return function + tuple(arguments) + "R";
}
inline std::string dict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string code = "}(";
  for (const auto& [key, value] : items) code += text(key) + value;
  return code + "u";
}
/// An instance of a class with attributes.
inline std::string object(const std::string& type, const std::string& state) { return type + ")\x81" + state + "b"; }
inline std::string storage(const std::string& type, const std::string& key, std::int64_t count,
                           const std::string& view = {}) {
  std::vector<std::string> id = {text("storage"), global("torch", type), text(key), text("cpu"), number(count)};
  if (!view.empty()) id.push_back(view);
  return tuple(id) + "Q";
}
inline std::string tensor(const std::string& storage, std::int64_t offset, const std::vector<std::int64_t>& shape,
                          const std::vector<std::int64_t>& strides) {
  return call(global("torch._utils", "_rebuild_tensor_v2"), {storage, number(offset), numbers(shape), numbers(strides),
                                                             "\x89", global("collections", "OrderedDict") + ")R"});
}
inline std::string whole(const std::string& code) { return "\x80\x02" + code + "."; }

}  // namespace pickle

struct ZipEntry {
  std::string name, bytes;
  bool deflated = false;
  bool zip64 = false;
  std::int64_t lie = 0;  ///< Added to the uncompressed size that the directory states.
};

inline std::string deflate_raw(const std::string& bytes) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, bytes.size()) + 16, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

inline std::string zip(const std::vector<ZipEntry>& entries, bool zip64_end = false) {
  std::string file, directory;
  for (const ZipEntry& entry : entries) {
    const std::string packed = entry.deflated ? deflate_raw(entry.bytes) : entry.bytes;
    const std::uint64_t size = entry.bytes.size() + static_cast<std::uint64_t>(entry.lie), header = file.size();
    constexpr std::uint32_t elsewhere = 0xFFFFFFFF;
    const std::string method = raw<std::uint16_t>(entry.deflated ? 8 : 0);
    const auto small = [&](std::uint64_t n) { return raw(entry.zip64 ? elsewhere : static_cast<std::uint32_t>(n)); };
    const std::string extra = entry.zip64 ? raw<std::uint16_t>(1) + raw<std::uint16_t>(24) + raw(size) +
                                                raw<std::uint64_t>(packed.size()) + raw(header)
                                          : std::string();
    const std::string common = raw<std::uint16_t>(0) + method + raw<std::uint32_t>(0) + raw(crc32(entry.bytes)) +
                               small(packed.size()) + small(size) + raw(static_cast<std::uint16_t>(entry.name.size()));
    file += "PK\x03\x04" + raw<std::uint16_t>(20) + common + raw<std::uint16_t>(0) + entry.name + packed;
    directory += "PK\x01\x02" + raw<std::uint16_t>(20) + raw<std::uint16_t>(20) + common +
                 raw(static_cast<std::uint16_t>(extra.size())) + std::string(10, '\0') + small(header) + entry.name +
                 extra;
  }
  const std::uint64_t offset = file.size();
  file += directory;
  if (zip64_end) {
    const std::uint64_t end = file.size();
    file += "PK\x06\x06" + raw<std::uint64_t>(44) + raw<std::uint16_t>(45) + raw<std::uint16_t>(45) +
            raw<std::uint64_t>(0) + raw<std::uint64_t>(entries.size()) + raw<std::uint64_t>(entries.size()) +
            raw<std::uint64_t>(directory.size()) + raw(offset);
    file += "PK\x06\x07" + raw<std::uint32_t>(0) + raw(end) + raw<std::uint32_t>(1);
  }
  const auto count = static_cast<std::uint16_t>(zip64_end ? 0xFFFF : entries.size());
  return file + "PK\x05\x06" + raw<std::uint32_t>(0) + raw(count) + raw(count) +
         raw(zip64_end ? 0xFFFFFFFFu : static_cast<std::uint32_t>(directory.size())) +
         raw(zip64_end ? 0xFFFFFFFFu : static_cast<std::uint32_t>(offset)) + raw<std::uint16_t>(0);
}

/// A file of torch.save: the pickle and its storages "0", "1", …
inline std::string pytorch_zip(const std::string& code, const std::vector<std::string>& storages) {
  std::vector<ZipEntry> entries = {{"archive/data.pkl", pickle::whole(code)}};
  for (std::size_t i = 0; i < storages.size(); ++i)
    entries.push_back({"archive/data/" + std::to_string(i), storages[i]});
  return zip(entries);
}

/// A file of the format before PyTorch 1.6, storages keyed "0", "1", … of elements of `element` bytes.
inline std::string pytorch_legacy(const std::string& code, const std::vector<std::string>& storages,
                                  std::size_t element) {
  std::string file = pickle::whole(std::string("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19")) +
                     pickle::whole(pickle::number(1001)) + pickle::whole(pickle::dict({{"little_endian", "\x88"}})) +
                     pickle::whole(code);
  std::string keys = "](";
  for (std::size_t i = 0; i < storages.size(); ++i) keys += pickle::text(std::to_string(i));
  file += pickle::whole(keys + "e");
  for (const std::string& storage : storages) file += raw<std::uint64_t>(storage.size() / element) + storage;
  return file;
}

inline std::string safetensors(const std::string& header, std::string_view data) {
  return raw<std::uint64_t>(header.size()) + header + std::string(data);
}

inline std::string floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

}  // namespace disco::testing
