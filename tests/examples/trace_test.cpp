#include "examples/serving/workload/trace.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <adaptive/error.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace serving {
namespace {

namespace fs = std::filesystem;

const fs::path fixture = fs::path(ADAPTIVE_TEST_FIXTURES) / "trace_with_bad_lines.csv";

std::string error_of(const fs::path& path) {
  try {
    read_trace(path);
  } catch (const adaptive::Error& error) {
    return error.what();
  }
  return "";
}

class TraceFile {
 public:
  explicit TraceFile(const std::string& content)
      : path_(fs::temp_directory_path() / ("adaptive-trace-" + std::to_string(::getpid()) + ".csv")) {
    std::ofstream(path_) << content;
  }
  ~TraceFile() { fs::remove(path_); }
  TraceFile(const TraceFile&) = delete;
  TraceFile& operator=(const TraceFile&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

TEST(Trace, ReadsTheGoodLinesInTheOrderOfTheirTimes) {
  const Trace trace = read_trace(fixture);
  ASSERT_EQ(trace.requests.size(), 3U);
  EXPECT_DOUBLE_EQ(trace.requests[0].arrival_s, 0.0);
  EXPECT_EQ(trace.requests[0].prompt_tokens, 64);
  EXPECT_EQ(trace.requests[0].output_tokens, 12);
  EXPECT_NEAR(trace.requests[1].arrival_s, 1.25, 1e-6);
  EXPECT_NEAR(trace.requests[2].arrival_s, 15 * 3600 + 2.75, 1e-6)
      << "the time of day starts again, the clock does not";
}

TEST(Trace, TellsEachBadLineByFileAndLine) {
  const Trace trace = read_trace(fixture);
  EXPECT_EQ(trace.skipped, 5U);
  ASSERT_EQ(trace.problems.size(), 5U);
  const std::string lines[] = {"4", "5", "7", "8", "9"};
  for (std::size_t i = 0; i < 5; ++i)
    EXPECT_TRUE(trace.problems[i].starts_with(fixture.string() + ":" + lines[i] + ": ")) << trace.problems[i];
  EXPECT_NE(trace.problems[1].find("'many'"), std::string::npos);
  EXPECT_NE(trace.problems[2].find("expected 3 cells, got 2"), std::string::npos);
}

TEST(Trace, KeepsTheFirstProblemsAndCountsAll) {
  std::string content = "TIMESTAMP,ContextTokens,GeneratedTokens\n2026-11-21 09:00:00,1,1\n";
  for (int i = 0; i < 100; ++i) content += "nonsense\n";
  const TraceFile file(content);
  const Trace trace = read_trace(file.path());
  EXPECT_EQ(trace.skipped, 100U);
  EXPECT_EQ(trace.problems.size(), trace_problems_max);
}

TEST(Trace, TakesColumnsInAnyOrderAndDosLineEnds) {
  const TraceFile file("GeneratedTokens,Extra,TIMESTAMP,ContextTokens\r\n5,x,2026-11-21 09:00:00.1,70\r\n");
  const Trace trace = read_trace(file.path());
  ASSERT_EQ(trace.requests.size(), 1U);
  EXPECT_EQ(trace.requests[0].prompt_tokens, 70);
  EXPECT_EQ(trace.requests[0].output_tokens, 5);
}

TEST(Trace, RefusesWhatIsNoTrace) {
  EXPECT_NE(error_of("/nonexistent/trace.csv").find("/nonexistent/trace.csv"), std::string::npos);
  const TraceFile other("time,tokens\n1,2\n");
  EXPECT_NE(error_of(other.path()).find(":1: has no column TIMESTAMP"), std::string::npos)
      << error_of(other.path());
  const TraceFile empty("");
  EXPECT_NE(error_of(empty.path()), "");
  const TraceFile header_only("TIMESTAMP,ContextTokens,GeneratedTokens\n");
  EXPECT_NE(error_of(header_only.path()).find("no request"), std::string::npos);
}

// Reads the real trace, if it is available.
TEST(Trace, ReadsTheAzureTrace) {
  const char* data = std::getenv("ADAPTIVE_TEST_DATA");
  if (data == nullptr) GTEST_SKIP() << "ADAPTIVE_TEST_DATA is not set";
  const Trace trace = read_trace(fs::path(data) / "serving-traces" / "azure-llm-2023-code.csv");
  EXPECT_EQ(trace.requests.size(), 8819U);
  EXPECT_EQ(trace.skipped, 0U);
  EXPECT_NEAR(trace.requests.back().arrival_s, 3435.948, 0.001);
}

}  // namespace
}  // namespace serving
