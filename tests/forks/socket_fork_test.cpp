// The sockets of processes that fork and of processes that are killed.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include <adaptive/adaptive.hpp>
#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"
#include "tests/watch/socket_support.hpp"
#include "watch/socket/client.hpp"

namespace adaptive {
namespace {

namespace fs = std::filesystem;
using test::ask;
using test::listening;
using watch::Client;
using watch::find_sockets;
using watch::FoundSocket;

constexpr const char* status = R"({"version": 1, "ask": "status"})";

// A child process that says when it has got somewhere, and then waits to be told to go on.
class Child {
 public:
  explicit Child(const std::function<void(Child&)>& main) {
    EXPECT_EQ(::pipe(said_.data()), 0);
    EXPECT_EQ(::pipe(told_.data()), 0);
    process_ = ::fork();
    if (process_ != 0) return;
    main(*this);
    ::_exit(0);
  }
  ~Child() {
    if (process_ > 0) kill();
    for (const int pipe : {said_[0], said_[1], told_[0], told_[1]}) ::close(pipe);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t process() const { return process_; }
  void kill() {
    ::kill(process_, SIGKILL);
    ::waitpid(std::exchange(process_, 0), nullptr, 0);
  }
  // In the child:
  void say_and_wait() {
    char c = 'x';
    EXPECT_EQ(::write(said_[1], &c, 1), 1);
    EXPECT_EQ(::read(told_[0], &c, 1), 1);
  }
  // In the parent:
  void wait_until_said() {
    char c = 0;
    EXPECT_EQ(::read(said_[0], &c, 1), 1);
  }
  void tell() { EXPECT_EQ(::write(told_[1], "x", 1), 1); }

 private:
  std::array<int, 2> said_{};
  std::array<int, 2> told_{};
  pid_t process_ = 0;
};

class SocketOfForks : public testing::Test {
 protected:
  fs::path path() const { return folder_.path(); }
  const test::ScratchFolder folder_{test::memory_folder()};
};

TEST_F(SocketOfForks, AChildHasNoneUntilItWorksAndThenItsOwn) {
  Selector selector(listening(path()));
  selector.define(test::operation({"a", "b"}));
  Client connected_before(find_sockets({path()}).at(0));
  EXPECT_EQ(ask(connected_before, status).at("process"), ::getpid());
  Child child([&](Child& self) {
    self.say_and_wait();
    selector.set_mode(Mode::frozen);
    selector.learn();  // what the worker thread of a child does at its first result
    self.say_and_wait();
  });
  child.wait_until_said();
  ASSERT_EQ(find_sockets({path()}).size(), 1u);
  EXPECT_EQ(ask(connected_before, status).at("process"), ::getpid());
  EXPECT_EQ(ask(path(), status).at("process"), ::getpid());
  child.tell();
  child.wait_until_said();
  auto sockets = find_sockets({path()});
  ASSERT_EQ(sockets.size(), 2u);
  for (const FoundSocket& socket : sockets) {
    Client client(socket);
    const auto answer = ask(client, status);
    EXPECT_EQ(answer.at("process"), socket.name.process);
    EXPECT_EQ(answer.at("mode"), socket.name.process == child.process() ? "frozen" : "online");
  }
  child.kill();
  sockets = find_sockets({path()});
  ASSERT_EQ(sockets.size(), 1u) << "the socket of the dead child is removed";
  EXPECT_EQ(sockets[0].name.process, ::getpid());
  EXPECT_EQ(ask(connected_before, status).at("process"), ::getpid());
}

TEST_F(SocketOfForks, AChildDoesNotKeepTheSocketOfADeadParentOpen) {
  Child parent([&](Child& self) {
    Selector selector(listening(path()));
    if (::fork() == 0) {  // lives on, with all that it has inherited, until its parent has been killed
      self.say_and_wait();
      ::_exit(0);
    }
    self.say_and_wait();
  });
  parent.wait_until_said();
  parent.wait_until_said();
  const pid_t killed = parent.process();
  ASSERT_EQ(find_sockets({path()}).at(0).name.process, killed);
  parent.kill();
  EXPECT_TRUE(find_sockets({path()}).empty());
  EXPECT_TRUE(fs::is_empty(path()));
  parent.tell();
}

TEST_F(SocketOfForks, ASelectorTakesThePlaceOfAKilledOne) {
  Child child([&](Child& self) {
    const Selector selector(listening(path()));
    self.say_and_wait();
  });
  child.wait_until_said();
  // As if the process had the number of the killed one.
  const fs::path left = path() / (std::to_string(::getpid()) + ".1.sock");
  fs::rename(path() / to_text(find_sockets({path()}).at(0).name), left);
  child.kill();
  const Selector selector(listening(path()));
  EXPECT_EQ(find_sockets({path()}).at(0).name.selector, 1);
  EXPECT_EQ(ask(path(), status).at("process"), ::getpid());
}

TEST_F(SocketOfForks, AForkMeanwhileLeavesNoLockTakenInTheChild) {
  Selector selector(listening(path()));
  Operation& op = selector.define(test::operation({"a", "b"}));
  for (std::int64_t m = 1; m <= 200; ++m) test::launch(op, {m}, {2e6, 1e6}, 2);
  Client client(find_sockets({path()}).at(0));
  std::atomic<bool> done{false};
  std::thread asks([&] {
    while (!done) EXPECT_EQ(ask(client, status).at("all_keys"), 200);
  });
  for (int i = 0; i < 20; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      // Takes every lock that an answer takes; a stuck child is killed by its alarm.
      ::alarm(60);
      static_cast<void>(op.status());
      selector.set_mode(Mode::seed);
      ::_exit(op.counters().keys == 200 ? 0 : 1);
    }
    int result = 1;
    ASSERT_EQ(::waitpid(child, &result, 0), child);
    EXPECT_EQ(result, 0);
  }
  done = true;
  asks.join();
}

}  // namespace
}  // namespace adaptive
