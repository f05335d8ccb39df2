// Tests that a forked child fits models, although the thread that fits them is its parent's.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "tests/operation/tiles.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

TEST(FitForks, AreMadeInAForkedChild) {
  Selector selector(test::options_with_worker());
  Operation& op = selector.define(test::tiles());
  test::learn(op, {8}, test::tiles_ns(8));
  selector.learn();
  const pid_t child = ::fork();
  if (child == 0) {
    test::launch_all(op);
    while (!test::is_modelled(op)) std::this_thread::yield();
    ::_exit(0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace adaptive
