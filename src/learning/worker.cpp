#include "learning/worker.hpp"

#include <pthread.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <utility>

namespace adaptive::inline v1::core {
namespace {

// Pause before a task that found a lock taken is tried again.
constexpr std::chrono::milliseconds retry_after{1};

}  // namespace

/// The list of all workers, and what happens to them when the process forks.
struct WorkerForks {
  std::mutex mutex;  // of the list; taken before any worker's `section_`
  Worker* first = nullptr;

  /// Never destroyed, because a worker in static storage may be destroyed later.
  static WorkerForks& all() {
    static WorkerForks& forks = *new WorkerForks;
    static const int registered = ::pthread_atfork(&before, &in_parent, &in_child);
    // It fails only if memory runs out. Then a fork is as safe as it would be without handlers.
    static_cast<void>(registered);
    return forks;
  }

  void add(Worker& worker) {
    const std::lock_guard lock(mutex);
    if (std::exchange(worker.known_, true)) return;
    worker.next_worker_ = std::exchange(first, &worker);
  }
  void remove(Worker& worker) noexcept {
    const std::lock_guard lock(mutex);
    for (Worker** at = &first; *at != nullptr; at = &(*at)->next_worker_)
      if (*at == &worker) {
        *at = worker.next_worker_;
        return;
      }
  }

  static void before() {
    WorkerForks& forks = all();
    forks.mutex.lock();
    for (Worker* w = forks.first; w != nullptr; w = w->next_worker_) w->section_.lock();
  }
  static void in_parent() {
    WorkerForks& forks = all();
    for (Worker* w = forks.first; w != nullptr; w = w->next_worker_) w->section_.unlock();
    forks.mutex.unlock();
  }
  static void in_child() {
    WorkerForks& forks = all();
    for (Worker* w = forks.first; w != nullptr; w = w->next_worker_) {
      w->forked();
      w->section_.unlock();
    }
    forks.mutex.unlock();
  }
};

Worker::~Worker() {
  allow(false);
  if (known_) WorkerForks::all().remove(*this);
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
  // Block all signals in the worker's thread: they are for the program's threads.
  sigset_t every;
  sigset_t before;
  sigfillset(&every);
  ::pthread_sigmask(SIG_SETMASK, &every, &before);
  try {
    WorkerForks::all().add(*this);
    thread_ = std::thread([this] { loop(); });
    running_.store(true);
  } catch (...) {
    // Out of threads or memory. To try again at every launch would be too slow: tasks now wait for `run_due`.
    allowed_.store(false);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
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
