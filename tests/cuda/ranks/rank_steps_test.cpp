// Tests that two ranks on GPUs, each on its own where there are two, run the same variant in every step,
// although each has measured another one to be slow.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>

#include <adaptive/cuda.hpp>
#include "tests/selector/rank_process.hpp"
#include "tests/selector/scratch_folder.hpp"

namespace adaptive::inline v1::cuda {
namespace {

constexpr std::uint64_t steps = 100'000;

TEST(GpuRanks, NeverRunDifferentVariantsInOneStep) {
  const int gpus = device_count();
  if (gpus == 0) GTEST_SKIP() << "no GPU";
  RecordProperty("gpus", gpus);
  const test::ScratchFolder folder;
  test::write_rank_tables(folder / "");
  const test::RankProcess zero(ADAPTIVE_RANK_STEPS_PROGRAM, folder / "", 0, 0, steps);
  const test::RankProcess one(ADAPTIVE_RANK_STEPS_PROGRAM, folder / "", 1, 0, steps);
  EXPECT_EQ(zero.epoch(), 10);
  EXPECT_EQ(one.epoch(), 10);
  const std::string choices = zero.choices();
  const std::string others = one.choices();
  std::map<char, int> seen;
  for (std::uint64_t step = 0; step < steps; ++step) {
    ASSERT_NE(choices[step], test::not_run) << step;
    ASSERT_EQ(choices[step], others[step]) << step;
    ++seen[choices[step]];
  }
  EXPECT_EQ(seen.size(), 3U) << "tables have decided on each of the variants";
}

}  // namespace
}  // namespace adaptive::inline v1::cuda
