#include "core/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace disco {
namespace {

std::string reason() { return std::strerror(errno); }

void create_folder_of(const fs::path& file) {
  std::error_code error;
  if (file.has_parent_path()) fs::create_directories(file.parent_path(), error);
  if (error) throw Error(fmt::format("cannot create the folder ({})", error.message()), file.parent_path().string());
}

/// Closes a descriptor at the end of a scope.
struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

int open_for_reading(const fs::path& path, struct stat& status) {
  // A pipe is refused below; without O_NONBLOCK, opening it would wait for a writer.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) throw Error(fmt::format("cannot open the file ({})", reason()), path.string());
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor);
    throw Error("this is not a regular file", path.string());
  }
  return descriptor;
}

void sync_folder(const fs::path& folder) {
  const Descriptor descriptor{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (descriptor.number >= 0) ::fsync(descriptor.number);
}

fs::path folder_from(const char* variable, const char* below_home) {
  if (const char* value = std::getenv(variable); value && *value) return fs::path(value) / "disco";
  const char* home = std::getenv("HOME");
  return fs::path(home && *home ? home : ".") / below_home / "disco";
}

}  // namespace

std::string read_file(const fs::path& path, std::uint64_t limit) {
  struct stat status {};
  const Descriptor descriptor{open_for_reading(path, status)};
  if (static_cast<std::uint64_t>(status.st_size) > limit) {
    throw FormatError(fmt::format("the file is too large ({} bytes, at most {} are read)", status.st_size, limit),
                      path.string());
  }
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::read(descriptor.number, bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error(fmt::format("cannot read the file ({})", reason()), path.string());
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

void write_file(const fs::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void require_file(const fs::path& path, const std::string& fix) {
  std::error_code error;
  if (fs::is_directory(path, error)) throw RequestError("this is a folder", path.string(), fix);
  if (!fs::exists(path, error)) throw RequestError("there is no such file", path.string(), fix);
}

bool create_file(const fs::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.sync();
  // A hard link, unlike a rename, refuses to replace what is there.
  if (::link(file.temporary().c_str(), path.c_str()) == 0) return true;
  if (errno == EEXIST) return false;
  throw Error(fmt::format("cannot create the file ({})", reason()), path.string());
}

std::unique_ptr<FileLock> FileLock::take(const fs::path& path) {
  create_folder_of(path);
  for (;;) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor < 0) throw Error(fmt::format("cannot make the lock ({})", reason()), path.string());
    std::unique_ptr<FileLock> lock(new FileLock(path, descriptor));
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return lock;
      lock->path_.clear();  // It is another's to remove.
      return nullptr;
    }
    // Between opening and locking, its holder may have removed it.
    struct stat held {
    }, named{};
    if (::fstat(descriptor, &held) == 0 && ::stat(path.c_str(), &named) == 0 && held.st_ino == named.st_ino)
      return lock;
    lock->path_.clear();
  }
}

FileLock::~FileLock() {
  if (!path_.empty()) ::unlink(path_.c_str());
  ::close(descriptor_);
}

AtomicFile::AtomicFile(fs::path path) : path_(std::move(path)) {
  create_folder_of(path_);
  std::string name = (path_.parent_path() / ("." + path_.filename().string() + ".XXXXXX")).string();
  descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor_ < 0) throw Error(fmt::format("cannot write here ({})", reason()), path_.string());
  temporary_ = name;
  ::fchmod(descriptor_, 0644);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!committed_) ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* bytes, std::size_t size) {
  const char* from = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t put = ::write(descriptor_, from, size);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw Error(fmt::format("cannot write the file ({})", reason()), path_.string());
    from += put;
    size -= static_cast<std::size_t>(put);
  }
}

void AtomicFile::sync() {
  // A library may have replaced the temporary file by its own; what counts is what lies under its name.
  const Descriptor current{::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC)};
  if (current.number < 0 || ::fsync(current.number) != 0) {
    throw Error(fmt::format("cannot finish the file ({})", reason()), path_.string());
  }
}

void AtomicFile::commit() {
  sync();
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    throw Error(fmt::format("cannot finish the file ({})", reason()), path_.string());
  }
  committed_ = true;
  sync_folder(path_.has_parent_path() ? path_.parent_path() : fs::path("."));
}

std::shared_ptr<const MappedFile> MappedFile::open(const fs::path& path) {
  struct stat status {};
  const Descriptor descriptor{open_for_reading(path, status)};
  std::shared_ptr<MappedFile> file(new MappedFile);
  file->path_ = path;
  if (status.st_size == 0) return file;
  void* data = ::mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ, MAP_PRIVATE, descriptor.number, 0);
  if (data == MAP_FAILED) throw Error(fmt::format("cannot map the file ({})", reason()), path.string());
  file->data_ = static_cast<const std::byte*>(data);
  file->size_ = static_cast<std::size_t>(status.st_size);
  return file;
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

fs::path user_data_folder() { return folder_from("XDG_DATA_HOME", ".local/share"); }

fs::path user_config_folder() { return folder_from("XDG_CONFIG_HOME", ".config"); }

fs::path program_root() {
  if (const char* root = std::getenv("DISCO_ROOT"); root && *root) return root;
  std::error_code error;
  for (fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path(); folder.has_relative_path();
       folder = folder.parent_path()) {
    for (const fs::path& candidate : {folder, folder / "share" / "disco"}) {
      if (fs::exists(candidate / "data" / "catalog.json", error)) return candidate;
    }
  }
  return fs::current_path();
}

}  // namespace disco
