// Runs the demo as a user does. Results that depend on the speed of the machine are not checked.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Outcome {
  int status = -1;
  std::string out, err;
};

class ServingDemo : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "adaptive-demo-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::string read(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  /// Runs the demo in the test's own folder.
  Outcome run(const std::string& arguments, const std::string& environment = "") const {
    const std::string command = "cd " + folder_.string() +
                                " && env -u ADAPTIVE_TABLES -u ADAPTIVE_MODE -u ADAPTIVE_VARIANT " +
                                environment + " " + ADAPTIVE_SERVING_DEMO + " " + arguments + " >out 2>err";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read(folder_ / "out"), read(folder_ / "err")};
  }

  json run_json(const std::string& arguments, const std::string& environment = "") const {
    const Outcome outcome = run(arguments + " --json", environment);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.status == 0 ? json::parse(outcome.out) : json();
  }

  fs::path folder_;
};

TEST_F(ServingDemo, SaysWhatItWasWorth) {
  const Outcome outcome = run("--quick --steps 150");
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  for (const char* part :
       {"default variants only", "seed table only", "none found", "best single variant",
        "adapted, exploration included", "in hindsight", "explored", "lost by exploring", "promotions",
        "Where the time went", "verdict", "serving_demo --tables adapted.json"})
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part << "\n" << outcome.out;
  EXPECT_EQ(outcome.out.find('\r'), std::string::npos);
  EXPECT_EQ(outcome.err.find('\r'), std::string::npos) << "no progress line without a terminal";
  EXPECT_TRUE(fs::exists(folder_ / "adapted.json"));
}

TEST_F(ServingDemo, ItsFiguresFitTogether) {
  const json summary = run_json("--quick --steps 150 --output other.json");
  EXPECT_EQ(summary["steps"], 150);
  EXPECT_EQ(summary["mode"], "online");
  EXPECT_EQ(summary["failures"], 0);
  EXPECT_GT(summary["launches"], 150 * 6);
  const auto count = [&](const char* match) { return summary["matches"][match].get<std::uint64_t>(); };
  EXPECT_EQ(count("exact") + count("nearest") + count("predicted") + count("default"),
            summary["keys"].get<std::uint64_t>());
  // How many keys began from a prediction depends on the measured latencies.
  EXPECT_EQ(count("exact"), 0U) << "there is no table";
  EXPECT_LT(summary["explored"], summary["launches"]);
  EXPECT_LE(summary["timed"], summary["launches"]);
  const json& comparison = summary["comparison"];
  EXPECT_GE(comparison["covered_share"], 0.99);
  EXPECT_GE(comparison["calibration_rounds"], 2);
  EXPECT_TRUE(comparison["seed_ms"].is_null());
  // `single` is the smallest of several sums, one of which is the default's, of the same numbers.
  EXPECT_LE(comparison["single_ms"].get<double>(), comparison["default_ms"].get<double>() * 1.000001);
  EXPECT_GT(comparison["best_ms"], 0);
  EXPECT_LE(comparison["adapted_measured_ms"].get<double>(), summary["kernel_ms"].get<double>() * 1.000001);
  EXPECT_TRUE(summary["previous"].is_null());
  ASSERT_FALSE(summary["top"].empty());
  EXPECT_NE(summary["top"][0]["explanation"].get<std::string>().find(summary["top"][0]["leader"]),
            std::string::npos);
  // The table contains the launched keys.
  const json table = json::parse(read(folder_ / "other.json"));
  EXPECT_FALSE(table.empty());
}

TEST_F(ServingDemo, ASecondRunBeginsWithTheTableOfTheFirst) {
  const json first = run_json("--quick --steps 30");
  EXPECT_EQ(first["matches"]["exact"], 0);
  const json second = run_json("--quick --steps 30 --tables adapted.json --output second.json");
  EXPECT_EQ(second["previous"]["explored"], first["explored"]);
  EXPECT_EQ(second["previous"]["launches"], first["launches"]);
  EXPECT_GT(second["matches"]["exact"], 0);
  EXPECT_FALSE(second["comparison"]["seed_ms"].is_null());
}

