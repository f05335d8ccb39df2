// Tests sharing through a real server, which is killed and restarted during the test.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <adaptive/adaptive.hpp>
#include <adaptive/redis.hpp>

#include "store/redis/connection.hpp"
#include "table/table.hpp"
#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"
#include "tests/store/redis/redis_server.hpp"

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

TEST_F(Redis, TransfersOnlyWhatHasChanged) {
  server_.start();
  redis::Connection connection(server_.options());
  const auto sent_bytes = [&] {
    const std::string text = connection.run({"INFO", "stats"}).text;
    const std::string name = "total_net_output_bytes:";
    return std::stoull(text.substr(text.find(name) + name.size()));
  };
  const auto writer = redis_store(server_.options());
  const auto reader = redis_store(server_.options());
  Store::Records records;
  for (int i = 0; i < 2000; ++i) records[std::to_string(i)] = std::string(500, 'x');
  writer->write("group", "w1", records);
  redis_store(server_.options())->write("group", "w2", {{"other", "1"}});
  EXPECT_EQ(reader->read("group").size(), 2001u);
  writer->write("group", "w1", {{"7", "changed"}, {"new", "1"}});
  const auto before = sent_bytes();
  Store::Records all = reader->read("group");
  EXPECT_LT(sent_bytes() - before, 20'000u);
  EXPECT_EQ(all.size(), 2002u);
  EXPECT_EQ(all.at("7"), "changed");
  EXPECT_EQ(all.at("8"), records.at("8"));
}

TEST_F(Redis, RecordsExpireUnlessTheirWriterRenewsThem) {
  server_.start();
  redis::Connection connection(server_.options());
  RedisOptions options = server_.options();
  options.retention.unused = std::chrono::hours(1);
  const auto store = redis_store(options);
  store->write("group", "w", {{"one", "1"}});
  const std::vector<std::string> keys = {"adaptive:group:writers", "adaptive:group:versions:w",
                                         "adaptive:group:records:w"};
  for (const std::string& key : keys) {
    EXPECT_GT(connection.run({"TTL", key}).integer, 3500) << key;
    EXPECT_LE(connection.run({"TTL", key}).integer, 3600) << key;
    connection.run({"EXPIRE", key, "60"});
  }
  store->write("group", "w", {});
  for (const std::string& key : keys) EXPECT_GT(connection.run({"TTL", key}).integer, 3500) << key;
  for (const redis::Answer& key : connection.run({"KEYS", "*"}).elements)
    EXPECT_EQ(std::count(keys.begin(), keys.end(), key.text), 1) << key.text;

  EXPECT_EQ(store->read("group").size(), 1u);
  connection.run({"DEL", keys[1], keys[2]});  // as if they had expired
  EXPECT_EQ(store->read("group").size(), 1u) << "what was read once is not asked for again";
  store->write("group", "w", {});
  EXPECT_TRUE(store->read("group").empty()) << "so that the writer publishes it again";
  EXPECT_TRUE(redis_store(options)->read("group").empty());
  options.retention.unused = options.retention.unused.zero();
  redis_store(options)->write("for ever", "w", {{"one", "1"}});
  EXPECT_EQ(connection.run({"TTL", "adaptive:for ever:records:w"}).integer, -1);
}

TEST_F(Redis, BeyondTheirNumberTheLongestUnusedWritersAreRemoved) {
  server_.start();
  redis::Connection connection(server_.options());
  const std::vector<std::string> writers = {"w0", "w1", "w2", "w3", "w4", "w5"};
  for (const std::string& writer : writers)
    redis_store(server_.options())->write("group", writer, {{writer, "1"}});
  for (std::size_t i = 0; i < writers.size(); ++i)
    connection.run({"ZADD", "adaptive:group:writers", std::to_string(1'000'000 + i), writers[i]});
  const auto reader = redis_store(server_.options());
  EXPECT_EQ(reader->read("group").size(), 6u);
  RedisOptions options = server_.options();
  options.retention = {.unused = std::chrono::seconds(0), .writers = 3};
  const auto store = redis_store(options);
  store->write("group", "own", {{"own", "1"}});
  EXPECT_EQ(store->read("group"), (Store::Records{{"own", "1"}, {"w4", "1"}, {"w5", "1"}}));
  EXPECT_EQ(reader->read("group"), store->read("group"));
  EXPECT_EQ(connection.run({"EXISTS", "adaptive:group:records:w0"}).integer, 0);
  options.retention = {.unused = std::chrono::hours(1)};
  redis_store(options)->write("group", "own", {{"own", "2"}});
  EXPECT_EQ(reader->read("group"), (Store::Records{{"own", "2"}})) << "unused since 1970";
}

TEST_F(Redis, OneWritersDamagedRecordsStopNobody) {
  server_.start();
  const auto store = redis_store(server_.options());
  for (const char* writer : {"w1", "w2", "w3"}) store->write("group", writer, {{writer, "1"}});
  redis::Connection connection(server_.options());
  connection.run({"SET", "adaptive:group:versions:w1", "text"});
  connection.run({"SET", "adaptive:group:records:w2", "text"});
  const auto reader = redis_store(server_.options());
  EXPECT_EQ(reader->read("group"), (Store::Records{{"w3", "1"}}));
  ASSERT_EQ(reader->problems().size(), 2u);
  EXPECT_NE(reader->problems()[0].where.find("adaptive:group:versions:w1"), std::string::npos);
  EXPECT_NE(reader->problems()[0].what.find("WRONGTYPE"), std::string::npos);
}

TEST_F(Redis, AStartedProgramDoesNotInheritTheConnection) {
  server_.start();
  const auto store = redis_store(server_.options());
  store->read("group");
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    if (std::filesystem::read_symlink(entry.path(), ignored).string().find("socket:") != 0) continue;
    const int flags = ::fcntl(std::stoi(entry.path().filename().string()), F_GETFD);
    EXPECT_TRUE(flags < 0 || (flags & FD_CLOEXEC) != 0) << entry.path();
  }
}

