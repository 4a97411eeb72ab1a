// Fetching one file by HTTP into a partial file that a later try can go on with. No torch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace disco {

/// A partial file, locked so that no other process writes to it at the same time. What it holds is kept when the object
/// goes away.
class PartialFile {
 public:
  /// Opens or creates it. Throws Error; RequestError when another process holds it.
  explicit PartialFile(std::filesystem::path path);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::uint64_t size() const;
  /// Appends; throws Error with the system's reason (a full disk).
  void write(const char* bytes, std::size_t size);
  void clear();
  /// Flushes to the disk and renames over `target`.
  void finish(const std::filesystem::path& target);

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

struct Fetched {
  enum class Result : std::uint8_t {
    complete,    ///< The server sent everything (whether it is the right file, the checksum tells).
    broken_off,  ///< Something arrived, then the connection broke: worth another try.
    refused,     ///< This URL will not do; `reason` says why.
  };
  Result result;
  std::string reason;
};

/// Gets `url` (http or https, redirects followed), continuing after what the partial file holds when the server can,
/// else from the start. `progress` hears bytes done and in all (0: unknown); when it returns false, Interrupted is
/// thrown and the partial file is kept. Throws Error when the disk is too small or full.
Fetched fetch(const std::string& url, PartialFile& part,
              const std::function<bool(std::uint64_t, std::uint64_t)>& progress);

}  // namespace disco