// second_run_test.cpp tests what a table saves, with latencies that repeat. The latencies here are real. On a
// busy machine the only safe claim is that several seeds together explore less, in runs so short that most
// exploration consists of first looks, which a table saves. With a sanitizer's checks the kernels' latencies
// mean nothing.
#ifndef ADAPTIVE_SANITIZED
TEST_F(ServingDemo, ASecondRunFromItsTableExploresLess) {
  double first_explored = 0, second_explored = 0;
  for (const char* seed : {"1", "2", "3", "4"}) {
    const std::string options = std::string("--quick --steps 75 --seed ") + seed;
    const json first = run_json(options);
    const json second = run_json(options + " --tables adapted.json --output second.json");
    first_explored += first["explored"].get<double>() / first["launches"].get<double>();
    second_explored += second["explored"].get<double>() / second["launches"].get<double>();
  }
  EXPECT_GT(first_explored, 0);
  EXPECT_LT(second_explored, first_explored);
}
#endif

TEST_F(ServingDemo, FindsTablesThroughTheEnvironment) {
  fs::create_directory(folder_ / "tables");
  run_json("--quick --steps 30 --output tables/mine.json");
  const json summary = run_json("--quick --steps 30", "ADAPTIVE_TABLES=tables");
  EXPECT_GT(summary["matches"]["exact"], 0);
  const json folder_given = run_json("--quick --steps 30 --tables tables");
  EXPECT_GT(folder_given["matches"]["exact"], 0);
}

TEST_F(ServingDemo, ObeysTheKillSwitch) {
  const json summary = run_json("--quick --steps 30", "ADAPTIVE_MODE=off");
  EXPECT_EQ(summary["mode"], "off");
  EXPECT_EQ(summary["explored"], 0);
  EXPECT_EQ(summary["timed"], 0);
}

TEST_F(ServingDemo, ServesATraceAndTellsItsBadLines) {
  const std::string trace = std::string(ADAPTIVE_TEST_FIXTURES) + "/trace_with_bad_lines.csv";
  const Outcome outcome = run("--quick --steps 1000 --json --trace " + trace);
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const json summary = json::parse(outcome.out);
  EXPECT_EQ(summary["requests"], 3) << "the run ends with the trace";
  EXPECT_EQ(summary["prompt_tokens"], 120 + 64 + 300);
  EXPECT_EQ(summary["answer_tokens"], 7 + 12 + 1);
  for (const char* place : {".csv:4: ", ".csv:5: ", ".csv:7: ", ".csv:8: ", ".csv:9: "})
    EXPECT_NE(outcome.err.find(place), std::string::npos) << outcome.err;
}

TEST_F(ServingDemo, WrongUsageExitsWithTwo) {
  for (const char* arguments :
       {"--nonsense", "more", "--steps", "--steps 0", "--steps -1", "--steps 1x", "--seconds nan",
        "--seed ''", "--steps 5 --seconds 5", "--rate 3 --trace x.csv"}) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 2) << arguments;
    EXPECT_TRUE(outcome.err.starts_with("serving_demo: ")) << outcome.err;
    EXPECT_NE(outcome.err.find("usage:"), std::string::npos) << arguments;
    EXPECT_TRUE(outcome.out.empty());
  }
}

TEST_F(ServingDemo, WrongInputExitsWithTwoAndNamesTheFile) {
  std::ofstream(folder_ / "broken.json") << "{\"not\": \"a table\"";
  std::ofstream(folder_ / "broken.csv") << "a,b\n";
  for (const char* arguments : {"--quick --tables missing.json", "--quick --tables broken.json",
                                "--quick --trace missing.csv", "--quick --trace broken.csv"}) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 2) << arguments;
    const std::string argument = arguments;
    EXPECT_NE(outcome.err.find(argument.substr(argument.rfind(' ') + 1)), std::string::npos) << outcome.err;
  }
}

TEST_F(ServingDemo, ATableThatCannotBeWrittenDoesNotLoseTheRun) {
  const Outcome outcome = run("--quick --steps 30 --output missing/adapted.json");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("missing/adapted.json"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.out.find("in hindsight"), std::string::npos);
  EXPECT_EQ(outcome.out.find("--tables"), std::string::npos) << "there is nothing to start from";
}

TEST_F(ServingDemo, HelpNamesEveryOption) {
  const Outcome outcome = run("--help");
  EXPECT_EQ(outcome.status, 0);
  for (const char* option :
       {"--seconds", "--steps", "--quick", "--seed", "--rate", "--trace", "--tables", "--output", "--json"})
    EXPECT_NE(outcome.out.find(option), std::string::npos) << option;
}

}  // namespace
