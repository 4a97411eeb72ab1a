// Reading zip archives in place (PKWARE APPNOTE 6.3): stored entries are views of the file, deflated ones are unpacked.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "models/weights/layout.h"

namespace disco::weights {

class ZipArchive {
 public:
  /// Reads the central directory (zip64 too). Throws FormatError.
  ZipArchive(Bytes file, std::string where);

  const std::vector<std::string_view>& names() const { return names_; }
  bool contains(std::string_view name) const { return entries_.contains(name); }
  /// The bytes of an entry, which must exist. What is unpacked over all calls together stays below 16 times the file's
  /// size and one MiB. Throws FormatError.
  Storage read(std::string_view name);

 private:
  struct Entry {
    std::uint64_t packed, size, header;
    std::uint16_t method, flags;
  };
  void read_directory(std::uint64_t offset, std::uint64_t size, std::uint64_t count);
  Storage inflate(std::string_view name, Bytes packed, std::uint64_t size);
  [[noreturn]] void refuse(std::string_view entry, const std::string& problem) const;

  Bytes file_;
  std::string where_;
  std::vector<std::string_view> names_;
  std::unordered_map<std::string_view, Entry> entries_;
  std::uint64_t unpacked_left_;
};

}  // namespace disco::weights
