// Tests that eight processes, which are ranks of one model, run the same variant in every step, although
// their results differ, tables change, and ranks die, lag and start again.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/selector/rank_process.hpp"
#include "tests/selector/scratch_folder.hpp"

namespace adaptive {
namespace {

constexpr std::uint64_t steps = 100'000;
using test::not_run;
using test::RankProcess;

RankProcess start(const test::ScratchFolder& folder, int rank, std::uint64_t first, std::uint64_t end) {
  return {ADAPTIVE_RANK_STEPS_PROGRAM, folder / "", rank, first, end};
}

TEST(RankSteps, NoTwoRanksRunDifferentVariantsInOneStep) {
  const test::ScratchFolder folder;
  test::write_rank_tables(folder / "");
  std::vector<RankProcess> whole;  // run all steps
  std::vector<RankProcess> interrupted;
  const RankProcess zero = start(folder, 0, 0, 70'000);
  const RankProcess five = start(folder, 5, 0, 40'000);
  for (const int rank : {1, 3, 4, 6, 7}) whole.push_back(start(folder, rank, 0, steps));
  five.epoch();
  whole.push_back(start(folder, 2, 0, steps));  // lags: the others are far ahead
  interrupted.push_back(five);
  interrupted.push_back(start(folder, 5, 36'500, steps));
  zero.epoch();  // the others wait for it at the boundary after the next one
  interrupted.push_back(zero);
  interrupted.push_back(start(folder, 0, 66'666, steps));

  EXPECT_EQ(interrupted[1].epoch(), 10);
  EXPECT_EQ(interrupted[3].epoch(), 10);
  std::vector<std::string> all;
  for (const RankProcess& rank : whole) {
    EXPECT_EQ(rank.epoch(), 10);
    all.push_back(rank.choices());
  }
  for (const RankProcess& rank : interrupted) all.push_back(rank.choices());

  std::map<char, int> seen;
  for (std::uint64_t step = 0; step < steps; ++step) {
    const char expected = all.front()[step];
    ASSERT_NE(expected, not_run) << step;
    ++seen[expected];
    int ran = 0;
    for (const std::string& choices : all)
      if (step < choices.size() && choices[step] != not_run) {
        ASSERT_EQ(choices[step], expected) << step;
        ++ran;
      }
    ASSERT_GE(ran, 8) << step;
  }
  EXPECT_EQ(seen.size(), 3U) << "tables have decided on each of the variants";
}

}  // namespace
}  // namespace adaptive
