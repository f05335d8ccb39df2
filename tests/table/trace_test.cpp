#include "table/trace.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <adaptive/error.hpp>

namespace adaptive::inline v1::table {
namespace {

// A file that lives as long as the object.
class Scratch {
 public:
  explicit Scratch(const std::string& content) {
    std::string name = (std::filesystem::temp_directory_path() / "adaptive-trace-XXXXXX").string();
    const int file = ::mkstemp(name.data());
    if (file < 0) throw Error(ErrorCode::io, "cannot be made", name);
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
  const Trace trace = read_trace(file.path());
  ASSERT_EQ(trace.keys.size(), 2U);
  EXPECT_TRUE(trace.notices.empty());
  EXPECT_EQ(trace.keys[0].name(), "gemm m=1 n=8");
  EXPECT_EQ(trace.keys[0].operation, "gemm");
  EXPECT_EQ(trace.keys[0].key.at("n"), Parameter(8));
  EXPECT_EQ(trace.keys[0].variants, (std::vector<std::string>{"slow", "fast"}));
  EXPECT_EQ(trace.keys[0].latency_ns[1], (std::vector<double>{10'000, 11'000, 12'000}));
  EXPECT_EQ(trace.keys[1].latency_ns[0], (std::vector<double>{5'500}));
}

TEST(Trace, JoinsTheLinesOfAVariant) {
  const Scratch file(R"({"op":"a","key":{"dtype":"bf16"},"variant":"x","latency_us":[1]}
{"op":"a","key":{"dtype":"bf16"},"variant":"x","latency_us":[2,3]})");
  const Trace trace = read_trace(file.path());
  ASSERT_EQ(trace.keys.size(), 1U);
  EXPECT_EQ(trace.keys[0].latency_ns, (std::vector<std::vector<double>>{{1'000, 2'000, 3'000}}));
}

TEST(Trace, HasTheParametersOfVariants) {
  const Trace trace = parse_trace(
      R"({"op":"a","key":{"m":1},"variant":"x","parameters":{"tile":64,"packed":true,"isa":"avx2"},"latency_us":[1]}
{"op":"a","key":{"m":1},"variant":"y","latency_us":[1]})",
      "t");
  ASSERT_EQ(trace.keys.size(), 1U);
  const Parameters expected = {{"tile", 64}, {"packed", true}, {"isa", "avx2"}};
  EXPECT_EQ(trace.keys[0].parameters, (std::vector<Parameters>{expected, {}}));
}

TEST(Trace, AKeyMayHaveASetOfLabels) {
  const Trace trace =
      parse_trace(R"({"op":"a","key":{"bits":["8","2"]},"variant":"x","latency_us":[1]})", "t");
  ASSERT_EQ(trace.keys.size(), 1U);
  EXPECT_EQ(trace.keys[0].key.at("bits"), Parameter("2,8")) << "in any order";
}

TEST(Trace, LeavesOutALineThatIsWrongAndSaysWhere) {
  for (const char* wrong : {"{", "[]", "nonsense", R"({"op":"gemm","key":{},"variant":"a"})",
                            R"({"op":7,"key":{},"variant":"a","latency_us":[1]})",
                            R"({"op":"gemm","key":{"m":[1]},"variant":"a","latency_us":[1]})",
                            R"({"op":"gemm","key":{},"variant":"a","latency_us":[]})",
                            R"({"op":"gemm","key":{},"variant":"a","parameters":[],"latency_us":[1]})",
                            R"({"op":"gemm","key":{},"variant":"a","parameters":{"t":[]},"latency_us":[1]})",
                            R"({"op":"gemm","key":{},"variant":"a","latency_us":[1,-2]})",
                            R"({"op":"gemm","key":{},"variant":"a","latency_us":[1,"2"]})"}) {
    const Scratch file(std::string(small) + wrong + "\n" +
                       R"({"op":"gemm","key":{"m":3,"n":8},"variant":"slow","latency_us":[7]})");
    const Trace trace = read_trace(file.path());
    EXPECT_EQ(trace.keys.size(), 3U) << wrong;
    ASSERT_EQ(trace.notices.size(), 1U) << wrong;
    EXPECT_EQ(trace.notices[0].where, file.path().string() + ":5") << trace.notices[0].what;
  }
}

TEST(Trace, WithoutAnyLatencyIsAnError) {
  EXPECT_THROW(read_trace("/no/such/file.jsonl"), Error);
  EXPECT_THROW(read_trace(std::filesystem::temp_directory_path()), Error);
  const Scratch empty("\n");
  EXPECT_THROW(read_trace(empty.path()), Error);
  const Scratch foreign("not a trace\n");
  try {
    read_trace(foreign.path());
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find(":1"), std::string::npos) << e.what();
  }
}

// Checks that the line is skipped and the line before it is not, and returns the fault.
std::string fault_of(const std::string& line) {
  const Trace trace = parse_trace(R"({"op":"a","key":{"m":1},"variant":"x","latency_us":[1]})"
                                  "\n" +
                                      line,
                                  "t");
  EXPECT_EQ(trace.keys.size(), 1U);
  return trace.notices.size() == 1 ? trace.notices[0].what : "";
}

TEST(Trace, WhatNoTraceHoldsIsLeftOut) {
  EXPECT_NE(fault_of(R"({"op":"a","key":{"m":1},"variant":"x","latency_us":[1e400]})"), "");
  EXPECT_NE(fault_of(R"({"op":"a","key":{"m":1},"variant":"x","latency_us":[1e300]})"), "");
  EXPECT_NE(fault_of(R"({"op":"a","key":{"m":1},"variant":"x","latency_us":[NaN]})"), "");
  EXPECT_NE(fault_of(R"({"op":"","key":{"m":1},"variant":"x","latency_us":[1]})"), "");
  EXPECT_NE(
      fault_of(R"({"op":"a","key":{"m":1},"variant":")" + std::string(2000, 'x') + R"(","latency_us":[1]})"),
      "");
  std::string thirteen = R"({"op":"a","variant":"x","latency_us":[1],"key":{"k0":1)";
  for (int i = 1; i < 13; ++i) thirteen += ",\"k" + std::to_string(i) + "\":1";
  EXPECT_NE(fault_of(thirteen + "}}"), "");
  EXPECT_LT(fault_of("\xff" + std::string(100'000, '[')).size(), 300U);
}

TEST(Trace, ANameThatStandsTwiceIsReported) {
  EXPECT_EQ(fault_of(R"({"op":"a","key":{"m":1,"n":2,"m":4},"variant":"x","latency_us":[1]})"),
            "m appears twice");
  EXPECT_EQ(fault_of(R"({"op":"a","key":{"m":1},"variant":"x","latency_us":[1],"variant":"y"})"),
            "variant appears twice");
  // The same name in another object is not a repetition.
  EXPECT_TRUE(
      parse_trace(
          R"({"op":"a","key":{"m":1,"op":2},"variant":"x","latency_us":[1],"more":[{"m":1},{"m":2}]})", "t")
          .notices.empty());
}

TEST(Trace, NoticesAreBounded) {
  std::string text = R"({"op":"a","key":{"m":1},"variant":"x","latency_us":[1]})";
  for (int i = 0; i < 5000; ++i) text += "\n{";
  const Trace trace = parse_trace(text, "t");
  ASSERT_EQ(trace.notices.size(), 1001U);
  EXPECT_EQ(trace.notices.back().what, "4000 more lines are left out");
}

TEST(Trace, WhatIsNoFileIsNotRead) {
  EXPECT_THROW(read_trace("/dev/zero"), Error);
}

}  // namespace
}  // namespace adaptive::table
