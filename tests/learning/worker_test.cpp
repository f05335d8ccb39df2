// What the worker thread does, once each, whoever posts, and what becomes of it where a process forks.
#include "learning/worker.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

namespace adaptive::inline v1::core {
namespace {

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

TEST(Worker, WithoutAThreadDoesNothingUntilItIsAsked) {
  Worker worker;
  Counted task;
  worker.post(task);
  worker.post(task);
  EXPECT_EQ(task.prepared, 0);
  worker.run_due();
  EXPECT_EQ(task.finished, 1) << "posted twice, due once";
  worker.run_due();
  EXPECT_EQ(task.finished, 1);
}

TEST(Worker, DoesWhatIsDueInItsOrder) {
  Worker worker;
  std::vector<int> order;
  class Ordered final : public Worker::Task {
   public:
    Ordered(std::vector<int>& all, int number) : order(all), number_(number) {}
    std::vector<int>& order;

   private:
    Step prepare() noexcept override { return order.push_back(number_), Step::done; }
    void work() noexcept override {}
    bool finish() noexcept override { return true; }
    int number_;
  };
  Ordered a(order, 1);
  Ordered b(order, 2);
  Ordered c(order, 3);
  worker.post(b);
  worker.post(a);
  worker.post(c);
  worker.run_due();
  EXPECT_EQ(order, (std::vector<int>{2, 1, 3}));
}

TEST(Worker, ItsThreadDoesWhatIsPosted) {
  Worker worker;
  worker.allow(true);
  Counted task;
  for (int i = 1; i <= 100; ++i) {
    worker.post(task);
    task.await(i);
  }
  EXPECT_EQ(task.worked, 100);
}

TEST(Worker, ATaskThatIsPostedWhileItRunsRunsAgain) {
  Worker worker;
  worker.allow(true);
  Counted task;
  task.post_and_hold(worker);
  worker.post(task);
  task.held = false;
  task.await(2);
  EXPECT_EQ(task.prepared, 2);
}

TEST(Worker, TriesAgainWhereALockIsTaken) {
  Worker worker;
  Counted task;
  task.later = 5;
  worker.post(task);
  worker.run_due();
  EXPECT_EQ(task.later, 0);
  EXPECT_EQ(task.finished, 1);
}

TEST(Worker, RunDueWaitsForWhatTheThreadIsAt) {
  Worker worker;
  worker.allow(true);
  Counted task;
  task.post_and_hold(worker);
  std::atomic<bool> returned{false};
  std::thread asking([&] {
    worker.run_due();
    returned = true;
  });
  for (int i = 0; i < 100; ++i) std::this_thread::yield();
  EXPECT_FALSE(returned);
  task.held = false;
  asking.join();
  EXPECT_EQ(task.finished, 1);
}

TEST(Worker, KeepsWhatIsDueWhereItsThreadMayNotRunAnyMore) {
  Worker worker;
  worker.allow(true);
  Counted task;
  worker.post(task);
  task.await(1);
  worker.allow(false);
  worker.post(task);
  EXPECT_EQ(task.finished, 1);
  worker.allow(true);
  worker.start();
  task.await(2);
}

TEST(Worker, StartsItsThreadForWhatHasBeenDueSinceItsThreadEnded) {
  Worker worker;
  Counted task;
  worker.post(task);
  worker.allow(true);
  worker.post(task);
  task.await(1);
}

TEST(Worker, EndsWhileATaskWaitsForALock) {
  Worker worker;
  worker.allow(true);
  Counted task;
  constexpr int forever = 1'000'000'000;
  task.later = forever;
  worker.post(task);
  while (task.later.load() == forever) std::this_thread::yield();
  worker.allow(false);
  EXPECT_EQ(task.finished, 0);
  task.later = 0;
  worker.run_due();
  EXPECT_EQ(task.finished, 1) << "it is still due";
}

TEST(Worker, EndsWhileATaskThatHasWorkedWaitsForALock) {
  Worker worker;
  worker.allow(true);
  Counted task;
  constexpr int forever = 1'000'000'000;
  task.post_and_hold(worker);
  task.later = forever;
  task.held = false;
  while (task.later.load() == forever) std::this_thread::yield();
  worker.allow(false);
  EXPECT_EQ(task.finished, 0);
  task.later = 0;
  worker.run_due();
  EXPECT_EQ(task.prepared, 2) << "it begins anew";
  EXPECT_EQ(task.finished, 1);
}

TEST(Worker, MayBePostedToByManyThreads) {
  Worker worker;
  worker.allow(true);
  std::vector<Counted> tasks(8);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) worker.post(tasks[static_cast<std::size_t>(i) % tasks.size()]);
    });
  for (std::thread& thread : threads) thread.join();
  worker.run_due();
  for (const Counted& task : tasks) {
    EXPECT_GE(task.finished, 1);
    EXPECT_EQ(task.prepared, task.finished);
  }
}

#if !defined(ADAPTIVE_THREAD_SANITIZER)
// Whether a child of this process, forked while the thread is in the middle of `task`, does what is due.
TEST(Worker, AForkedChildStartsAThreadOfItsOwn) {
  Worker worker;
  worker.allow(true);
  Counted in_the_middle;
  Counted waiting;
  Counted later;
  in_the_middle.post_and_hold(worker);
  worker.post(waiting);
  const pid_t child = ::fork();
  if (child == 0) {
    in_the_middle.held = false;
    worker.post(later);  // starts the thread
    later.await(1);
    waiting.await(1);
    in_the_middle.await(1);
    worker.allow(false);
    ::_exit(0);
  }
  in_the_middle.held = false;
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  waiting.await(1);
}

TEST(Worker, AForkedChildBeginsAnewWhatTheThreadWasAt) {
  Worker worker;
  worker.allow(true);
  Counted task;
  task.post_and_hold(worker);
  const pid_t child = ::fork();
  if (child == 0) {
    task.held = false;
    worker.post(task);  // due already; starts the thread
    task.await(1);
    worker.allow(false);
    ::_exit(task.abandoned == 1 && task.prepared == 2 ? 0 : 1);
  }
  task.held = false;
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  task.await(1);
  EXPECT_EQ(task.abandoned, 0);
}

TEST(Worker, ForksWhileItsThreadIsBusyLeaveNoLockTaken) {
  Worker worker;
  worker.allow(true);
  Counted task;
  std::atomic<bool> done{false};
  std::thread poster([&] {
    while (!done.load()) worker.post(task);
  });
  for (int i = 0; i < 50; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      Counted mine;
      worker.post(mine);
      worker.run_due();
      ::_exit(mine.finished.load() == 1 ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0) << i;
  }
  done = true;
  poster.join();
}
#endif

}  // namespace
}  // namespace adaptive::core
