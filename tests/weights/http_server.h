// A web server on the loopback address that answers as a test wants, with all the faults of real ones.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/text.h"

namespace disco::testing {

struct Request {
  std::string path;
  std::map<std::string, std::string> headers;  ///< Lower-case names.

  /// Where a "Range: bytes=N-" asks to begin; 0 without one.
  std::size_t range_start() const {
    const auto found = headers.find("range");
    return found == headers.end() ? 0 : std::stoul(found->second.substr(std::string("bytes=").size()));
  }
};

struct Response {
  int status = 200;
  std::string body;
  std::vector<std::string> headers;
  std::size_t sent = std::string::npos;  ///< The connection is cut after so many bytes of the body.
};

class HttpServer {
 public:
  using Handler = std::function<Response(const Request&)>;

  explicit HttpServer(Handler handler) : handler_(std::move(handler)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_, 8);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~HttpServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }
  std::vector<Request> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    for (;;) {
      const int connection = ::accept(listener_, nullptr, nullptr);
      if (connection < 0) return;
      answer(connection);
      ::close(connection);
    }
  }

  void answer(int connection) {
    std::string head;
    char buffer[4096];
    while (head.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = ::recv(connection, buffer, sizeof buffer, 0);
      if (got <= 0) return;
      head.append(buffer, static_cast<std::size_t>(got));
    }
    Request request;
    const std::vector<std::string> lines = split(head, '\n');
    request.path = split(lines[0], ' ')[1];
    for (const std::string& line : lines) {
      if (const std::size_t colon = line.find(':'); colon != std::string::npos) {
        request.headers[lower_case(line.substr(0, colon))] = std::string(trim(line.substr(colon + 1)));
      }
    }
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const Response response = handler_(request);
    std::string text = "HTTP/1.1 " + std::to_string(response.status) +
                       " x\r\nConnection: close\r\nContent-Length: " + std::to_string(response.body.size()) + "\r\n";
    for (const std::string& header : response.headers) text += header + "\r\n";
    text += "\r\n" + response.body.substr(0, response.sent);
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t put = ::send(connection, text.data() + at, text.size() - at, MSG_NOSIGNAL);
      if (put <= 0) return;
      at += static_cast<std::size_t>(put);
    }
  }

  Handler handler_;
  int listener_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<Request> requests_;
  std::thread thread_;
};

/// A well-behaved answer for a file, ranges included.
inline Response serve_file(const Request& request, const std::string& bytes) {
  const std::size_t start = request.range_start();
  if (!request.headers.contains("range")) return {200, bytes, {}};
  if (start >= bytes.size()) return {416, "", {"Content-Range: bytes */" + std::to_string(bytes.size())}};
  return {206,
          bytes.substr(start),
          {"Content-Range: bytes " + std::to_string(start) + "-" + std::to_string(bytes.size() - 1) + "/" +
           std::to_string(bytes.size())}};
}

}  // namespace disco::testing
