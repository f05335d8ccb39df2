// Sharing through a real server, which is killed and started again meanwhile.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <adaptive/adaptive.hpp>
#include <adaptive/redis.hpp>

#include "table/table.hpp"
#include "tests/redis/redis_server.hpp"
#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

class Redis : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
  }
  const test::ScratchFolder folder_;
  test::RedisServer server_{folder_ / ""};
};

TEST_F(Redis, KeepsRecordsByName) {
  server_.start();
  const auto store = redis_store(server_.options());
  EXPECT_TRUE(store->read("group").empty());
  const std::string binary("a\0\xff\r\n", 5);
  store->write("group", "w", {{"one", "1"}, {"two words/and more", binary}});
  store->write("group", "w", {{"one", "11"}});
  store->write("other", "w", {{"one", "x"}});
  EXPECT_EQ(redis_store(server_.options())->read("group"),
            (Store::Records{{"one", "11"}, {"two words/and more", binary}}));
  Store::Records many;
  for (int i = 0; i < 5000; ++i) many[std::to_string(i)] = std::string(100, 'x');
  store->write("many", "w", many);
  EXPECT_EQ(store->read("many"), many);
}

TEST_F(Redis, AnOutageIsAnErrorAndTheNextCallConnectsAnew) {
  const auto store = redis_store(server_.options());
  EXPECT_THROW(store->read("group"), Error);
  server_.start();
  store->write("group", "w", {{"one", "1"}});
  server_.kill();
  // Also what is written to a closed connection, for which the kernel would end the program.
  EXPECT_THROW(store->write("group", "w", {{"one", "2"}}), Error);
  EXPECT_THROW(store->read("group"), Error);
  server_.start();
  EXPECT_TRUE(store->read("group").empty());
}

TEST_F(Redis, ErrorsOfTheServerAreTold) {
  server_.start();
  RedisOptions options = server_.options();
  options.password = "wrong";
  try {
    redis_store(options)->read("group");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.problem().find("AUTH"), std::string::npos) << error.what();
  }
}

// What the processes tell each other, in memory that they share.
struct Board {
  std::atomic<bool> restarted = false;
  std::array<std::atomic<bool>, 4> noticed{};  // that the server is gone
};

constexpr std::uint64_t results_each = 60;

std::uint64_t results_in(const std::filesystem::path& path) {
  std::uint64_t count = 0;
  if (!std::filesystem::exists(path)) return count;
  const table::Table table = table::read(path).table;
  for (const auto& [name, operation] : table.operations)
    for (const auto& [key, entry] : operation.entries)
      for (const auto& [variant, record] : entry.variants) count += record.count;
  return count;
}

// Measures, part of it while the server is away, until its own table holds what all have measured.
void serve(unsigned index, Board& board, const RedisOptions& redis, const std::filesystem::path& path) {
  SelectorOptions options = test::options();
  options.writer = "process" + std::to_string(index);
  Selector selector(options);
  Operation& op = selector.define(test::operation({"a", "b"}));
  Saver saver(selector,
              {.path = path, .store = redis_store(redis), .interval = std::chrono::milliseconds(2)});
  const auto measure = [&] {
    for (std::uint64_t i = 0; i < results_each / 3; ++i) {
      const Key key{64 << (i % 2 == 0 ? 0u : index)};  // one that all have, and one of its own
      op.record(key, static_cast<std::uint32_t>(i / 2 % 2), Latency(i / 2 % 2 == 0 ? 1000.0 : 2000.0));
    }
  };
  measure();
  // Not for an exchange to end: the server may be killed between its writing and its reading.
  while (saver.status().exchanges_failed == 0) std::this_thread::yield();
  board.noticed[index] = true;
  measure();
  while (!board.restarted) std::this_thread::yield();
  measure();
  while (results_in(path) != 4 * results_each) std::this_thread::yield();
}

TEST_F(Redis, AllProcessesConvergeThoughTheServerIsKilledMeanwhile) {
  server_.start();
  void* const memory =
      ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  Board& board = *new (memory) Board;
  std::vector<pid_t> children;
  const auto path = [&](unsigned i) { return folder_ / ("table" + std::to_string(i) + ".json"); };
  for (unsigned i = 0; i < 4; ++i) {
    children.push_back(::fork());
    if (children.back() != 0) continue;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
      serve(i, board, server_.options(), path(i));
    } catch (const std::exception& e) {
      std::fprintf(stderr, "%s\n", e.what());
      ::_exit(1);
    }
    ::_exit(0);
  }
  const auto store = redis_store(server_.options());
  while (store->read("test_device_1-unknown-unknown").size() < 7)
    std::this_thread::yield();  // all four have published
  server_.kill();
  for (const auto& noticed : board.noticed)
    while (!noticed) std::this_thread::yield();
  server_.start();  // empty: what it had is gone
  board.restarted = true;
  for (const pid_t child : children) {
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  const table::Table first = table::read(path(0)).table;
  EXPECT_EQ(first.operations.at("op").entries.at(Key{64}).variants.at("a").shares.size(), 4U);
  for (unsigned i = 1; i < 4; ++i) EXPECT_EQ(table::read(path(i)).table, first) << i;
  ::munmap(memory, sizeof(Board));
}

}  // namespace
}  // namespace adaptive
