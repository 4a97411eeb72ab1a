#include "train/image_folder.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <optional>
#include <set>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/text.h"
#include "picture/codec.h"
#include "tensor/picture_tensor.h"

namespace disco {
namespace {

constexpr std::size_t most_notes = 10;
/// Samples show 0.8 to all of the shorter side, so that this much is kept of it: 1 / 0.8.
constexpr double kept = 1.25, smallest = 0.8;
constexpr std::uint64_t largest_caption_file = 1 << 20;

/// The draws of one sample.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : state_(seed) {}
  std::uint64_t whole(std::uint64_t count) { return (next() >> 11) % count; }
  double share() { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  std::uint64_t next() { return state_ = splitmix64(state_); }
  std::uint64_t state_;
};

bool is_picture_name(const fs::path& file) {
  const std::string extension = lower_case(file.extension().string());
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg" || extension == ".webp";
}

/// What is wrong with a file, as far as its first bytes tell.
std::string header_problem(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string start(64, '\0');
  stream.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<std::size_t>(stream.gcount()));
  if (start.empty()) return "it is empty or cannot be read";
  if (codec::recognise(start) == codec::Format::unknown) return "it is no PNG, JPEG or WebP file";
  return {};
}

Picture cut_out(const Picture& picture, int x, int y, int side) {
  Picture square(side, side, 3);
  const std::size_t row = static_cast<std::size_t>(side) * 3;
  for (int i = 0; i < side; ++i) {
    const std::size_t from =
        (static_cast<std::size_t>(y + i) * static_cast<std::size_t>(picture.width) + static_cast<std::size_t>(x)) * 3;
    std::memcpy(square.samples.data() + static_cast<std::size_t>(i) * row, picture.samples.data() + from, row);
  }
  return square;
}

void mirror_rows(Picture& picture) {
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width / 2; ++x) {
      for (int c = 0; c < 3; ++c) std::swap(picture.at(x, y, c), picture.at(picture.width - 1 - x, y, c));
    }
  }
}

}  // namespace

std::vector<std::string> caption_lines(std::string_view bytes) {
  std::string text;
  if (bytes.starts_with("\xEF\xBB\xBF")) {
    text = bytes.substr(3);
  } else if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) {
    text = utf8_from_utf16(bytes, /*big_endian=*/false);
  } else {
    text = bytes;
  }
  if (!is_utf8(text)) text = utf8_from_latin_1(text);
  std::replace(text.begin(), text.end(), '\r', '\n');
  std::vector<std::string> lines;
  for (const std::string& line : split(text, '\n')) {
    if (const std::string_view words = trim(line); !words.empty()) lines.emplace_back(words);
  }
  return lines;
}

std::string caption_from_name(const fs::path& file) {
  std::string text = file.stem().string();
  if (!is_utf8(text)) text = utf8_from_latin_1(text);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '_' || c == '-'; }, ' ');
  const std::size_t end = text.find_last_not_of("0123456789() ");
  text.resize(end == std::string::npos ? 0 : end + 1);
  std::string words;
  for (const std::string& word : split(text, ' ')) {
    if (!word.empty()) words += (words.empty() ? "" : " ") + word;
  }
  return words;
}

std::uint64_t shuffled(std::uint64_t seed, std::uint64_t index, std::uint64_t count) {
  const std::uint64_t key = splitmix64(splitmix64(seed ^ 0x53485546464C45ull) + index / count);
  std::uint64_t place = index % count;
  // A Feistel cipher on the smallest even number of bits that holds `count`, walked until it lands inside.
  const int half = (std::bit_width(count - 1) + 1) / 2;
  const std::uint64_t mask = (std::uint64_t{1} << half) - 1;
  do {
    std::uint64_t left = place >> half, right = place & mask;
    for (std::uint64_t round = 0; round < 4; ++round) {
      const std::uint64_t mixed = left ^ (splitmix64(splitmix64(key + round) ^ right) & mask);
      left = right;
      right = mixed;
    }
    place = left << half | right;
  } while (place >= count);
  return place;
}

