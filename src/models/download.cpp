#include "models/download.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <memory>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"

namespace disco {
namespace {

std::string reason() { return std::strerror(errno); }

/// One request and what comes of it. curl calls back through C, so errors wait in `error` until curl has returned.
struct Transfer {
  CURL* curl;
  PartialFile& part;
  const std::function<bool(std::uint64_t, std::uint64_t)>& progress;
  std::uint64_t start = 0;  ///< Bytes that were there before this response.
  std::uint64_t received = 0;
  std::uint64_t range_start = 0, range_total = 0;  ///< Of Content-Range.
  bool has_range = false, web_page = false, begun = false, interrupted = false;
  std::string refusal = {};
  std::exception_ptr error = {};

  long status() const {
    long code = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    return code;
  }
};

void read_header(Transfer& transfer, std::string_view line) {
  const std::size_t colon = line.find(':');
  if (line.starts_with("HTTP/")) {
    // The headers of a redirect say nothing about the file.
    transfer.has_range = transfer.web_page = false;
  }
  if (colon == std::string_view::npos) return;
  const std::string name = lower_case(trim(line.substr(0, colon)));
  const std::string value = lower_case(trim(line.substr(colon + 1)));
  if (name == "content-type") transfer.web_page = value.starts_with("text/html");
  if (name != "content-range") return;
  unsigned long long first = 0, last = 0, total = 0;
  if (std::sscanf(value.c_str(), "bytes %llu-%llu/%llu", &first, &last, &total) >= 2) {
    transfer.has_range = true;
    transfer.range_start = first;
    transfer.range_total = total;
  } else if (std::sscanf(value.c_str(), "bytes */%llu", &total) == 1) {
    transfer.range_total = total;
  }
}

/// Decides, before the first byte of a good answer is written, where it belongs.
void begin_body(Transfer& transfer) {
  transfer.begun = true;
  if (transfer.web_page) {
    transfer.refusal = "it answers with a web page instead of the file";
    return;
  }
  if (transfer.status() == 206) {
    if (!transfer.has_range || transfer.range_start != transfer.start)
      transfer.refusal = "it sent another part than was asked for";
  } else {
    // The server does not continue files: all of it comes again.
    transfer.part.clear();
    transfer.start = 0;
  }
  curl_off_t length = -1;
  curl_easy_getinfo(transfer.curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  std::error_code error;
  const auto space = fs::space(transfer.part.path().parent_path(), error);
  if (!error && length > 0 && static_cast<std::uint64_t>(length) > space.available) {
    throw Error(fmt::format("the disk is too full: {} more bytes are needed, {} are free", length, space.available),
                transfer.part.path().parent_path().string(), "make room, or name another folder with --models");
  }
}

std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* data) {
  read_header(*static_cast<Transfer*>(data), {bytes, size * count});
  return size * count;
}

std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* data) {
  Transfer& transfer = *static_cast<Transfer*>(data);
  const long status = transfer.status();
  if (status != 200 && status != 206) return size * count;
  try {
    if (!transfer.begun) begin_body(transfer);
    if (!transfer.refusal.empty()) return 0;
    transfer.part.write(bytes, size * count);
    transfer.received += size * count;
    return size * count;
  } catch (...) {
    transfer.error = std::current_exception();
    return 0;
  }
}

int on_progress(void* data, curl_off_t total, curl_off_t, curl_off_t, curl_off_t) {
  Transfer& transfer = *static_cast<Transfer*>(data);
  if (!transfer.progress) return 0;
  const std::uint64_t all = transfer.begun && total > 0 ? transfer.start + static_cast<std::uint64_t>(total) : 0;
  try {
    transfer.interrupted = !transfer.progress(transfer.start + transfer.received, all);
  } catch (...) {
    transfer.error = std::current_exception();
  }
  return transfer.interrupted || transfer.error ? 1 : 0;
}

std::string explain_status(long status) {
  std::string text;
  if (status == 401 || status == 403)
    text = "the server does not give this file to everybody";
  else if (status == 404 || status == 410)
    text = "the file is not there any more";
  else if (status == 429)
    text = "the server has had too many requests; wait a while";
  else if (status >= 500)
    text = "the server is in trouble; try again later";
  else
    text = "the server refuses";
  return fmt::format("{} (HTTP {})", text, status);
}

std::string explain_failure(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return "its server is not found; is there a network?";
    case CURLE_COULDNT_CONNECT:
      return "its server cannot be reached";
    case CURLE_OPERATION_TIMEDOUT:
      return "its server does not answer in time";
    case CURLE_PEER_FAILED_VERIFICATION:
      return "its server's certificate is not trusted";
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
      return "this is not an address of a file on the web";
    case CURLE_TOO_MANY_REDIRECTS:
      return "it leads around in circles";
    default:
      return curl_easy_strerror(code);
  }
}

