// Holds the model that the keys of an operation share, and decides when it is fitted again.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "learning/model/operation_model.hpp"
#include "learning/spin_lock.hpp"
#include "learning/worker.hpp"

namespace adaptive::inline v1::core {

/// Thread-safe. The model itself is immutable: each fit makes a new one, which replaces it.
class SharedModel {
 public:
  /// The present model; null until the first is published.
  std::shared_ptr<const OperationModel> model() const noexcept {
    // The lock is held only while a pointer is copied. In a forked child, however, it may stay taken for
    // ever.
    if (!lock_.lock_for(attempts)) return nullptr;
    const std::lock_guard lock(lock_, std::adopt_lock);
    return model_;
  }
  /// Publishes `model`. Afterwards `model` is the former one.
  void publish(std::shared_ptr<const OperationModel>& model) noexcept {
    if (!lock_.lock_for(attempts)) return;
    const std::lock_guard lock(lock_, std::adopt_lock);
    model_.swap(model);
    generation_.fetch_add(1, std::memory_order_release);
    if (told_ < step_at_) return;
    step_at_ = told_ + told_ / news_share;
    steps_.fetch_add(1, std::memory_order_release);
  }
  /// Number of models that have been published.
  std::uint32_t generation() const noexcept { return generation_.load(std::memory_order_relaxed); }
  /// Number of published models that knew enough more than the one before for keys with a state to get new
  /// expectations. For the launch path.
  std::uint32_t steps() const noexcept { return steps_.load(std::memory_order_relaxed); }

  /// Notes that a policy asks for expectations: from now on the model learns from launches.
  void learn() noexcept { learns_.store(true, std::memory_order_relaxed); }
  /// Whether the model learns from launches. For the launch path.
  bool learns() const noexcept { return learns_.load(std::memory_order_relaxed); }

  /// Sets the task that fits the model. To be called before anything is noted.
  void fit_by(Worker::Task& task) noexcept { task_ = &task; }

  /// Notes that a key has learned something new, measured in quarters of a candidate's first result. Posts
  /// the fit once enough is new. For the launch path, which calls it only for the first few results of a
  /// candidate and for late results.
  void note_news(std::uint32_t quarters, Worker& worker) noexcept {
    const std::uint32_t news = news_.fetch_add(quarters, std::memory_order_relaxed) + quarters;
    if (task_ != nullptr && news >= due_at_.load(std::memory_order_relaxed)) worker.post(*task_);
  }
  /// Makes a fit due because of something new other than a result: a variant, or a table.
  void make_due(Worker& worker) noexcept {
    if (task_ != nullptr) note_news(due_at_.load(std::memory_order_relaxed), worker);
  }
  /// Notes the number of first results behind a fit that was not made due by news.
  void note_told(std::uint64_t results) noexcept {
    if (!lock_.lock_for(attempts)) return;
    const std::lock_guard lock(lock_, std::adopt_lock);
    told_ = std::max(told_, 4 * results);
    set_due();
  }
  /// Consumes the news for a fit that begins. Returns false if too little is new for a fit.
  bool take_news() noexcept {
    const std::uint32_t news = news_.load(std::memory_order_relaxed);
    if (news < due_at_.load(std::memory_order_relaxed)) return false;
    if (!lock_.lock_for(attempts)) return false;
    const std::lock_guard lock(lock_, std::adopt_lock);
    news_.fetch_sub(news, std::memory_order_relaxed);
    told_ += news;
    set_due();
    return true;
  }

 private:
  // A fit is due once the news is 1/16 of what earlier fits have learned, so that the number of fits grows
  // with the logarithm of the number of results: a fit takes longer, the more there is to learn from.
  // `quarters_max` limits the news between two fits: by then the results come from more keys than the model
  // keeps.
  void set_due() noexcept {
    due_at_.store(
        static_cast<std::uint32_t>(std::clamp<std::uint64_t>(told_ / news_share, quarters_min, quarters_max)),
        std::memory_order_relaxed);
  }

  static constexpr int attempts = 4096;  // at the lock
  static constexpr std::uint32_t quarters_min = 4;
  static constexpr std::uint32_t quarters_max = 4 * 256;
  static constexpr std::uint64_t news_share = 16;

  mutable SpinLock lock_;
  std::shared_ptr<const OperationModel> model_;
  std::atomic<std::uint32_t> generation_{0};
  std::atomic<bool> learns_{false};
  std::atomic<std::uint32_t> news_{0};
  std::atomic<std::uint32_t> due_at_{quarters_min};
  std::uint64_t told_ = 0;     // quarters of first results that fits have learned from; guarded by `lock_`
  std::uint64_t step_at_ = 0;  // value of `told_` from which the next model is a step; guarded by `lock_`
  std::atomic<std::uint32_t> steps_{0};
  Worker::Task* task_ = nullptr;
};

}  // namespace adaptive::core
