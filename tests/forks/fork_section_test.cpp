// Tests that a fork holds the sections of the library's threads, outer ones first.
#include "base/fork.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <thread>

namespace adaptive::inline v1::core {
namespace {

class Section final : private ForkSection {
 public:
  explicit Section(Order order) : ForkSection(mutex, order) { hold_at_forks(); }
  ~Section() { ignore_forks(); }
  std::mutex mutex;
  std::atomic<int> in_children{0};

 private:
  void forked() noexcept override { ++in_children; }
};

using Order = ForkSection::Order;

// Exit status of a child that ends with what `body` returns.
template <class F>
int status_of_child(const F& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = -1;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ForkSections, AreFreeAfterwardsAndToldInTheChildAlone) {
  Section section(Order::inner);
  EXPECT_EQ(status_of_child([&] { return section.mutex.try_lock() && section.in_children == 1 ? 0 : 1; }), 0);
  EXPECT_EQ(section.in_children, 0);
  ASSERT_TRUE(section.mutex.try_lock());
  section.mutex.unlock();
}

TEST(ForkSections, OfADestroyedPartAreNotTaken) {
  Section kept(Order::outer);
  { const Section gone(Order::outer); }
  EXPECT_EQ(status_of_child([&] { return kept.in_children == 1 ? 0 : 1; }), 0);
}

// A thread that holds an outer section waits for inner ones, whichever part was there first. Were an inner
// section taken first, a fork and this thread would now and then wait for each other for ever.
TEST(ForkSections, AreTakenOuterOnesFirst) {
  Section early(Order::inner);
  Section outer(Order::outer);
  Section late(Order::inner);
  std::atomic<bool> done{false};
  std::thread holder([&] {
    while (!done.load()) {
      {
        const std::lock_guard first(outer.mutex);
        std::this_thread::yield();
        const std::lock_guard second(early.mutex);
        const std::lock_guard third(late.mutex);
      }
      std::this_thread::yield();  // lets the fork take them
    }
  });
  for (int i = 0; i < 100; ++i) EXPECT_EQ(status_of_child([] { return 0; }), 0);
  done = true;
  holder.join();
}

}  // namespace
}  // namespace adaptive::core