/// Dropbox shows a page unless the address asks for the file.
std::string direct_address(const std::string& url) {
  const bool dropbox = url.starts_with("https://www.dropbox.com/") && url.find('?') == std::string::npos;
  return dropbox ? url + "?dl=1" : url;
}

void set_options(Transfer& transfer, const std::string& url) {
  CURL* curl = transfer.curl;
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "disco/" DISCO_VERSION);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 20L);
  // A connection that brings nothing for a minute is dead.
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 60L);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

Fetched judge(Transfer& transfer, CURLcode code) {
  using Result = Fetched::Result;
  const long status = transfer.status();
  if (!transfer.refusal.empty()) return {Result::refused, transfer.refusal};
  if (code == CURLE_OK && (status == 200 || status == 206)) {
    if (!transfer.begun) begin_body(transfer);  // An empty file.
    if (!transfer.refusal.empty()) return {Result::refused, transfer.refusal};
    return {Result::complete, {}};
  }
  if (code == CURLE_OK && status == 416 && transfer.start > 0) {
    // Nothing lies after what we have: it is all there, or it is another file's.
    if (transfer.range_total == transfer.start) return {Result::complete, {}};
    transfer.part.clear();
    return {Result::broken_off, "the partial file did not match"};
  }
  if (code == CURLE_OK) return {Result::refused, explain_status(status)};
  if (transfer.received > 0)
    return {Result::broken_off, fmt::format("the connection broke ({})", curl_easy_strerror(code))};
  return {Result::refused, explain_failure(code)};
}

}  // namespace

PartialFile::PartialFile(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code error;
  fs::create_directories(path_.parent_path(), error);
  if (error) throw Error(fmt::format("cannot create the folder ({})", error.message()), path_.parent_path().string());
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw Error(fmt::format("cannot write here ({})", reason()), path_.string());
  struct stat held {
  }, named{};
  const bool locked = ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
  // Between opening and locking, another process may have finished the file and renamed it away.
  const bool same =
      ::fstat(descriptor_, &held) == 0 && ::stat(path_.c_str(), &named) == 0 && held.st_ino == named.st_ino;
  if (!locked || !same) {
    ::close(descriptor_);
    throw RequestError("another process is downloading this file", path_.string(), "wait for it");
  }
}

PartialFile::~PartialFile() { ::close(descriptor_); }

std::uint64_t PartialFile::size() const {
  struct stat status {};
  return ::fstat(descriptor_, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

void PartialFile::write(const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t put = ::write(descriptor_, bytes, size);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw Error(fmt::format("cannot write the file ({})", reason()), path_.string());
    bytes += put;
    size -= static_cast<std::size_t>(put);
  }
}

void PartialFile::clear() {
  if (::ftruncate(descriptor_, 0) != 0)
    throw Error(fmt::format("cannot write the file ({})", reason()), path_.string());
}

void PartialFile::finish(const std::filesystem::path& target) {
  if (::fsync(descriptor_) != 0 || ::rename(path_.c_str(), target.c_str()) != 0) {
    throw Error(fmt::format("cannot finish the file ({})", reason()), target.string());
  }
}

Fetched fetch(const std::string& url, PartialFile& part,
              const std::function<bool(std::uint64_t, std::uint64_t)>& progress) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), &curl_easy_cleanup);
  if (ready != CURLE_OK || !curl) throw Error("the download library cannot be started", "libcurl");
  Transfer transfer{curl.get(), part, progress};
  transfer.start = part.size();
  set_options(transfer, direct_address(url));
  const std::string range = fmt::format("{}-", transfer.start);
  if (transfer.start > 0) curl_easy_setopt(curl.get(), CURLOPT_RANGE, range.c_str());
  const CURLcode code = curl_easy_perform(curl.get());
  if (transfer.error) std::rethrow_exception(transfer.error);
  if (transfer.interrupted) {
    throw Interrupted("the download was interrupted", part.path().string(),
                      "the same command goes on where it stopped");
  }
  return judge(transfer, code);
}

}  // namespace disco
