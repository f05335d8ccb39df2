// Tests tuning by several processes with a real server: one is killed while it holds a shape, one joins late.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "table/table.hpp"
#include "tests/selector/scratch_folder.hpp"
#include "tests/store/redis/redis_server.hpp"
#include "tests/tuning/fake_target.hpp"
#include "tuning/queue/redis_board.hpp"
#include "tuning/queue/shared_queue.hpp"
#include "tuning/tuner.hpp"

namespace adaptive::inline v1::tuning {
namespace {

class TuningQueue : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
    server_.start();
  }
  BoardAddress address(const std::string& name) const {
    return {.host = server_.options().host, .name = name};
  }

  const test::ScratchFolder folder_;
  test::RedisServer server_{folder_ / ""};
};

TEST_F(TuningQueue, ABoardReplacesInOneStep) {
  const auto board = redis_board(address("a")), other = redis_board(address("a"));
  EXPECT_TRUE(board->read("g").empty());
  EXPECT_EQ(board->read("g", "x"), "");
  EXPECT_TRUE(board->replace("g", "x", "", "one"));
  EXPECT_FALSE(other->replace("g", "x", "", "two"));
  EXPECT_TRUE(other->replace("g", "x", "", "one")) << "it is there already: a call made again";
  EXPECT_TRUE(other->replace("g", "x", "one", std::string("two\0\r\n", 6)));
  EXPECT_EQ(board->read("g", "x"), std::string("two\0\r\n", 6));
  EXPECT_EQ(board->read("g"), (Board::Texts{{"x", std::string("two\0\r\n", 6)}}));
  EXPECT_TRUE(board->replace("g", "x", std::string("two\0\r\n", 6), ""));
  EXPECT_TRUE(board->read("g").empty());
  EXPECT_TRUE(redis_board(address("b"))->read("g").empty());
}

// The server decides which one of ten workers gets the shape.
TEST_F(TuningQueue, OneOfManyGetsAShape) {
  std::atomic<int> winners = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 10; ++i)
    threads.emplace_back([&] {
      SharedQueue queue(redis_board(address("a")), {}, 1, {.poll_seconds = 0.001});
      if (queue.take().shape) ++winners;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(winners, 1);
}

/// Flags in memory that the processes share.
struct Flags {
  std::atomic<bool> victim_has_a_shape = false;
};

class Worker {
 public:
  explicit Worker(const std::function<void()>& work) : pid_(::fork()) {
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
      work();
    } catch (const std::exception& e) {
      std::fprintf(stderr, "%s\n", e.what());
      ::_exit(1);
    }
    ::_exit(0);
  }
  void kill() const { ::kill(pid_, SIGKILL); }
  int wait() const {
    int status = -1;
    ::waitpid(pid_, &status, 0);
    return status;
  }

 private:
  pid_t pid_;
};

TEST_F(TuningQueue, AKilledWorkersShapeIsGivenOutAgain) {
  void* const memory =
      ::mmap(nullptr, sizeof(Flags), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  Flags& flags = *new (memory) Flags;

  FakeDevice undisturbed;
  FakeTarget alone(undisturbed);
  const std::vector<kernels::Shape> shapes = alone.bench_shapes();
  TrialLog whole;
  const table::Table expected = to_table(tune({&alone}, shapes, whole), 1);

  const auto work = [&](FakeDevice& device, const std::string& file) {
    SharedQueue queue(redis_board(address("run")), {{"options", "as usual"}}, shapes.size(),
                      {.lease_seconds = 0.2, .poll_seconds = 0.002});
    FakeTarget target(device);
    TrialLog log;
    const TuneResult result = tune({&target}, shapes, log, {.queue = &queue});
    table::write(to_table(result, 1), folder_ / file);
  };
  const Worker victim([&] {
    FakeDevice device;
    // The process keeps renewing its lease, so that no other worker takes the shape before the kill.
    device.candidates[1].in_round = [&] {
      flags.victim_has_a_shape = true;
      while (true) ::pause();
    };
    work(device, "victim.json");
  });
  while (!flags.victim_has_a_shape) std::this_thread::yield();
  const auto sound = [&](const std::string& file) {
    return [&, file] {
      FakeDevice device;
      work(device, file);
    };
  };
  const Worker first(sound("first.json")), second(sound("second.json"));
  // Waits until only the victim's shape is left for the others.
  const auto board = redis_board(address("run"));
  const auto count_done = [&] {
    std::size_t count = 0;
    for (const auto& [shape, text] : board->read("shapes")) count += text.starts_with("done ") ? 1 : 0;
    return count;
  };
  while (count_done() + 1 < shapes.size()) std::this_thread::yield();
  victim.kill();
  const Worker late(sound("late.json"));
  EXPECT_EQ(WTERMSIG(victim.wait()), SIGKILL);
  for (const Worker* worker : {&first, &second, &late}) EXPECT_EQ(worker->wait(), 0);
  for (const char* file : {"first.json", "second.json", "late.json"})
    EXPECT_EQ(table::read(folder_ / file).table, expected) << file;
  ::munmap(memory, sizeof(Flags));
}

}  // namespace
}  // namespace adaptive::tuning
