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
  EXPECT_DOUBLE_EQ(json["kept_overhead_percent"], 0.0) << "the second key has but one variant";
  EXPECT_DOUBLE_EQ(json["kept_worst_percent"], 0.0);
  EXPECT_GE(json["promoted_keys"], 0.5) << "that of the second key at least";
  EXPECT_TRUE(json["confirmed_keys"].is_number());
  EXPECT_TRUE(json["late_timed_fraction"].is_number());
  EXPECT_LT(json["last_quarter_overhead_percent"], 0.2) << "at most one look";
  EXPECT_EQ(json["truth"], "mean");
  EXPECT_EQ(json["alone"], false);
}

TEST_F(Replay, KeysMayComeOnce) {
  const Outcome outcome =
      tool({"replay", "--trace", trace(), "--calls", "1", "--runs", "2", "--per-key", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_TRUE(json["last_quarter_overhead_percent"].is_number());
  EXPECT_EQ(json["by_key"].size(), 2U);
}

TEST_F(Replay, JudgesByTrimmedMeans) {
  const std::string burst =
      write("burst.jsonl",
            R"({"op":"gemm","key":{"m":1},"variant":"a","latency_us":[10,10,10,10,10,10,10,10,10,900]}
{"op":"gemm","key":{"m":1},"variant":"b","latency_us":[20,20,20,20,20,20,20,20,20,20]}
)");
  const auto replayed = [&](const char* truth) {
    const Outcome outcome = tool({"replay", "--trace", burst, "--policy", "fixed", "--truth", truth,
                                  "--calls", "10", "--runs", "1", "--json"});
    return nlohmann::json::parse(outcome.out);
  };
  EXPECT_DOUBLE_EQ(replayed("trimmed")["overhead_percent"], 0.0);
  EXPECT_EQ(replayed("trimmed")["truth"], "trimmed");
  EXPECT_NEAR(replayed("mean")["overhead_percent"], 395.0, 1e-9);
}

TEST_F(Replay, StartsFromTheOwnTable) {
  const auto overhead = [&](std::vector<std::string> options) {
    std::vector<std::string> command = {"replay", "--trace", trace(), "--calls",
                                        "100",    "--runs",  "1",     "--json"};
    command.insert(command.end(), options.begin(), options.end());
    return nlohmann::json::parse(tool(command).out);
  };
  const auto own = overhead({"--seeds", "own", "--seed-calls", "1000"});
  EXPECT_EQ(own["seeds"], "own");
  EXPECT_EQ(own["seed_calls"], 1'000);
  EXPECT_EQ(own["course"].back()["calls"], 100) << "of the run that starts from it";
  EXPECT_EQ(overhead({"--seeds", "own"})["seed_calls"], 10'000);
  EXPECT_FALSE(overhead({}).contains("seed_calls"));
  EXPECT_EQ(overhead({"--seeds", "own", "--alone"})["alone"], true);
}

TEST_F(Replay, ScenariosHaveFiguresOfTheirOwn) {
  const auto scenario = [&](const char* name) {
    const Outcome outcome = tool({"replay", "--scenario", name, "--calls", "3000", "--runs", "2", "--json"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return nlohmann::json::parse(outcome.out);
  };
  const auto lock_in = scenario("lock-in");
  EXPECT_TRUE(lock_in["runs_ended_slow"].is_number_unsigned());
  EXPECT_FALSE(lock_in.contains("windows"));
  const auto sizes = scenario("changing sizes");
  EXPECT_EQ(sizes["windows"], 4) << "two in each run, without the first";
  EXPECT_LT(sizes["best_fixed_overhead_percent"], sizes["default_overhead_percent"]);
  EXPECT_TRUE(sizes["windows_behind_default"].is_number_unsigned());
  EXPECT_TRUE(sizes["last_half_overhead_percent"].is_number());
  EXPECT_FALSE(sizes.contains("kept_worst_percent"));
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

TEST_F(Replay, PrintsSeveralPoliciesKeysAndCurves) {
  const Outcome outcome =
      tool({"replay", "--trace", trace(), "--policy", "default", "--policy", "kl-ucb", "--calls", "200",
            "--runs", "2", "--per-key", "--csv", path("course.csv"), "--svg", path("course.svg")});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("kl-ucb"), std::string::npos);
  EXPECT_NE(outcome.out.find("gemm m=2"), std::string::npos);
  EXPECT_TRUE(read(path("course.csv")).starts_with("policy,calls,"));
  EXPECT_TRUE(read(path("course.svg")).starts_with("<svg"));
}

TEST_F(Replay, HasTheQuantilesOfTheRecordedLatencies) {
  const std::string recorded =
      write("recorded.jsonl",
            R"({"op":"gemm","key":{"m":1},"variant":"a","latency_us":[10,11,12,13,14,15,16,17,18,900]}
{"op":"gemm","key":{"m":1},"variant":"b","latency_us":[20,20]}
)");
  const Outcome json =
      tool({"replay", "--trace", recorded, "--calls", "10", "--runs", "1", "--per-key", "--json"});
  ASSERT_EQ(json.code, 0) << json.err;
  EXPECT_EQ(nlohmann::json::parse(json.out)["by_key"][0]["latencies"]["a"],
            (nlohmann::json{{"count", 10}, {"median_us", 14.0}, {"p95_us", 900.0}, {"p99_us", 900.0}}));
  const Outcome text = tool({"replay", "--trace", recorded, "--policy", "default", "--policy", "kl-ucb",
                             "--calls", "10", "--runs", "1", "--per-key"});
  const std::string line = "    b: median 20.000, 95 % 20.000, 99 % 20.000 us of 2 recorded latencies\n";
  EXPECT_NE(text.out.find(line), std::string::npos) << text.out;
  EXPECT_EQ(text.out.find(line), text.out.rfind(line)) << "once, not for each policy";
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
                                             {"replay", "--trace", trace(), "--order", "backwards"},
                                             {"replay", "--trace", trace(), "--truth", "median"},
                                             {"replay", "--trace", trace(), "--seed-calls", "10"},
                                             {"replay", "--trace", trace(), "--delay", "0", "99999999"},
                                             {"replay", "--scenario", "steady", "--alone"},
                                             {"replay", "--scenario", "steady", "--truth", "trimmed"},
                                             {"replay", "--scenario", "steady", "--seeds", "table"},
                                             {"replay", "--scenario", "steady", "--lost", "0.1"}}) {
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
