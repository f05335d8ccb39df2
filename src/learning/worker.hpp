// The selector's one worker thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>

#include "base/wakeup.hpp"

namespace adaptive::inline v1::core {

/// Does what takes too long for a launch: fitting models. The thread is started when there may be something
/// to do and sleeps while there is nothing.
///
/// A process may fork at any time. The handlers of `pthread_atfork` hold `section_` meanwhile, under which
/// the thread takes its tasks and all locks that it shares with others, so that no such lock is left taken in
/// the child. The child has no thread until something is posted there; it then goes on with what was due.
class Worker {
 public:
  /// Something to do now and then. It is in the queue at most once, so the queue holds no more than there are
  /// tasks and never drops one. It must live until the worker has stopped.
  class Task {
   public:
    Task() = default;
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;
    virtual ~Task() = default;

   protected:
    enum class Step {
      done,
      work,  ///< go on with `work`, then `finish`
      later  ///< a lock that a callback of the program may hold is taken: try again soon
    };
    /// Copies what `work` needs, under the locks that guard it and for no longer than copying takes. Waits
    /// for no lock that is held while the program's callbacks run.
    virtual Step prepare() noexcept = 0;
    /// Takes as long as it takes, and holds no lock.
    virtual void work() noexcept = 0;
    /// Publishes the outcome, as `prepare` with regard to locks. False: to be tried again.
    virtual bool finish() noexcept = 0;
    /// In a forked child, where the thread that was between `prepare` and `finish` does not exist: what
    /// `work` used may be half changed, so that even its destructor must not run. The default: nothing.
    virtual void abandon() noexcept {}

   private:
    friend class Worker;
    std::atomic<bool> due_{false};
    Task* next_ = nullptr;
  };

  Worker() = default;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  /// Whether there may be a thread. Where there may not, what is due waits for `run_due`. Ends a running
  /// thread after its current task. Not for the launch path.
  void allow(bool thread) noexcept;

  /// Starts the thread where there is none and there may be one. Not for the launch path.
  void start() noexcept;

  /// Makes the task due. For the launch path: no lock, no allocation; a system call only where the thread
  /// sleeps, and where a thread must be started: in a forked child, and for the first task of a selector that
  /// nobody has called `start` for.
  void post(Task& task) noexcept;

  /// Does on the calling thread all that is due and becomes due by it, after the thread's current task.
  void run_due() noexcept;

 private:
  friend struct WorkerForks;

  void loop() noexcept;
  /// Does one task; false where none is due, or the thread is to stop.
  bool run_one() noexcept;
  /// Makes the current task due again, where it cannot be finished before the thread stops.
  void put_back(Task& task) noexcept;
  Task* next() noexcept;
  void push(Task& task) noexcept;
  void wake() noexcept;
  /// In the child: the thread does not exist here.
  void forked() noexcept;

  std::atomic<bool> allowed_{false};
  std::atomic<bool> running_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> asleep_{false};
  std::atomic<Task*> incoming_{nullptr};  // the latest first
  Wakeup wakeup_;
  std::mutex life_;  // of starting and stopping
  std::thread thread_;
  std::mutex turn_;        // one task at a time; held while it works
  std::mutex section_;     // of what follows, and see above; taken after `turn_` and before all other locks
  Task* first_ = nullptr;  // due, in their order
  Task* last_ = nullptr;
  Task* current_ = nullptr;
  Worker* next_worker_ = nullptr;  // of those that the handlers know
  bool known_ = false;
};

}  // namespace adaptive::core
