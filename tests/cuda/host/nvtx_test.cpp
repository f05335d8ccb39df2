// Ranges of NVTX, received by a profiler that is linked into the test.
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <adaptive/adaptive.hpp>
#include "cuda/nvtx/ranges.hpp"
#include "tests/cuda/host/nvtx_profiler.hpp"
#include "tests/selector/environment_variable.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

namespace profiler = test::profiler;

TEST(Nvtx, ARangeNamesOperationVariantAndReason) {
  const cuda::NvtxRanges* const ranges = cuda::NvtxRanges::find();
  ASSERT_NE(ranges, nullptr);
  EXPECT_EQ(profiler::domain_name, "adaptive");
  EXPECT_EQ(cuda::NvtxRanges::find(), ranges);
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"plain", "tiled"}, "gemm"));
  const std::uint64_t first = ranges->begin(op, 1, "exploring");
  const std::uint64_t second = ranges->begin(op, 0, "leader");
  EXPECT_EQ(profiler::begun, (std::vector<std::string>{"gemm tiled (exploring)", "gemm plain (leader)"}));
  ranges->end(first);  // in any order
  ranges->end(second);
  EXPECT_TRUE(profiler::open.empty());
  EXPECT_EQ(ranges->begin(op, 7, "leader"), 0u) << "there is no such variant";
}

TEST(Nvtx, TheEnvironmentOverridesTheProgram) {
  for (const bool program : {false, true}) {
    const test::EnvironmentVariable unset("ADAPTIVE_NVTX", "");
    EXPECT_EQ(cuda::asks_for_nvtx(program), program);
    const test::EnvironmentVariable on("ADAPTIVE_NVTX", "1");
    EXPECT_TRUE(cuda::asks_for_nvtx(program));
    const test::EnvironmentVariable off("ADAPTIVE_NVTX", "0");
    EXPECT_FALSE(cuda::asks_for_nvtx(program));
  }
}

TEST(Nvtx, ADecisionTellsWhetherItExplores) {
  Selector selector(test::options_with<test::RoundRobin>());
  Operation& op = selector.define(test::operation({"plain", "tiled"}));
  test::learn(op, {64}, {2e6, 1e6});
  std::set<bool> explored;
  for (int call = 0; call < 4; ++call) {
    const Decision decision = op.select({64});
    EXPECT_EQ(decision.exploring(), decision.variant() == 0) << "the leader is tiled";
    explored.insert(decision.exploring());
  }
  EXPECT_EQ(explored.size(), 2u);
  EXPECT_FALSE(Decision().exploring());
}

}  // namespace
}  // namespace adaptive
