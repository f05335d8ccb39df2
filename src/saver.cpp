#include <adaptive/saver.hpp>

#include <semaphore.h>

#include <atomic>
#include <cerrno>
#include <ctime>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "selector.hpp"

namespace adaptive {
namespace {

// A semaphore of POSIX, since a signal handler may post it.
class Wakeup {
 public:
  Wakeup() { ::sem_init(&semaphore_, 0, 0); }
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;
  ~Wakeup() { ::sem_destroy(&semaphore_); }

  void post() noexcept { ::sem_post(&semaphore_); }

  /// Until `post`, and at most so long. What was posted meanwhile counts as once.
  void wait(std::chrono::milliseconds most) noexcept {
    timespec until{};
    ::clock_gettime(CLOCK_MONOTONIC, &until);
    constexpr long second_ns = 1'000'000'000;
    until.tv_sec += static_cast<std::time_t>(most.count() / 1000);
    until.tv_nsec += static_cast<long>(most.count() % 1000) * 1'000'000;
    if (until.tv_nsec >= second_ns) {
      ++until.tv_sec;
      until.tv_nsec -= second_ns;
    }
    while (::sem_clockwait(&semaphore_, CLOCK_MONOTONIC, &until) != 0 && errno == EINTR) {
    }
    while (::sem_trywait(&semaphore_) == 0) {
    }
  }

 private:
  sem_t semaphore_{};
};

SaverOptions checked(SaverOptions options) {
  if (options.path.empty()) throw Error("path is empty", "Saver");
  constexpr std::chrono::hours interval_max{24 * 365};
  if (options.interval <= options.interval.zero() || options.interval > interval_max)
    throw Error("interval is not between 1 ms and a year", "Saver");
  return options;
}

}  // namespace

struct Saver::Impl {
  Impl(const Selector& of, const Selector::Impl& its, SaverOptions saver_options)
      : selector(of), insides(its), options(checked(std::move(saver_options))), thread([this] { run(); }) {}

  ~Impl() {
    stopped = true;
    wakeup.post();
    thread.join();
  }

  void run() noexcept {
    do {
      wakeup.wait(options.interval);
      save_if_changed();
    } while (!stopped);
  }

  void save_if_changed() noexcept {
    const std::uint64_t measured = insides.measured();
    {
      const std::lock_guard lock(mutex);
      if (measured == measured_before) {
        ++status.unchanged;
        return;
      }
    }
    try {
      save();
    } catch (const std::exception& e) {
      insides.shared.say(LogLevel::warning, std::string("the table was not saved: ") + e.what());
    }
  }

  void save() {
    const std::uint64_t measured = insides.measured();
    try {
      selector.save(options.path);
    } catch (const std::exception& e) {
      const std::lock_guard lock(mutex);
      ++status.failed;
      status.error = e.what();
      throw;
    }
    const std::lock_guard lock(mutex);
    ++status.saved;
    status.error.clear();
    measured_before = measured;
  }

  const Selector& selector;
  const Selector::Impl& insides;
  const SaverOptions options;
  Wakeup wakeup;
  std::atomic<bool> stopped = false;
  mutable std::mutex mutex;  // of the next two
  Status status;
  std::uint64_t measured_before = 0;
  std::thread thread;  // last: it uses all of the above
};

Saver::Saver(const Selector& selector, SaverOptions options)
    : impl_(std::make_unique<Impl>(selector, *selector.impl_, std::move(options))) {}
Saver::~Saver() = default;

void Saver::request() noexcept {
  impl_->wakeup.post();
}

void Saver::save() {
  impl_->save();
}

Saver::Status Saver::status() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->status;
}

}  // namespace adaptive
