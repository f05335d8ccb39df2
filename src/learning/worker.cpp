#include "learning/worker.hpp"

#include <chrono>
#include <memory>
#include <utility>

#include "base/background_thread.hpp"

namespace adaptive::inline v1::core {
namespace {

// Pause before a task that found a lock taken is tried again.
constexpr std::chrono::milliseconds retry_after{1};

}  // namespace

Worker::~Worker() {
  allow(false);
  ignore_forks();
}

void Worker::allow(bool thread) noexcept {
  allowed_.store(thread);
  if (thread) return;
  const std::lock_guard lock(life_);
  if (!running_.load()) return;
  stopping_.store(true);
  wakeup_.post();
  thread_.join();
  stopping_.store(false);
  running_.store(false);
}

void Worker::start() noexcept {
  if (running_.load(std::memory_order_relaxed) || !allowed_.load(std::memory_order_relaxed)) return;
  const std::unique_lock lock(life_, std::try_to_lock);
  // Another thread may be starting or ending the worker's thread, or may have done so.
  if (!lock.owns_lock() || running_.load() || !allowed_.load()) return;
  try {
    thread_ = background_thread([this] { loop(); });
    running_.store(true);
  } catch (...) {
    // Out of threads or memory. To try again at every launch would be too slow: tasks now wait for `run_due`.
    allowed_.store(false);
  }
}

void Worker::post(Task& task) noexcept {
  if (!task.due_.exchange(true, std::memory_order_acq_rel)) push(task);
  // Even if the task was due already, there may be no thread: after a fork, or after the thread was ended.
  if (running_.load(std::memory_order_relaxed))
    wake();
  else
    start();
}

void Worker::push(Task& task) noexcept {
  Task* head = incoming_.load(std::memory_order_relaxed);
  do task.next_ = head;
  while (!incoming_.compare_exchange_weak(head, &task, std::memory_order_seq_cst, std::memory_order_relaxed));
}

// The worker's thread looks at `incoming_` once more after it has set `asleep_`. Both operations are
// sequentially consistent: either the thread finds the new task, or `wake` finds that the thread is asleep.
void Worker::wake() noexcept {
  if (asleep_.load(std::memory_order_seq_cst) && asleep_.exchange(false)) wakeup_.post();
}

void Worker::loop() noexcept {
  while (!stopping_.load()) {
    if (run_one()) continue;
    asleep_.store(true, std::memory_order_seq_cst);
    if (incoming_.load(std::memory_order_seq_cst) == nullptr && !stopping_.load()) wakeup_.wait();
    asleep_.store(false);
  }
}

void Worker::run_due() noexcept {
  while (run_one()) {
  }
}

// The caller holds `section_`.
Worker::Task* Worker::next() noexcept {
  Task* added = incoming_.exchange(nullptr, std::memory_order_acquire);
  Task* oldest = nullptr;
  Task* const newest = added;
  while (added != nullptr) {
    Task* const before = added->next_;
    added->next_ = oldest;
    oldest = added;
    added = before;
  }
  if (oldest != nullptr) {
    (first_ == nullptr ? first_ : last_->next_) = oldest;
    last_ = newest;
  }
  Task* const task = first_;
  if (task != nullptr) first_ = task->next_;
  return task;
}

bool Worker::run_one() noexcept {
  const std::lock_guard turn(turn_);
  Task* task = nullptr;
  Task::Step step = Task::Step::later;
  {
    const std::lock_guard section(section_);
    task = next();
    if (task == nullptr) return false;
    current_ = task;
    // From here on the task may be posted again, because `prepare` may not see later changes.
    task->due_.store(false, std::memory_order_release);
  }
  while (true) {
    {
      const std::lock_guard section(section_);
      step = task->prepare();
      if (step == Task::Step::done) current_ = nullptr;
    }
    if (step != Task::Step::later) break;
    if (stopping_.load()) return put_back(*task), false;
    std::this_thread::sleep_for(retry_after);
  }
  if (step == Task::Step::done) return true;
  task->work();
  while (true) {
    {
      const std::lock_guard section(section_);
      if (task->finish()) {
        current_ = nullptr;
        return true;
      }
    }
    // The thread that stops the worker may hold the lock that the task needs: do not wait for it.
    if (stopping_.load()) return put_back(*task), false;
    std::this_thread::sleep_for(retry_after);
  }
}

void Worker::put_back(Task& task) noexcept {
  const std::lock_guard section(section_);
  current_ = nullptr;
  if (!task.due_.exchange(true, std::memory_order_acq_rel)) push(task);
}

void Worker::forked() noexcept {
  // The thread does not exist in the child, and nobody releases the locks that it held. New objects replace
  // the old ones without a call of their destructors, which would wait for the thread.
  std::construct_at(&life_);
  std::construct_at(&turn_);
  std::construct_at(&thread_);
  std::construct_at(&wakeup_);
  running_.store(false);
  stopping_.store(false);
  asleep_.store(false);
  if (Task* const task = std::exchange(current_, nullptr)) {
    task->abandon();
    if (!task->due_.exchange(true)) push(*task);
  }
}

}  // namespace adaptive::core
