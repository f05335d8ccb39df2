// The selector's one worker thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>

#include "base/fork.hpp"
#include "base/wakeup.hpp"

namespace adaptive::inline v1::core {

/// Does work that takes too long for a launch, such as fitting models. The thread is started when there may
/// be something to do, and sleeps while there is nothing.
///
/// A process may fork at any time. The thread takes its tasks, and all locks that it shares with other
/// threads, only under `section_`, which a fork holds (`ForkSection`). The child has no thread until a task
/// is posted there; its thread then also does the tasks that were due before the fork.
class Worker final : private ForkSection {
 public:
  /// Something to do now and then. A task is in the queue at most once, so that the queue is never longer
  /// than the number of tasks and never drops one. A task must live until the worker has stopped.
  class Task {
   public:
    Task() = default;
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;
    virtual ~Task() = default;

   protected:
    enum class Step {
      done,
      work,  ///< continue with `work`, then `finish`
      later  ///< a lock is taken that may be held during a callback of the program: try again soon
    };
    /// Copies what `work` needs, under the locks that guard it, and holds them only while it copies. Must not
    /// wait for a lock that is held while callbacks of the program run.
    virtual Step prepare() noexcept = 0;
    /// Does the work, without any lock. It may take any time.
    virtual void work() noexcept = 0;
    /// Publishes the outcome, under the same rules for locks as `prepare`. Returns false to be called again
    /// soon.
    virtual bool finish() noexcept = 0;
    /// Called in a forked child if the parent's thread was between `prepare` and `finish`. The data of `work`
    /// may be inconsistent, so that not even its destructors may run. The default does nothing.
    virtual void abandon() noexcept {}

   private:
    friend class Worker;
    std::atomic<bool> due_{false};
    Task* next_ = nullptr;
  };

  Worker() : ForkSection(section_, Order::inner) { hold_at_forks(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  /// Allows the worker to have a thread, or forbids it. If it is forbidden, a running thread ends after its
  /// current task, and due tasks wait for `run_due`. Not for the launch path.
  void allow(bool thread) noexcept;

  /// Starts the thread if it is allowed and not running. Not for the launch path.
  void start() noexcept;

  /// Makes the task due. For the launch path: takes no lock and allocates nothing. It makes a system call
  /// only if the thread sleeps or has to be started, which happens in a forked child, or at the first task if
  /// `start` has not been called.
  void post(Task& task) noexcept;

  /// Makes the task due without a thread that does it: whatever is posted next starts one. For handlers that
  /// run in a forked child.
  void post_in_child(Task& task) noexcept {
    if (!task.due_.exchange(true, std::memory_order_acq_rel)) push(task);
  }

  /// Does all due tasks on the calling thread, including those that become due meanwhile. Waits first for the
  /// current task of the worker's thread.
  void run_due() noexcept;

 private:
  void loop() noexcept;
  /// Does one task. Returns false if none is due, or if the thread must stop.
  bool run_one() noexcept;
  /// Makes the current task due again, because it cannot be finished before the thread stops.
  void put_back(Task& task) noexcept;
  Task* next() noexcept;
  void push(Task& task) noexcept;
  void wake() noexcept;
  void forked() noexcept override;

  std::atomic<bool> allowed_{false};
  std::atomic<bool> running_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> asleep_{false};
  std::atomic<Task*> incoming_{nullptr};  // newly posted tasks, the latest first
  Wakeup wakeup_;
  std::mutex life_;  // held while the thread is started or stopped
  std::thread thread_;
  std::mutex turn_;        // held while a task runs: one task at a time
  std::mutex section_;     // guards the members below, and see above; taken after `turn_`, before all others
  Task* first_ = nullptr;  // the due tasks, the oldest first
  Task* last_ = nullptr;
  Task* current_ = nullptr;
};

}  // namespace adaptive::core
