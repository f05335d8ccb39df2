#include <nlohmann/json.hpp>

#include "tests/cli/tool.hpp"

namespace adaptive::inline v1::cli {
namespace {

class Replay : public ToolTest {
 protected:
  std::string trace() const {
    return write("trace.jsonl", R"({"op":"gemm","key":{"m":1},"variant":"slow","latency_us":[20,20]}
{"op":"gemm","key":{"m":1},"variant":"fast","latency_us":[10,10]}
{"op":"gemm","key":{"m":2},"variant":"only","latency_us":[5]}
)");
  }
};

TEST_F(Replay, PrintsTheContractsFigures) {
  const Outcome outcome =
      tool({"replay", "--trace", trace(), "--policy", "default", "--calls", "1000", "--runs", "3", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["policy"], "default");
  EXPECT_EQ(json["keys"], 2);
  EXPECT_GT(json["overhead_percent"], 0.0);
  EXPECT_LT(json["overhead_percent"], 1.0);
  EXPECT_DOUBLE_EQ(json["first_look_floor_percent"], 0.05) << "half the keys have a gap of one latency";
  EXPECT_EQ(json["wrong_promotions"], 0);
  EXPECT_TRUE(json["promotions"].is_number_unsigned());
  EXPECT_LE(json["timed_fraction"], 1.0);
  EXPECT_EQ(json["course"].back()["calls"], 1000);
}

TEST_F(Replay, RepeatsItselfByTheSeed) {
  const std::vector<std::string> command = {"replay", "--scenario", "steady", "--calls",
                                            "500",    "--runs",     "3"};
  EXPECT_EQ(tool(command).out, tool(command).out);
  std::vector<std::string> other = command;
  other.insert(other.end(), {"--seed", "2"});
  EXPECT_NE(tool(command).out, tool(other).out);
}

TEST_F(Replay, CountsTheCostOfTiming) {
  const auto overhead = [&](const char* cost) {
    const Outcome outcome = tool({"replay", "--trace", trace(), "--policy", "fixed", "--calls", "1000",
                                  "--runs", "1", "--timing-cost-us", cost, "--json"});
    return nlohmann::json::parse(outcome.out)["overhead_percent"].get<double>();
  };
  EXPECT_GT(overhead("10"), overhead("0"));
}

TEST_F(Replay, SeveralPoliciesKeysAndCurves) {
  const Outcome outcome =
      tool({"replay", "--trace", trace(), "--policy", "default", "--policy", "kl-ucb", "--calls", "200",
            "--runs", "2", "--per-key", "--csv", path("course.csv"), "--svg", path("course.svg")});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("kl-ucb"), std::string::npos);
  EXPECT_NE(outcome.out.find("gemm m=2"), std::string::npos);
  EXPECT_TRUE(read(path("course.csv")).starts_with("policy,calls,"));
  EXPECT_TRUE(read(path("course.svg")).starts_with("<svg"));
}

TEST_F(Replay, UsesTheGoodLinesOfATrace) {
  const std::string mixed = write("mixed.jsonl", "rubbish\n" + read(trace()));
  const Outcome outcome = tool({"replay", "--trace", mixed, "--calls", "100", "--runs", "1", "--json"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.err.find("mixed.jsonl:1: "), std::string::npos) << outcome.err;
}

TEST_F(Replay, RefusesWrongUsageAndInput) {
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"replay"},
                                             {"replay", "--trace", trace(), "--scenario", "steady"},
                                             {"replay", "--trace", path("missing.jsonl")},
                                             {"replay", "--trace", write("empty.jsonl", "")},
                                             {"replay", "--scenario", "no such"},
                                             {"replay", "--trace", trace(), "--policy", "no such"},
                                             {"replay", "--trace", trace(), "--calls", "0"},
                                             {"replay", "--trace", trace(), "--calls", "many"},
                                             {"replay", "--trace", trace(), "--delay", "5", "1"},
                                             {"replay", "--trace", trace(), "--order", "backwards"}}) {
    const Outcome outcome = tool(wrong);
    EXPECT_EQ(outcome.code, 2) << outcome.out;
    EXPECT_FALSE(outcome.err.empty());
  }
}

TEST_F(Replay, PredictsAndSaysHowWell) {
  std::string lines;
  for (int m = 1; m <= 128; m *= 2)
    for (int v = 0; v < 3; ++v) {
      const std::string latency = std::to_string(10 + m * (v + 1));
      lines += R"({"op":"gemm","key":{"m":)" + std::to_string(m) + R"(,"type":"half"},"variant":"v)" +
               std::to_string(v) + R"(","latency_us":[)" + latency + "," + latency + "]}\n";
    }
  const std::string trace = write("sizes.jsonl", lines);
  const Outcome outcome =
      tool({"replay", "--trace", trace, "--predict", "--calls", "100", "--runs", "2", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["prediction"]["keys"], 8);
  EXPECT_EQ(json["prediction"]["keys_predicted"], 8);
  EXPECT_GT(json["prediction"]["coverage_90_percent"], 50.0);
  const Outcome all_left_out = tool({"replay", "--trace", trace, "--predict", "--leave-out", "type",
                                     "--calls", "100", "--runs", "1", "--json"});
  EXPECT_EQ(nlohmann::json::parse(all_left_out.out)["prediction"]["keys_predicted"], 0);
}

TEST_F(Replay, RefusesPredictionsThatMakeNoSense) {
  EXPECT_EQ(tool({"replay", "--scenario", "steady", "--predict"}).code, 2);
  EXPECT_EQ(tool({"replay", "--trace", trace(), "--predict", "--seeds", "table"}).code, 2);
  EXPECT_EQ(tool({"replay", "--trace", trace(), "--leave-out", "m"}).code, 2);
  EXPECT_EQ(tool({"replay", "--trace", trace(), "--prediction-error", "0.5"}).code, 2);
  const Outcome unknown = tool({"replay", "--trace", trace(), "--predict", "--leave-out", "nonsense"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.err.find("nonsense"), std::string::npos);
}

}  // namespace
}  // namespace adaptive::cli
