// A folder of pictures as a training's source, with captions from text files or from the files' names.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "picture/picture.h"
#include "train/batches.h"

namespace disco {

/// The lines of a caption file that say something: UTF-8 (with or without a byte order mark), UTF-16 with one, or
/// Latin-1.
std::vector<std::string> caption_lines(std::string_view bytes);
/// "red_car-at-night 012.png" → "red car at night".
std::string caption_from_name(const std::filesystem::path& file);

/// Place `index` of an endless sequence of shuffles of 0 … count − 1, each in an order of its own.
std::uint64_t shuffled(std::uint64_t seed, std::uint64_t index, std::uint64_t count);

/// The PNG, JPEG and WebP files of a folder and the folders in it, in the order of their names. Each sample is a random
/// square of at least 0.8 of the shorter side, at times mirrored, with a line of NAME.txt beside NAME.png as its
/// caption (any of its lines), or with what the file's name says.
class ImageFolder final : public PictureSource {
 public:
  struct Options {
    std::uint64_t seed = 1;
    bool mirror = true;
    std::uint64_t cache_bytes = std::uint64_t{512} << 20;  ///< For pictures shrunk to what the samples need.
  };

  /// Looks at every file's first bytes only. Throws RequestError when the folder is missing or holds no readable
  /// picture.
  ImageFolder(const std::filesystem::path& folder, const Options& options);

  /// A picture that turns out to be broken is replaced by the next one.
  CaptionedBatch batch(std::uint64_t first, std::int64_t count, int side) const override;
  std::vector<std::string> texts() const override;

  std::size_t count() const { return entries_.size(); }
  /// SHA-256 of the files' names and sizes.
  const std::string& fingerprint() const { return fingerprint_; }
  /// One line about each broken picture found since the last call; after ten in all, about their number.
  std::vector<std::string> take_notes() const;

 private:
  struct Entry {
    std::filesystem::path file;
    std::vector<std::string> captions;  ///< At least one, which may be empty.
  };
  using Shared = std::shared_ptr<const Picture>;

  void report(const std::filesystem::path& file, const std::string& problem) const;
  /// RGB, shrunk so that the shorter side is 1.25 · `side`, never enlarged; null when it cannot be read.
  Shared shrunk(std::size_t entry, int side) const;

  Options options_;
  std::vector<Entry> entries_;
  std::string fingerprint_;
  mutable std::mutex mutex_;  ///< Of everything below.
  mutable std::map<std::pair<std::size_t, int>, Shared> cache_;
  mutable std::map<std::filesystem::path, std::string> broken_;
  mutable std::uint64_t cached_bytes_ = 0;
  mutable std::vector<std::string> notes_;
  mutable std::size_t untold_ = 0;
};

}  // namespace disco
