// Launches of a timer as ranges of NVTX. Needs no GPU: launches without one have ranges as well.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include <adaptive/cuda.hpp>
#include "tests/cuda/host/nvtx_profiler.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

namespace profiler = test::profiler;

class NvtxLaunch : public testing::Test {
 protected:
  NvtxLaunch() { profiler::begun.clear(); }

  Selector selector_{test::options_with<test::Steady>()};
  Operation& op_ = selector_.define(test::operation({"plain", "tiled"}, "gemm"));
  const Forced forced_ = op_.force("tiled");
};

TEST_F(NvtxLaunch, IsARangeFromItsBeginningToItsEnd) {
  cuda::Timer timer(cuda::TimerOptions{.nvtx = true, .log = [](LogLevel, std::string_view) {}});
  {
    auto launch = timer.launch(op_, {64}, nullptr);
    EXPECT_EQ(profiler::begun, std::vector<std::string>{"gemm tiled (leader)"});
    EXPECT_EQ(profiler::open.size(), 1u);
    auto moved = std::move(launch);
    moved.cancel();
    EXPECT_EQ(profiler::open.size(), 1u) << "only the timing has been dropped";
    moved = timer.launch(op_.site({128}), nullptr);
    EXPECT_EQ(profiler::open.size(), 1u) << "the former launch has ended";
  }
  EXPECT_EQ(profiler::begun.size(), 2u);
  EXPECT_TRUE(profiler::open.empty());
}

TEST_F(NvtxLaunch, IsNoRangeUnlessItIsAskedFor) {
  cuda::Timer timer(cuda::TimerOptions{.log = [](LogLevel, std::string_view) {}});
  { const auto launch = timer.launch(op_, {64}, nullptr); }
  EXPECT_TRUE(profiler::begun.empty());
}

}  // namespace
}  // namespace adaptive
