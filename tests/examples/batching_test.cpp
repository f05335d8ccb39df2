#include "examples/serving/workload/batching.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "examples/serving/workload/request_source.hpp"
#include "examples/serving/workload/trace.hpp"

namespace serving {
namespace {

TEST(Scheduler, SpreadsALongPromptOverSteps) {
  TraceRequests source({{.arrival_s = 0, .prompt_tokens = 20, .output_tokens = 3}});
  Scheduler scheduler(source, {.token_budget = 8, .running_max = 4});
  std::vector<std::int64_t> prompts, answers, sampled;
  while (const auto step = scheduler.next()) {
    prompts.push_back(step->prompt_tokens);
    answers.push_back(step->answer_tokens);
    sampled.push_back(step->sampled_tokens);
    scheduler.finish(1);
  }
  EXPECT_EQ(prompts, (std::vector<std::int64_t>{8, 8, 4, 0, 0}));
  EXPECT_EQ(answers, (std::vector<std::int64_t>{0, 0, 0, 1, 1}));
  EXPECT_EQ(sampled, (std::vector<std::int64_t>{0, 0, 1, 1, 1}))
      << "the end of the prompt gives the first token";
  EXPECT_EQ(scheduler.finished_requests(), 1U);
  EXPECT_EQ(scheduler.answer_tokens(), 3U);
}

TEST(Scheduler, AnswersComeBeforePrompts) {
  TraceRequests source({{.arrival_s = 0, .prompt_tokens = 1, .output_tokens = 9},
                        {.arrival_s = 0.5, .prompt_tokens = 50, .output_tokens = 1}});
  Scheduler scheduler(source, {.token_budget = 8, .running_max = 4});
  scheduler.next();
  scheduler.finish(1);
  const auto step = scheduler.next();
  ASSERT_TRUE(step);
  EXPECT_EQ(step->answer_tokens, 1);
  EXPECT_EQ(step->prompt_tokens, 7);
}

TEST(Scheduler, TellsHowMuchAttentionAStepHas) {
  TraceRequests source({{.arrival_s = 0, .prompt_tokens = 3, .output_tokens = 4},
                        {.arrival_s = 0.5, .prompt_tokens = 20, .output_tokens = 2}});
  Scheduler scheduler(source, {.token_budget = 8, .running_max = 4});
  std::vector<std::int64_t> sequences, contexts, sums;
  while (const auto step = scheduler.next()) {
    sequences.push_back(step->sequences);
    contexts.push_back(step->context_max);
    sums.push_back(step->context_sum);
    scheduler.finish(1);
  }
  // The prompt of 3; its three further tokens beside the chunks of 7, 7 and 6; the other's last token.
  EXPECT_EQ(sequences, (std::vector<std::int64_t>{1, 2, 2, 2, 1}));
  EXPECT_EQ(contexts, (std::vector<std::int64_t>{3, 7, 14, 20, 21}));
  EXPECT_EQ(sums, (std::vector<std::int64_t>{3, 4 + 7, 5 + 14, 6 + 20, 21}));
}

TEST(Scheduler, JumpsToTheNextArrivalWhenIdle) {
  TraceRequests source({{.arrival_s = 0, .prompt_tokens = 1, .output_tokens = 1},
                        {.arrival_s = 100, .prompt_tokens = 1, .output_tokens = 1}});
  Scheduler scheduler(source, {});
  scheduler.next();
  scheduler.finish(1);
  ASSERT_TRUE(scheduler.next());
  EXPECT_DOUBLE_EQ(scheduler.now_s(), 100);
  scheduler.finish(1);
  EXPECT_FALSE(scheduler.next());
}

TEST(Scheduler, KeepsItsLimitsAndLosesNoToken) {
  GeneratedRequests all({.requests_per_s = 50, .seed = 5});
  std::vector<Request> requests;
  std::uint64_t prompt_tokens = 0, answer_tokens = 0;
  for (int i = 0; i < 200; ++i) {
    requests.push_back(*all.next());
    prompt_tokens += static_cast<std::uint64_t>(requests.back().prompt_tokens);
    answer_tokens += static_cast<std::uint64_t>(requests.back().output_tokens);
  }
  TraceRequests source(requests);
  Scheduler scheduler(source, {.token_budget = 64, .running_max = 10});
  while (const auto step = scheduler.next()) {
    ASSERT_GE(step->tokens(), 1);
    ASSERT_LE(step->tokens(), 64);
    ASSERT_LE(scheduler.running(), 10U);
    ASSERT_LE(step->sampled_tokens, 10);
    scheduler.finish(0.01);
  }
  EXPECT_EQ(scheduler.finished_requests(), 200U);
  EXPECT_EQ(scheduler.prompt_tokens(), prompt_tokens);
  EXPECT_EQ(scheduler.answer_tokens(), answer_tokens);
}

TEST(GeneratedRequests, RepeatGivenTheSeedAndHaveTheStatedMeans) {
  const GeneratorOptions options{.seed = 9};
  GeneratedRequests first(options), second(options);
  double output_sum = 0, last_s = 0;
  int shorter = 0;
  constexpr int count = 20'000;
  for (int i = 0; i < count; ++i) {
    const Request a = *first.next(), b = *second.next();
    ASSERT_EQ(a.arrival_s, b.arrival_s);
    ASSERT_EQ(a.prompt_tokens, b.prompt_tokens);
    ASSERT_EQ(a.output_tokens, b.output_tokens);
    ASSERT_GE(a.arrival_s, last_s);
    last_s = a.arrival_s;
    output_sum += static_cast<double>(a.output_tokens);
    shorter += static_cast<double>(a.prompt_tokens) < options.prompt_median ? 1 : 0;
  }
  EXPECT_NEAR(output_sum / count, options.output_mean, 0.05 * options.output_mean);
  EXPECT_NEAR(shorter, count / 2, count / 50);
}

}  // namespace
}  // namespace serving
