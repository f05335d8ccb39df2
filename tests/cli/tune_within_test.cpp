// Tests `adaptive tune` with a limit of memory and with another objective than latency.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/cli/tool.hpp"

namespace adaptive::inline v1::cli {
namespace {

using Json = nlohmann::json;

class TuneWithin : public ToolTest {};

TEST_F(TuneWithin, KeepsAMemoryLimitAndAnObjective) {
  const std::vector<std::string> arguments = {
      "--devices", "cpu", "--shape", "tokens=2,n=32,k=64,experts=2,filled=1", "--run-name", "r", "--json"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), arguments.begin(), arguments.end());
    std::vector<std::string> all = {"tune", "grouped_gemm", "--runs", path("runs"), "--repeats",
                                    "4",    "--confirm",    "2"};
    all.insert(all.end(), more.begin(), more.end());
    return tool(all);
  };
  const auto most_memory = [](const Outcome& outcome) {
    std::uint64_t most = 0;
    const Json result = Json::parse(outcome.out);
    for (const Json& candidate : result["shapes"][0]["candidates"])
      most = std::max(most, candidate["memory_bytes"].get<std::uint64_t>());
    return most;
  };
  const Outcome all = with({"--force"});
  ASSERT_EQ(all.code, 0) << all.err;
  EXPECT_EQ(most_memory(all), 2u * 32 * 64 * 4) << "packed weights";
  // A resumed run tells the same without measuring again.
  EXPECT_EQ(most_memory(with({})), 2u * 32 * 64 * 4);
  const Outcome few = with({"--force", "--memory-limit", "15K", "--objective", "throughput"});
  ASSERT_EQ(few.code, 0) << few.err;
  EXPECT_EQ(most_memory(few), 0u);
  EXPECT_EQ(Json::parse(read(path("runs/r/run_metadata.json")))["plan"]["race"]["objective"], "throughput");
  EXPECT_EQ(most_memory(with({"--memory-limit", "15K", "--objective", "throughput"})), 0u);
  EXPECT_EQ(with({}).code, 2) << "the run was begun with another objective";
  const Outcome wrong = with({"--memory-limit", "15X"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_NE(wrong.err.find("--memory-limit"), std::string::npos) << wrong.err;
}

}  // namespace
}  // namespace adaptive::cli
