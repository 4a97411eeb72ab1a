#include "run/fetched_pictures.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"
#include "models/download.h"
#include "picture/picture.h"
#include "settings/prompt.h"
#include "settings/resolve.h"

namespace disco {
namespace {

constexpr std::uint64_t largest_picture = 64ull << 20;

class Fetcher {
 public:
  Fetcher(const fs::path& folder, const std::atomic<bool>* interrupt,
          const std::function<void(const std::string&)>& loading)
      : folder_(folder), interrupt_(interrupt), loading_(loading) {}

  void replace(const char* key, std::string& address) {
    if (!is_url(address)) return;
    fetched_any_ = true;
    const fs::path file = folder_ / sha256(address);
    if (!fs::exists(file)) download(key, address, file);
    address = fs::absolute(file).lexically_normal().string();
  }
  bool fetched_any() const { return fetched_any_; }

 private:
  void download(const char* key, const std::string& address, const fs::path& file) {
    loading_(address);
    fs::create_directories(folder_);
    PartialFile part(file.string() + ".part");
    // What a broken try left may be of another picture by now.
    part.clear();
    bool too_large = false;
    const auto going_on = [&](std::uint64_t done, std::uint64_t all) {
      too_large = done > largest_picture || all > largest_picture;
      return !too_large && !(interrupt_ && interrupt_->load());
    };
    try {
      const Fetched fetched = fetch(address, part, going_on);
      if (fetched.result != Fetched::Result::complete) refuse(part, key, address, fetched.reason);
      decode_picture(read_file(part.path()), address);
    } catch (const Interrupted&) {
      if (too_large) refuse(part, key, address, "it is larger than 64 MiB");
      discard(part);
      throw Interrupted("interrupted before the first step", {}, "run the same command again");
    } catch (const FormatError& error) {
      refuse(part, key, address, error.problem());
    }
    part.finish(file);
  }

  void discard(const PartialFile& part) const {
    std::error_code ignored;
    fs::remove(part.path(), ignored);
    fs::remove(folder_, ignored);  // Only when it is empty.
  }

  [[noreturn]] void refuse(const PartialFile& part, const char* key, const std::string& address,
                           const std::string& reason) const {
    discard(part);
    throw RequestError(fmt::format("the picture {} cannot be used: {}", address, reason), key,
                       "download it yourself and give its path");
  }

  const fs::path& folder_;
  const std::atomic<bool>* interrupt_;
  const std::function<void(const std::string&)>& loading_;
  bool fetched_any_ = false;
};

}  // namespace

Settings with_fetched_pictures(Settings settings, const fs::path& folder, const std::atomic<bool>* interrupt,
                               const std::function<void(const std::string&)>& loading) {
  Fetcher fetcher(folder, interrupt, loading);
  fetcher.replace("init_image", settings.init_image);
  fetcher.replace("init_noise_mask", settings.init_noise_mask);
  fetcher.replace("inpaint_mask", settings.inpaint_mask);
  for (auto& [frame, prompts] : settings.image_prompts) {
    for (Prompt& prompt : prompts) fetcher.replace("image_prompts", prompt.text);
  }
  // Masks could not be compared with their init before.
  if (fetcher.fetched_any()) validate(settings);
  return settings;
}

}  // namespace disco
