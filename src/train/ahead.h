// Work done ahead of its use by threads: item k is a function of k alone, and items come out in order.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace disco {

template <typename Item>
class Ahead {
 public:
  /// Makes items `first`, first + 1, … on `threads` threads, at most `depth` beyond the one last taken.
  Ahead(std::function<Item(std::uint64_t)> make, std::uint64_t first, std::size_t depth, int threads)
      : make_(std::move(make)), depth_(depth), next_(first), taken_(first) {
    for (int i = 0; i < threads; ++i) workers_.emplace_back([this] { work(); });
  }
  ~Ahead() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }
  Ahead(const Ahead&) = delete;
  Ahead& operator=(const Ahead&) = delete;

  /// The next item, waiting for it. Throws what making it threw.
  Item take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return done_.contains(taken_); });
    auto node = done_.extract(taken_++);
    lock.unlock();
    changed_.notify_all();
    if (auto* error = std::get_if<std::exception_ptr>(&node.mapped())) std::rethrow_exception(*error);
    return std::move(std::get<Item>(node.mapped()));
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return stopping_ || next_ < taken_ + depth_; });
      if (stopping_) return;
      const std::uint64_t index = next_++;
      lock.unlock();
      std::variant<std::exception_ptr, Item> result;
      try {
        result = make_(index);
      } catch (...) {
        result = std::current_exception();
      }
      lock.lock();
      done_.emplace(index, std::move(result));
      changed_.notify_all();
    }
  }

  std::function<Item(std::uint64_t)> make_;
  std::size_t depth_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, std::variant<std::exception_ptr, Item>> done_;
  std::uint64_t next_, taken_;
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace disco
