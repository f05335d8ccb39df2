// Tests that the worker thread does each task once, whoever posts it.
#include "learning/worker.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/learning/counted_task.hpp"

namespace adaptive::inline v1::core {
namespace {

using test::Counted;

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

}  // namespace
}  // namespace adaptive::core
