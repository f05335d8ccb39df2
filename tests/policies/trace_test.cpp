#include "tests/policies/support/trace.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include <adaptive/error.hpp>
#include "tests/policies/support/runner.hpp"

namespace adaptive::simulation {
namespace {

// A file that lives as long as the object.
class Scratch {
 public:
  explicit Scratch(const std::string& content) {
    std::string name = (std::filesystem::temp_directory_path() / "adaptive-trace-XXXXXX").string();
    const int file = ::mkstemp(name.data());
    if (file < 0) throw Error("cannot be made", name);
    path_ = name;
    std::ofstream(path_) << content;
    std::filesystem::rename(path_, path_.string() + ".jsonl");
    path_ += ".jsonl";
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

const char* const small = R"({"op":"gemm","key":{"m":1,"n":8},"variant":"slow","latency_us":[20,22,24]}
{"op":"gemm","key":{"m":1,"n":8},"variant":"fast","latency_us":[10,11,12]}

{"op":"gemm","key":{"m":2,"n":8},"variant":"slow","latency_us":[5.5]}
)";

TEST(Trace, IsReadKeyByKey) {
  const Scratch file(small);
  const std::vector<RecordedKey> keys = read_trace(file.path());
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys[0].name, R"(gemm {"m":1,"n":8})");
  EXPECT_EQ(keys[0].variants, (std::vector<std::string>{"slow", "fast"}));
  EXPECT_EQ(keys[0].latency_ns[1], (std::vector<double>{10'000, 11'000, 12'000}));
  EXPECT_EQ(keys[1].latency_ns[0], (std::vector<double>{5'500}));
}

TEST(Trace, SaysWhereALineIsWrong) {
  for (const char* wrong : {"{", R"({"op":"gemm","key":{},"variant":"a"})",
                            R"({"op":"gemm","key":{},"variant":"a","latency_us":[]})",
                            R"({"op":"gemm","key":{},"variant":"a","latency_us":[1,-2]})"}) {
    const Scratch file(std::string(small) + wrong);
    try {
      read_trace(file.path());
      FAIL() << wrong;
    } catch (const Error& e) {
      EXPECT_EQ(e.where(), file.path().string() + ":5") << e.what();
    }
  }
  EXPECT_THROW(read_trace("/no/such/file.jsonl"), Error);
  const Scratch empty("\n");
  EXPECT_THROW(read_trace(empty.path()), Error);
}

TEST(Recorded, DrawsRoundsOfTheRecording) {
  const Scratch file(small);
  const std::vector<RecordedKey> keys = read_trace(file.path());
  Recorded environment(keys[0], Recorded::Order::random);
  EXPECT_EQ(environment.best(), 1U);
  EXPECT_DOUBLE_EQ(environment.gap(0), 1.0);
  environment.restart(1);
  std::set<double> seen;
  for (int call = 0; call < 100; ++call) {
    environment.advance();
    EXPECT_DOUBLE_EQ(environment.launch(0), 2.0 * environment.launch(1)) << "of one round";
    seen.insert(environment.latency_ns(1));
  }
  EXPECT_EQ(seen, (std::set<double>{10'000, 11'000, 12'000}));
}

TEST(Recorded, WalksTheRounds) {
  const Scratch file(small);
  const std::vector<RecordedKey> keys = read_trace(file.path());
  Recorded environment(keys[0], Recorded::Order::recorded);
  environment.restart(1);
  environment.advance();
  for (int call = 0; call < 10; ++call) {
    const double before = environment.latency_ns(1);
    environment.advance();
    EXPECT_EQ(environment.latency_ns(1), before == 12'000 ? 10'000 : before + 1'000);
  }
}

TEST(Recorded, RealTracesAreRead) {
  const char* const data = std::getenv("ADAPTIVE_TEST_DATA");
  if (data == nullptr) GTEST_SKIP() << "ADAPTIVE_TEST_DATA is not set";
  const std::filesystem::path folder = std::filesystem::path(data) / "latency-traces";
  const std::vector<RecordedKey> dense = read_trace(folder / "h200-dense-gemm.jsonl");
  const std::vector<RecordedKey> grouped = read_trace(folder / "h200-grouped-gemm.jsonl");
  EXPECT_EQ(dense.size(), 100U);
  EXPECT_EQ(grouped.size(), 28U);
  double overhead = 0.0;
  for (const RecordedKey& key : dense) {
    EXPECT_EQ(key.variants.size(), 8U);
    Recorded environment(key, Recorded::Order::random);
    RunOptions options;
    options.calls = 1'000;
    overhead += run(environment, options, 1).overhead_end / static_cast<double>(dense.size());
  }
  EXPECT_LT(overhead, 0.005);
}

}  // namespace
}  // namespace adaptive::simulation
