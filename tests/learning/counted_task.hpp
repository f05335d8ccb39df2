// A task of the worker that tests can count and hold.
#pragma once

#include <atomic>
#include <thread>

#include "learning/worker.hpp"

namespace adaptive::inline v1::core::test {

/// Counts how often it is done; a test may hold it in the middle.
class Counted final : public Worker::Task {
 public:
  std::atomic<int> prepared{0};
  std::atomic<int> worked{0};
  std::atomic<int> finished{0};
  std::atomic<int> abandoned{0};
  std::atomic<int> later{0};  // so often `prepare` and `finish` find a lock taken
  std::atomic<bool> held{false};

  /// Posts the task and waits until the worker's thread is in the middle of it, where it stays until `held`
  /// is false.
  void post_and_hold(Worker& worker) {
    held = true;
    worker.post(*this);
    while (worked.load() == 0) std::this_thread::yield();
  }

  /// Of what was posted before.
  void await(int times) const {
    while (finished.load() < times) std::this_thread::yield();
  }

 private:
  Step prepare() noexcept override {
    if (later.load() > 0) {
      --later;
      return Step::later;
    }
    ++prepared;
    return Step::work;
  }
  void work() noexcept override {
    ++worked;
    while (held.load()) std::this_thread::yield();
  }
  bool finish() noexcept override {
    if (later.load() > 0) {
      --later;
      return false;
    }
    ++finished;
    return true;
  }
  void abandon() noexcept override { ++abandoned; }
};

}  // namespace adaptive::core::test
