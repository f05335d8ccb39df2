// Tests what becomes of the worker thread if the process forks.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "learning/worker.hpp"
#include "tests/learning/counted_task.hpp"

namespace adaptive::inline v1::core {
namespace {

using test::Counted;

// Whether a child of this process, forked while the thread is in the middle of `task`, does what is due.
TEST(WorkerForks, AForkedChildStartsAThreadOfItsOwn) {
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

TEST(WorkerForks, AForkedChildBeginsAnewWhatTheThreadWasAt) {
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

TEST(WorkerForks, ForksWhileItsThreadIsBusyLeaveNoLockTaken) {
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

}  // namespace
}  // namespace adaptive::core
