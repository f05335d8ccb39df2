// This example shows that nothing waits for a result. Latencies may arrive later, from another thread, out of
// order, or never, as they do from a device. A launch that failed is reported, and its variant is set aside
// for the key.
//
// The "device" is a thread that finishes launches in any order and loses one in ten.

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <adaptive/adaptive.hpp>

namespace {

class Device {
 public:
  explicit Device(adaptive::Operation& operation) : operation_(operation), thread_([this] { work(); }) {}
  ~Device() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

  /// Like an asynchronous launch, returns at once. The decision, which is two words, is copied with the
  /// launch.
  void launch(adaptive::Decision decision) {
    const std::lock_guard lock(mutex_);
    queue_.push_back(decision);
    changed_.notify_one();
  }

 private:
  void work() {
    adaptive::Random random(3);
    while (const auto decision = take(random)) {
      if (!decision->timed()) continue;
      if (decision->variant() == 2)
        operation_.fail(*decision);     // this variant does not run here
      else if (random.uniform() < 0.9)  // the others lose one result in ten
        operation_.record(*decision, latency_us(decision->variant(), random));
    }
  }

  static adaptive::Latency latency_us(std::uint32_t variant, adaptive::Random& random) {
    const double us = variant == 0 ? 100 : 70;
    return std::chrono::duration<double, std::micro>(us * (0.97 + 0.06 * random.uniform()));
  }

  /// Takes a random launch of those that wait; nothing if there will be no more.
  std::optional<adaptive::Decision> take(adaptive::Random& random) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || !queue_.empty(); });
    if (queue_.empty()) return std::nullopt;
    std::swap(queue_[random.below(static_cast<std::uint32_t>(queue_.size()))], queue_.back());
    const adaptive::Decision decision = queue_.back();
    queue_.pop_back();
    return decision;
  }

  adaptive::Operation& operation_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<adaptive::Decision> queue_;
  bool closed_ = false;
  std::thread thread_;
};

}  // namespace

int main() {
  adaptive::Selector selector;
  adaptive::Operation& operation = selector.define({
      .name = "asynchronous",
      .dimensions = {{"size"}},
      .variants = {{.name = "plain"}, {.name = "fast"}, {.name = "broken"}},
  });
  {
    Device device(operation);
    for (int call = 0; call < 5000; ++call) {
      device.launch(operation.select({1024}));
      if (call % 64 == 63) std::this_thread::yield();
    }
  }  // the destructor finishes the remaining launches
  std::printf("%s", operation.explain({1024}).text().c_str());
  const adaptive::Counters counters = operation.counters();
  std::printf("timed %llu, results %llu, given up %llu, failures %llu\n",
              static_cast<unsigned long long>(counters.timed),
              static_cast<unsigned long long>(counters.results),
              static_cast<unsigned long long>(counters.results_lost),
              static_cast<unsigned long long>(counters.failures));
}
