#include "examples/gpu_serving/schedule.hpp"

#include <gtest/gtest.h>

#include <bit>

namespace gpu_serving {
namespace {

Schedule schedule_of(std::uint64_t seed, const ScheduleOptions& options = {}) {
  serving::GeneratedRequests requests({.requests_per_s = 40, .prompt_median = 384, .seed = seed});
  return make_schedule(requests, options);
}

TEST(GpuServingSchedule, PadsDecodingStepsAndNothingElse) {
  const Schedule schedule = schedule_of(1);
  ASSERT_EQ(schedule.steps.size(), ScheduleOptions{}.steps_max);
  std::size_t decoding = 0;
  std::size_t odd = 0;
  for (const Step& step : schedule.steps) {
    ASSERT_GT(step.tokens, 0);
    ASSERT_GE(step.tokens, step.served);
    ASSERT_LE(step.tokens, 2048);
    if (step.decoding) {
      ++decoding;
      EXPECT_TRUE(std::has_single_bit(static_cast<std::uint64_t>(step.tokens)));
      EXPECT_LT(step.tokens, 2 * step.served);
      EXPECT_EQ(step.sampled, step.tokens);
    } else {
      EXPECT_EQ(step.tokens, step.served);
      odd += step.tokens % 2 == 1 ? 1u : 0u;
    }
  }
  EXPECT_GT(decoding, 100u);
  EXPECT_GT(odd, 20u) << "prompts come as they are";
}

TEST(GpuServingSchedule, IsTheSameForTheSameRequests) {
  const Schedule one = schedule_of(5);
  const Schedule same = schedule_of(5);
  EXPECT_EQ(one.served(), same.served());
  EXPECT_EQ(one.layer_tokens(), same.layer_tokens());
  EXPECT_NE(one.served(), schedule_of(6).served());
}

TEST(GpuServingSchedule, NamesTheTokensOfAllItsLaunches) {
  const Schedule schedule = schedule_of(2, {.steps_max = 60, .token_budget = 128, .running_max = 8});
  for (const Step& step : schedule.steps) {
    EXPECT_TRUE(schedule.layer_tokens().contains(step.tokens));
    EXPECT_TRUE(schedule.attention_lengths().contains(step.attention));
    EXPECT_EQ(step.attention.tokens, step.tokens);
    EXPECT_TRUE(std::has_single_bit(static_cast<std::uint64_t>(step.attention.sequences)));
    EXPECT_TRUE(std::has_single_bit(static_cast<std::uint64_t>(step.attention.context)));
    if (step.decoding) {
      EXPECT_EQ(step.attention.sequences, step.tokens);
    }
    EXPECT_TRUE(step.sampled == 0 || schedule.vocabulary_tokens().contains(step.sampled));
  }
}

}  // namespace
}  // namespace gpu_serving