TEST_F(Redis, AnOutageIsAnErrorAndTheNextCallConnectsAnew) {
  const auto store = redis_store(server_.options());
  EXPECT_THROW(store->read("group"), Error);
  server_.start();
  store->write("group", "w", {{"one", "1"}});
  server_.kill();
  // Also a write to a closed connection fails with an error. By default the kernel would end the program with
  // a signal.
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

// State that the processes exchange, in shared memory.
struct Board {
  std::atomic<bool> restarted = false;
  std::array<std::atomic<bool>, 4> noticed{};  // whether a process has noticed the server's end
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

// Measures, partly while the server is down, until the process's own table contains the measurements of all
// processes.
void serve(unsigned index, Board& board, const RedisOptions& redis, const std::filesystem::path& path) {
  SelectorOptions options = test::options();
  options.writer = "process" + std::to_string(index);
  Selector selector(options);
  Operation& op = selector.define(test::operation({"a", "b"}));
  Saver saver(selector,
              {.path = path, .store = redis_store(redis), .interval = std::chrono::milliseconds(2)});
  const auto measure = [&] {
    for (std::uint64_t i = 0; i < results_each / 3; ++i) {
      const Key key{
          64 << (i % 2 == 0 ? 0u : index)};  // one key that all processes have, and one key of its own
      op.record(key, static_cast<std::uint32_t>(i / 2 % 2), Latency(i / 2 % 2 == 0 ? 1000.0 : 2000.0));
    }
  };
  measure();
  // Does not wait for an exchange to end, because the server may be killed between the write and the read of
  // one.
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
  server_.start();  // the new server is empty; the old data is lost
  board.restarted = true;
  for (const pid_t child : children) {
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  const auto entries_of = [&](unsigned i) { return table::read(path(i)).table.operations.at("op").entries; };
  const std::map<Key, table::Entry> first = entries_of(0);
  EXPECT_EQ(first.at(Key{64}).variants.at("a").shares.size(), 4U);
  for (unsigned i = 1; i < 4; ++i) {
    const std::map<Key, table::Entry> other = entries_of(i);
    ASSERT_EQ(other.size(), first.size()) << i;
    for (const auto& [key, entry] : first) {
      EXPECT_EQ(other.at(key).variants, entry.variants) << i;
      // The latest claim depends on the order of saves; the claimed variant does not.
      EXPECT_EQ(other.at(key).incumbent, entry.incumbent) << i;
    }
  }
  ::munmap(memory, sizeof(Board));
}

}  // namespace
}  // namespace adaptive
