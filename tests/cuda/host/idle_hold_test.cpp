// Tests for how long launches on idle streams wait for their host.
#include "cuda/idle_hold.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace adaptive::inline v1::cuda {
namespace {

constexpr std::uint64_t most_ns = 2'000'000;
constexpr int held_operation = 0, held_neighbour = 0;

TEST(IdleHold, AnOperationIsNotHeldUntilItsHostIsKnown) {
  IdleHold hold;
  EXPECT_EQ(hold.wanted(&held_operation, most_ns), 0u);
  hold.note(&held_operation, 300'000);
  EXPECT_GE(hold.wanted(&held_operation, most_ns), 300'000u);
  EXPECT_LE(hold.wanted(&held_operation, most_ns), 350'000u);
}

TEST(IdleHold, AHostThatNeedsLongerIsWaitedForAtOnceAndAnInterruptionIsForgotten) {
  IdleHold hold;
  for (int i = 0; i < 10; ++i) hold.note(&held_operation, 100'000);
  hold.note(&held_operation, 150'000);
  EXPECT_GE(hold.wanted(&held_operation, most_ns), 150'000u);
  hold.note(&held_operation, 50'000'000);
  EXPECT_LE(hold.wanted(&held_operation, most_ns), 350'000u) << "at most twice as long";
  for (int i = 0; i < 100; ++i) hold.note(&held_operation, 100'000);
  EXPECT_LE(hold.wanted(&held_operation, most_ns), 120'000u);
}

TEST(IdleHold, AFirstLaunchThatCompilesItsKernelsDelaysTheHoldByAFewLaunches) {
  IdleHold hold;
  hold.note(&held_operation, 2'300'000'000);
  for (int i = 0; i < 16; ++i) hold.note(&held_operation, 300'000);
  EXPECT_GE(hold.wanted(&held_operation, most_ns), 300'000u);
}

TEST(IdleHold, AHostBeyondTheLimitIsNotWaitedFor) {
  IdleHold hold;
  hold.note(&held_operation, 5'000'000);
  EXPECT_EQ(hold.wanted(&held_operation, most_ns), 0u);
  EXPECT_EQ(hold.wanted(&held_operation, 0), 0u);
  EXPECT_GT(hold.wanted(&held_operation, 10'000'000), 0u);
}

TEST(IdleHold, AKeyWhoseStreamRanDryIsHeldAndThenObservedAgain) {
  IdleHold hold;
  EXPECT_FALSE(hold.runs_dry(&held_operation));
  for (int round = 0; round < 3; ++round) {
    hold.note_busy(&held_operation, true);
    for (int i = 0; i < IdleHold::held_after_dry; ++i) EXPECT_TRUE(hold.runs_dry(&held_operation)) << i;
    EXPECT_FALSE(hold.runs_dry(&held_operation)) << "the next one is observed";
  }
  hold.note_busy(&held_operation, true);
  hold.note_busy(&held_operation, false);
  EXPECT_FALSE(hold.runs_dry(&held_operation));
}

TEST(IdleHold, OperationsHaveTheirOwnTimes) {
  IdleHold hold;
  hold.note(&held_operation, 1'000'000);
  hold.note(&held_neighbour, 10'000);
  EXPECT_GE(hold.wanted(&held_operation, most_ns), 1'000'000u);
  EXPECT_LE(hold.wanted(&held_neighbour, most_ns), 1'200'000u)
      << "they may share a place, but none is held longer than the other";
}

}  // namespace
}  // namespace adaptive::cuda