ImageFolder::ImageFolder(const fs::path& folder, const Options& options) : options_(options) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    throw RequestError("there is no such folder of pictures", folder.string(), "give --data a folder of images");
  }
  std::vector<fs::path> files;
  std::set<fs::path> texts;
  const auto following =
      fs::directory_options::follow_directory_symlink | fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator it(folder, following, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it.depth() > 32) it.disable_recursion_pending();  // A link to a folder above would go on for ever.
    if (!it->is_regular_file(ignored)) continue;
    if (is_picture_name(it->path())) files.push_back(it->path());
    if (lower_case(it->path().extension().string()) == ".txt") texts.insert(it->path());
  }
  if (error) {
    throw RequestError(fmt::format("the folder cannot be read ({})", error.message()), folder.string(),
                       "give --data a folder that may be read");
  }
  if (files.empty()) {
    throw RequestError("there are no pictures in this folder", folder.string(),
                       "put PNG, JPEG or WebP files there, or choose another folder");
  }
  std::sort(files.begin(), files.end());
  std::string listing;
  for (const fs::path& file : files) {
    const std::uintmax_t size = fs::file_size(file, error);
    listing += file.lexically_relative(folder).generic_string() + '\0' + std::to_string(error ? 0 : size) + '\n';
    if (const std::string problem = header_problem(file); !problem.empty()) {
      report(file, problem);
      continue;
    }
    Entry entry{file, {}};
    for (const char* extension : {".txt", ".TXT"}) {
      const fs::path beside = fs::path(file).replace_extension(extension);
      if (!texts.contains(beside) || !entry.captions.empty()) continue;
      try {
        entry.captions = caption_lines(read_file(beside, largest_caption_file));
      } catch (const Error& unreadable) {
        report(beside, unreadable.problem());
      }
    }
    if (entry.captions.empty()) entry.captions.push_back(caption_from_name(file));
    entries_.push_back(std::move(entry));
  }
  fingerprint_ = sha256(listing);
  // One that can be read is enough: every other one may turn out to be broken.
  const auto readable = [&] {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (shrunk(i, 16)) return true;
    }
    return false;
  };
  if (!readable()) {
    throw RequestError(fmt::format("none of the {} pictures in this folder can be read", files.size()), folder.string(),
                       "the first: " + take_notes().front());
  }
}

CaptionedBatch ImageFolder::batch(std::uint64_t first, std::int64_t count, int side) const {
  CaptionedBatch batch;
  at::Tensor rows = at::empty({count, side, side, 3}, at::kByte);
  auto* out = rows.mutable_data_ptr<std::uint8_t>();
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(count); ++i) {
    const std::uint64_t index = first + i;
    Draws draws(sample_seed(options_.seed, index));
    std::size_t place = shuffled(options_.seed, index, entries_.size());
    Shared picture = shrunk(place, side);
    for (std::size_t tries = 1; !picture; ++tries) {
      if (tries == entries_.size()) throw Error("none of the pictures can be read any more", entries_.front().file);
      place = (place + 1) % entries_.size();
      picture = shrunk(place, side);
    }
    const int shorter = std::min(picture->width, picture->height);
    const double share = smallest + (1 - smallest) * draws.share();
    const int cut = std::clamp(static_cast<int>(std::lround(share * shorter)), 1, shorter);
    const auto free_place = [&](int length) {
      return static_cast<int>(draws.whole(static_cast<std::uint64_t>(length - cut) + 1));
    };
    const int x = free_place(picture->width), y = free_place(picture->height);
    Picture square = resize_lanczos(cut_out(*picture, x, y, cut), side, side);
    const bool mirrored = draws.share() < 0.5;
    if (options_.mirror && mirrored) mirror_rows(square);
    std::memcpy(out, square.samples.data(), square.samples.size());
    out += square.samples.size();
    const std::vector<std::string>& captions = entries_[place].captions;
    Caption caption;
    caption.text = captions[draws.whole(captions.size())];
    batch.captions.push_back(std::move(caption));
  }
  batch.pictures = rows.permute({0, 3, 1, 2}).contiguous();
  return batch;
}

std::vector<std::string> ImageFolder::texts() const {
  std::set<std::string> all;
  for (const Entry& entry : entries_) all.insert(entry.captions.begin(), entry.captions.end());
  return {all.begin(), all.end()};
}

std::vector<std::string> ImageFolder::take_notes() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> notes = std::exchange(notes_, {});
  if (untold_ > 0) {
    notes.push_back(fmt::format("{} more files that cannot be read are left out: {} in all", untold_, broken_.size()));
    untold_ = 0;
  }
  return notes;
}

void ImageFolder::report(const fs::path& file, const std::string& problem) const {
  const std::lock_guard lock(mutex_);
  if (!broken_.emplace(file, problem).second) return;
  if (broken_.size() <= most_notes) {
    notes_.push_back(fmt::format("{} is left out: {}", file.string(), problem));
  } else {
    ++untold_;
  }
}

ImageFolder::Shared ImageFolder::shrunk(std::size_t entry, int side) const {
  const fs::path& file = entries_[entry].file;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = cache_.find({entry, side}); found != cache_.end()) return found->second;
    if (broken_.contains(file)) return nullptr;
  }
  Picture picture;
  try {
    picture = to_rgb(read_picture(file));
  } catch (const Error& error) {
    report(file, error.problem());
    return nullptr;
  }
  const double factor = kept * side / std::min(picture.width, picture.height);
  if (factor < 1) {
    const auto length = [&](int whole) { return std::max(1, static_cast<int>(std::lround(whole * factor))); };
    picture = resize_lanczos(picture, length(picture.width), length(picture.height));
  }
  auto shared = std::make_shared<const Picture>(std::move(picture));
  const std::lock_guard lock(mutex_);
  // Nothing is thrown out again: in shuffle after shuffle, what came last is what is needed last.
  if (cached_bytes_ + shared->samples.size() <= options_.cache_bytes &&
      cache_.emplace(std::pair(entry, side), shared).second) {
    cached_bytes_ += shared->samples.size();
  }
  return shared;
}

}  // namespace disco
