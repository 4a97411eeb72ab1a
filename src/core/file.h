// Reading and writing files: whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace disco {

namespace fs = std::filesystem;

/// The whole file as bytes. Throws Error (missing, unreadable) or FormatError when it is larger than `limit` bytes.
std::string read_file(const fs::path& path, std::uint64_t limit = std::uint64_t{1} << 30);

/// Writes through a temporary file in the same folder, synced and renamed over `path`: after a crash or on a full disk
/// the old file is still there whole. Creates missing folders. Throws Error with the system's reason.
void write_file(const fs::path& path, std::string_view bytes);

/// Throws RequestError unless `path` is a file; `fix` says what to name.
void require_file(const fs::path& path, const std::string& fix);

/// Creates `path` with these bytes unless it is there already (then false): two programs never get the same new name.
bool create_file(const fs::path& path, std::string_view bytes);

/// A file that becomes visible under its name only by commit(). Destroyed uncommitted, it leaves nothing behind.
class AtomicFile {
 public:
  explicit AtomicFile(fs::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* bytes, std::size_t size);
  void write(std::string_view bytes) { write(bytes.data(), bytes.size()); }
  /// Flushes to the disk.
  void sync();
  /// Flushes to the disk and renames into place.
  void commit();
  /// Where the bytes lie until commit(), for libraries that want a path.
  const fs::path& temporary() const { return temporary_; }

 private:
  fs::path path_, temporary_;
  int descriptor_ = -1;
  bool committed_ = false;
};

/// A lock between processes, on a file of its own that goes with it. What a killed process leaves is no lock.
class FileLock {
 public:
  /// Nothing when another process, or this one, holds it. On file systems without locks every call succeeds. Throws
  /// Error when the file cannot be made.
  static std::unique_ptr<FileLock> take(const fs::path& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  FileLock(fs::path path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  fs::path path_;
  int descriptor_;
};

/// A read-only memory map; pages are read when touched and shared with the page cache.
class MappedFile {
 public:
  /// Throws Error when the file cannot be opened or is not a regular file. An empty file maps to an empty span.
  static std::shared_ptr<const MappedFile> open(const fs::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const fs::path& path() const { return path_; }

 private:
  MappedFile() = default;
  fs::path path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// The folder of the user's own files: $XDG_DATA_HOME/disco, or ~/.local/share/disco.
fs::path user_data_folder();
/// The folder of the user's configuration: $XDG_CONFIG_HOME/disco, or ~/.config/disco.
fs::path user_config_folder();
/// The folder that holds the program's own files (data/, models/): DISCO_ROOT, else the source tree or install prefix
/// found from the running program.
fs::path program_root();

}  // namespace disco
