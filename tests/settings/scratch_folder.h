// A folder of files that lasts as long as a test.
#pragma once

#include <unistd.h>

#include <string>

#include "core/file.h"
#include "picture/picture.h"

namespace disco {

class ScratchFolder {
 public:
  explicit ScratchFolder(const std::string& name)
      : path_(fs::temp_directory_path() / (name + "." + std::to_string(::getpid()))) {
    fs::create_directories(path_);
  }
  ~ScratchFolder() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const fs::path& path() const { return path_; }
  fs::path write(const std::string& name, const std::string& text) const {
    write_file(path_ / name, text);
    return path_ / name;
  }
  fs::path picture(const std::string& name, int width, int height) const {
    write_picture(path_ / name, Picture(width, height, 3));
    return path_ / name;
  }

 private:
  fs::path path_;
};

}  // namespace disco
