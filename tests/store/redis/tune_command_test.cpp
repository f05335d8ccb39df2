// Tests adaptive tune --queue with two processes in separate folders, as on two machines.
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/cli/tool.hpp"
#include "tests/store/redis/redis_server.hpp"

namespace adaptive::inline v1::cli {
namespace {

using nlohmann::json;

class TuneQueue : public ToolTest {
 protected:
  void SetUp() override {
    if (!test::RedisServer::installed()) GTEST_SKIP() << "redis-server is not installed";
    server_.start();
  }

  std::vector<std::string> command(const std::string& runs) const {
    std::vector<std::string> all = {"tune",      "mixed_bit_matmul",
                                    "--runs",    path(runs),
                                    "--repeats", "4",
                                    "--confirm", "2",
                                    "--json",    "--quiet",
                                    "--queue",   "redis://" + server_.options().host + "/night"};
    for (const char* tokens : {"1", "2", "3", "4", "5", "6"}) {
      all.emplace_back("--shape");
      all.push_back("tokens=" + std::string(tokens) + ",out_features=32,in_features=64,bits=4");
    }
    return all;
  }

  test::RedisServer server_{path("")};
};

TEST_F(TuneQueue, WorkersEndWithTheSameTable) {
  std::vector<pid_t> workers;
  for (const char* runs : {"a", "b"}) {
    workers.push_back(::fork());
    if (workers.back() != 0) continue;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const Outcome outcome = tool(command(runs));
    write(std::string(runs) + ".json", outcome.out);
    ::_exit(outcome.code);
  }
  for (const pid_t worker : workers) {
    int status = -1;
    ASSERT_EQ(::waitpid(worker, &status, 0), worker);
    EXPECT_EQ(status, 0);
  }
  const json a = json::parse(read(path("a.json"))), b = json::parse(read(path("b.json")));
  EXPECT_EQ(a["shapes"].size(), 6u);
  EXPECT_EQ(a["shapes"], b["shapes"]);
  const Outcome late = tool(command("late"));
  EXPECT_EQ(late.code, 0) << late.err;
  EXPECT_EQ(json::parse(late.out)["shapes"], a["shapes"]);
  EXPECT_EQ(tool({"validate", json::parse(late.out)["run"].get<std::string>() + "/results.json"}).code, 0);
}

// Workers on one machine share its table. The first one that ends changes it, and the others go on from what
// the queue says, not from what the table has by then.
TEST_F(TuneQueue, AWorkerThatComesAfterTheTableWasWrittenTakesTheWorkOfTheQueue) {
  std::vector<std::string> sharing = command("a");
  sharing.insert(sharing.end(), {"--update", "--tables", path("tables")});
  const Outcome first = tool(sharing);
  ASSERT_EQ(first.code, 0) << first.err;
  sharing[3] = path("b");
  const Outcome late = tool(sharing);
  EXPECT_EQ(late.code, 0) << late.err;
  EXPECT_EQ(json::parse(late.out)["shapes"], json::parse(first.out)["shapes"]);

  // Another queue has nothing to do: the table has everything.
  sharing[11] += "-again";
  const Outcome idle = tool(sharing);
  EXPECT_EQ(idle.code, 0) << idle.err;
  EXPECT_EQ(json::parse(idle.out)["skipped"], 6);
  // With other shapes in mind a worker is still refused.
  sharing = command("c");
  sharing.insert(sharing.end(), {"--shape", "tokens=7,out_features=32,in_features=64,bits=4"});
  EXPECT_EQ(tool(sharing).code, 2);
}

TEST_F(TuneQueue, RacesVariantsThatTheTableLacks) {
  std::vector<std::string> older = command("a");
  older.insert(older.end(), {"--update", "--tables", path("tables"), "--space",
                             write("space.json", R"({"variants": ["portable_panel2"]})")});
  ASSERT_EQ(tool(older).code, 0);
  std::vector<std::string> newer = command("b");
  newer[11] += "-again";
  newer.insert(newer.end(), {"--update", "--tables", path("tables")});
  const Outcome outcome = tool(newer);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(json::parse(outcome.out)["raced_again"], 6);
  // Another worker, whose own table is empty, races the same.
  std::vector<std::string> other = command("c");
  other[11] = newer[11];
  const Outcome same = tool(other);
  EXPECT_EQ(same.code, 0) << same.err;
  EXPECT_EQ(json::parse(same.out)["raced_again"], 6);
}

TEST_F(TuneQueue, RefusesAWorkerWithOtherOptions) {
  ASSERT_EQ(tool(command("a")).code, 0);
  std::vector<std::string> other = command("b");
  other.insert(other.end(), {"--seed", "2"});
  const Outcome options = tool(other);
  EXPECT_EQ(options.code, 2);
  EXPECT_NE(options.err.find("other options"), std::string::npos) << options.err;
  other = command("b");
  other.insert(other.end(), {"--shape", "tokens=7,out_features=32,in_features=64,bits=4"});
  EXPECT_NE(tool(other).err.find("other shapes"), std::string::npos);
}

}  // namespace
}  // namespace adaptive::cli
