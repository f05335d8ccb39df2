#pragma once

#include <semaphore.h>

#include <cerrno>
#include <chrono>
#include <ctime>

namespace adaptive::inline v1 {

/// Wakes a thread early. Uses a POSIX semaphore, because a signal handler may post it.
class Wakeup {
 public:
  Wakeup() { ::sem_init(&semaphore_, 0, 0); }
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;
  ~Wakeup() { ::sem_destroy(&semaphore_); }

  void post() noexcept { ::sem_post(&semaphore_); }

  /// Waits until `post` is called; several calls since the last wait count as one.
  void wait() noexcept {
    while (::sem_wait(&semaphore_) != 0 && errno == EINTR) {
    }
    while (::sem_trywait(&semaphore_) == 0) {
    }
  }

  /// Waits until `post` is called, at most for `most`. Returns whether `post` was called; several calls since
  /// the last wait count as one.
  bool wait(std::chrono::milliseconds most) noexcept {
    timespec until{};
    ::clock_gettime(CLOCK_MONOTONIC, &until);
    constexpr long second_ns = 1'000'000'000;
    until.tv_sec += static_cast<std::time_t>(most.count() / 1000);
    until.tv_nsec += static_cast<long>(most.count() % 1000) * 1'000'000;
    if (until.tv_nsec >= second_ns) {
      ++until.tv_sec;
      until.tv_nsec -= second_ns;
    }
    int result = 0;
    do result = ::sem_clockwait(&semaphore_, CLOCK_MONOTONIC, &until);
    while (result != 0 && errno == EINTR);
    bool posted = result == 0;
    while (::sem_trywait(&semaphore_) == 0) posted = true;
    return posted;
  }

 private:
  sem_t semaphore_{};
};

}  // namespace adaptive
